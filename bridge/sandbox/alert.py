"""An alert to begin with: an exercise, on a route through every country of the sandbox."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.core.times import format_time
from bridge.sandbox.plan import Plan

KIND: Final = "route_alert"
STATUS: Final = "exercise"
_RETENTION: Final = timedelta(days=30)


def body(origin: str, *others: str) -> Mapping[str, object]:
    """The content of an exercise alert on a route from a country through others (ISO 3166-1 alpha-2)."""
    return {
        "title": "Exercise in a sandbox: no real alert",
        "language": "en",
        "tlp": "AMBER",
        "handling": ["H0"],
        "purpose": "victim_protection",
        "legal_basis": "Palermo Protocol, art. 10",
        "retain_until": format_time(datetime.now(UTC) + _RETENTION),
        "severity": "severe",
        "exploitation": ["forced_labour_or_services"],
        "labour_sector": ["A"],
        "means": ["deception"],
        "legs": [
            {"from": {"country": start}, "to": {"country": end}, "confirmed": False}
            for start, end in itertools.pairwise((origin, *others))
        ],
    }


def exercise_alert(plan: Plan) -> bytes:
    """An alert file that concerns every counterpart."""
    content = body(plan.you, *(prefix.upper() for prefix in plan.countries))
    alert = {"kind": KIND, "status": STATUS, "urgency": "expected", "body": content}
    return json.dumps(alert, indent=2).encode() + b"\n"
