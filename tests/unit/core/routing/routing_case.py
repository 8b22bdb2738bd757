"""The form of a hand-written case of routing: what is given, then who receives, who does not, who is out of reach."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.directory import Directory
from bridge.core.messages import RouteAlertBody

NATIONAL, REMIT, EARLIER = "national_desk", "remit", "earlier_version"
SENDER = "is the sender itself"


@dataclass(frozen=True)
class Case:
    """`receives`: id -> (rule, roles); `excluded`: id -> reason."""

    name: str
    sender: str
    given: RouteAlertBody | None
    members: Directory
    receives: dict[str, tuple[str, str]]
    excluded: dict[str, str] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()
    kind: str = "route_alert"
    status: str = "actual"
    earlier: tuple[str, ...] = ()
