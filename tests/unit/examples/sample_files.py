"""The samples as the tests read them: files in the order of their manifest, and a network of national desks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.messages import AlertFile, read_alert_file

EXAMPLES = Path(__file__).parents[3] / "examples"
ALERTS = EXAMPLES / "alerts"
BAD = EXAMPLES / "bad"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
COUNTRIES = ("AL", "AT", "BA", "BG", "DE", "HR", "HU", "IT", "MD", "ME", "MK", "RO", "RS", "XK")
KINDS = frozenset({"route_alert", "alert_update", "alert_cancel"})


@dataclass(frozen=True)
class Sample:
    """One entry of the manifest with the alert that its file holds."""

    file: str
    sender: str
    supersedes: str | None
    alert: AlertFile


def manifest() -> list[dict[str, str]]:
    entries: list[dict[str, str]] = json.loads((ALERTS / "manifest.json").read_bytes())
    return entries


def samples() -> list[Sample]:
    """Every sample in order; a file that cannot be read fails here, with everything that is wrong with it."""
    found = []
    for entry in manifest():
        alert = read_alert_file((ALERTS / entry["file"]).read_bytes())
        if not isinstance(alert, AlertFile):
            pytest.fail(f"{entry['file']}: {[problem.sentence() for problem in alert]}")
        found.append(Sample(entry["file"], entry["from"], entry.get("supersedes"), alert))
    return found


def texts(value: object, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every text in a document, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}[{index}]")


def national_desks() -> Directory:
    """A membership list with one national desk a country."""
    points = [
        ContactPoint(
            id=f"{country.lower()}.ncp",
            name=country,
            country=country,
            mode="live",
            remit=Remit(national_desk=True),
            sends=KINDS,
            receives=KINDS,
            statuses=frozenset({"actual", "exercise"}),
            signature_policy=("ES256",),
        )
        for country in COUNTRIES
    ]
    keys = [
        PublicKey(f"{item.id}#seal", "ECDH-ES+A256KW", b"\x04" + bytes(64), NOW + timedelta(days=30), NOW)
        for item in points
    ]
    return Directory("samples", 1, NOW, {item.id: item for item in points}, {}, {key.kid: key for key in keys})
