"""A message of a higher minor version: what is new in it is kept, what we know of it still holds."""

from __future__ import annotations

import pytest
from message_samples import CONTROL, SEALED, accepted, control_member, faults, full_body, read, small_body

from bridge.core.messages import ReceiptControl, RouteAlertBody

NEWER = "1.1"


@pytest.mark.parametrize("kind", SEALED)
def test_unknown_members_are_kept_as_they_came(kind: str) -> None:
    body = full_body(kind) | {"weather": {"wind": 3}}
    read = accepted(kind, body, version=NEWER)
    assert read.members["weather"] == {"wind": 3}


def test_unknown_members_within_objects_are_kept_as_they_came() -> None:
    body = full_body("route_alert")
    body["legs"][0]["distance_km"] = 120
    body["legs"][0]["from"]["altitude"] = "high"
    body["victims"][0]["height"] = "tall"
    body["references"] = [{"from": "rs.ncp", "id": body["thread"], "payload_sha256": body["salt"], "why": "earlier"}]
    read = accepted("route_alert", body, version="1.42")
    assert read.members is body
    assert isinstance(read.known, RouteAlertBody)
    assert read.known.legs[0].from_.place == "Prizren"


def test_unknown_codes_are_kept_as_they_came() -> None:
    body = full_body("route_alert") | {
        "tlp": "AMBER+2",
        "acts": ["recruitment", "advertising"],
        "severity": "catastrophic",
        "displaced_from": ["QZ"],
    }
    body["legs"][0]["conveyance"] = "hyperloop"
    known = accepted("route_alert", body, version=NEWER).known
    assert isinstance(known, RouteAlertBody)
    assert (known.tlp, known.acts, known.severity) == ("AMBER+2", ("recruitment", "advertising"), "catastrophic")
    assert known.legs[0].conveyance == "hyperloop"
    assert known.displaced_from == ("QZ",)


@pytest.mark.parametrize("kind", SEALED)
def test_the_same_minor_version_takes_nothing_unknown(kind: str) -> None:
    assert faults(kind, small_body(kind) | {"weather": "fog"}) == ["E_UNKNOWN_MEMBER $.weather"]
    assert faults(kind, small_body(kind) | {"purpose": "weather"}) == ["E_CODE $.purpose"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"title": ""}, "E_FORMAT $.title"),
        ({"title": 4}, "E_TYPE $.title"),
        ({"severity": 4}, "E_TYPE $.severity"),
        ({"severity": "a code with blanks"}, "E_CODE $.severity"),
        ({"severity": "a" * 65}, "E_CODE $.severity"),
        ({"displaced_from": ["Serbia"]}, "E_FORMAT $.displaced_from[0]"),
        ({"classification": "secret"}, "E_CLASSIFICATION $.classification"),
        ({"handling": ["H3"]}, "E_HANDLING_NOTE $.handling_note"),
        ({"means": []}, "E_MEANS_REQUIRED $.means"),
        ({"acts": ["advertising", "advertising"]}, "E_DUPLICATE_CODE $.acts[1]"),
        ({"retain_until": "2026-01-01T00:00:00Z"}, "E_RETAIN_UNTIL $.retain_until"),
        ({"supersedes": {}}, "E_SUPERSEDES $.supersedes"),
        ({"salt": "short"}, "E_FORMAT $.salt"),
    ],
)
def test_everything_else_still_holds(change: dict[str, object], fault: str) -> None:
    assert faults("route_alert", small_body("route_alert") | change, version=NEWER) == [fault]


def test_a_mandatory_member_is_mandatory_in_every_minor_version() -> None:
    body = small_body("route_alert")
    del body["thread"]
    assert faults("route_alert", body, version=NEWER) == ["E_MISSING $.thread"]


@pytest.mark.parametrize("kind", CONTROL)
def test_control_members_of_a_newer_version_are_read_too(kind: str) -> None:
    control = control_member(kind) | {"weather": "fog"}
    assert faults(kind, control, version=NEWER) == []
    assert faults(kind, control) == ["E_UNKNOWN_MEMBER $.weather"]


def test_a_state_of_a_receipt_that_we_do_not_know_is_no_receipt_for_us() -> None:
    assert faults("receipt", control_member("receipt") | {"state": "opened"}, version=NEWER) == ["E_CODE $.state"]
    assert isinstance(read("receipt", control_member("receipt"), version=NEWER), ReceiptControl)
