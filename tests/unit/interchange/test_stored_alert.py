"""A message that was sent, as an alert file: what is carried, and what only the wire has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.app.sending.submit import alert_of
from bridge.core.wire import strict_json
from bridge.interchange.cap_read import read_cap
from bridge.interchange.cap_write import Sent, cap_of
from bridge.interchange.stored import alert_file_members

SAMPLES = Path(__file__).resolve().parents[3] / "schemas" / "samples"
KINDS = ("route_alert", "alert_update", "alert_cancel")
WIRE = sorted(path for kind in KINDS for path in (SAMPLES / kind / "1.0" / "good").glob("*.json"))
HEADER = {"id": "019ab1d0-0000-7000-8000-000000000000", "from": "rs.ncp", "status": "actual", "urgency": "expected"}


def header_of(path: Path) -> dict[str, Any]:
    return {**HEADER, "kind": path.parents[2].name, "expires": "2026-12-01T00:00:00.000Z"}


@pytest.mark.parametrize("path", WIRE, ids=lambda path: path.stem)
def test_it_is_an_alert_file_and_stays_so_through_cap(path: Path) -> None:
    body = strict_json.parse_object(path.read_bytes())
    members = alert_file_members(header_of(path), body)
    alert = alert_of(json.dumps(members).encode())
    assert read_cap(cap_of(alert, Sent("rs.ncp", HEADER["id"], alert.expires))).members == members
    assert members["body"]["retain_until"] == body["retain_until"]
    assert members["thread"] == body["thread"]
    assert members.get("supersedes") == body.get("supersedes", {}).get("id")
    assert "references" not in members["body"]
    assert body["salt"] not in json.dumps(members)


def test_the_first_of_a_thread_continues_none() -> None:
    body = strict_json.parse_object(WIRE[0].read_bytes())
    assert "thread" not in alert_file_members({**header_of(WIRE[0]), "id": body["thread"]}, body)


def test_addresses_are_said_with_the_scope_that_asks_for_them() -> None:
    body = strict_json.parse_object(WIRE[0].read_bytes())
    alert = alert_of(json.dumps(alert_file_members(header_of(WIRE[0]), body)).encode())
    to_all = Sent("rs.ncp", HEADER["id"], alert.expires)
    to_two = Sent("rs.ncp", HEADER["id"], alert.expires, ("at.ncp", "hu.ncp"))
    assert b"<scope>Restricted</scope>" in cap_of(alert, to_all)
    assert b"<addresses>" not in cap_of(alert, to_all)
    assert b"<scope>Private</scope>" in cap_of(alert, to_two)
    assert b"<addresses>at.ncp hu.ncp</addresses>" in cap_of(alert, to_two)
    assert [name for name, _ in read_cap(cap_of(alert, to_two)).losses] == ["addresses"]
