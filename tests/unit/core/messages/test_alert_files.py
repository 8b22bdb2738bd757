"""Alert files: what is right is handed on as written, what is wrong is reported whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from message_samples import ALERTS, EARLIER, ON_WIRE, REFERENCE, THREAD, accepted, alert_file

from bridge.core.messages import AlertCancelBody, AlertFile, AlertUpdateBody, RouteAlertBody, read_alert_file

RETAIN = datetime(2027, 2, 20, 12, 0, 0, 250000, tzinfo=UTC)
MODELS = {"route_alert": RouteAlertBody, "alert_update": AlertUpdateBody, "alert_cancel": AlertCancelBody}


def read_file(document: dict[str, Any]) -> AlertFile:
    answer = read_alert_file(json.dumps(document).encode())
    assert isinstance(answer, AlertFile), answer
    return answer


def faults_of(document: dict[str, Any] | bytes) -> list[str]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    answer = read_alert_file(data)
    return [f"{problem.code} {problem.path}" for problem in answer] if isinstance(answer, tuple) else []


@pytest.mark.parametrize("kind", ALERTS)
@pytest.mark.parametrize("full", [False, True])
def test_a_file_is_read_as_its_kind(kind: str, full: bool) -> None:  # noqa: FBT001 - a case
    document = alert_file(kind, full=full)
    alert = read_file(document)
    assert isinstance(alert.body, MODELS[kind])
    assert (alert.kind, alert.status, alert.urgency) == (kind, "actual", "immediate")
    assert alert.thread == (THREAD if full else None)
    assert alert.supersedes == (None if kind == "route_alert" else EARLIER)
    assert alert.expires == (datetime(2026, 12, 1, tzinfo=UTC) if full else None)


def test_a_draft_is_read_like_any_other() -> None:
    assert read_file(alert_file("route_alert") | {"status": "draft"}).status == "draft"


@pytest.mark.parametrize("kind", ALERTS)
def test_the_bodys_members_are_those_of_the_file_as_written(kind: str) -> None:
    document = alert_file(kind, full=True)
    document["body"]["retain_until"] = "2027-01-01T00:00:00Z"
    members = read_file(document).body_members(retain_until_default=RETAIN)
    assert members == document["body"]
    assert list(members) == list(document["body"])


def test_the_time_of_erasure_is_filled_in_where_the_file_has_none() -> None:
    members = read_file(alert_file("route_alert")).body_members(retain_until_default=RETAIN)
    assert members["retain_until"] == "2027-02-20T12:00:00.250Z"


def test_what_is_superseded_is_added_to_updates_and_cancellations_only() -> None:
    for kind in ALERTS:
        members = read_file(alert_file(kind)).body_members(retain_until_default=RETAIN, supersedes=REFERENCE)
        assert members.get("supersedes") == (None if kind == "route_alert" else REFERENCE)


@pytest.mark.parametrize("kind", ALERTS)
def test_a_file_with_what_only_the_wire_has_is_a_body_that_recipients_accept(kind: str) -> None:
    alert = read_file(alert_file(kind, full=True))
    body = alert.body_members(retain_until_default=RETAIN, supersedes=REFERENCE) | {
        name: ON_WIRE[name] for name in ("salt", "thread", "references")
    }
    assert accepted(kind, body).known.title == alert.body.title


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    document = alert_file("route_alert", full=True) | {"urgency": "urgent", "colour": "red", "expires": "soon"}
    body = document["body"]
    del body["legal_basis"]
    body |= {"tlp": "CLEAR", "handling_note": "", "labour_sector": [], "acts": ["receipt", "receipt"], "salt": "x"}
    body["legs"][1]["from"]["country"] = "MK"
    body["victims"] = [{"age_band": "17"}]
    body["means"] = []
    assert set(faults_of(document)) == {
        "E_CODE $.urgency",
        "E_UNKNOWN_MEMBER $.colour",
        "E_FORMAT $.expires",
        "E_MISSING $.body.legal_basis",
        "E_TLP_CLEAR $.body.tlp",
        "E_HANDLING_NOTE $.body.handling_note",
        "E_LABOUR_SECTOR $.body.labour_sector",
        "E_DUPLICATE_CODE $.body.acts[1]",
        "E_UNKNOWN_MEMBER $.body.salt",
        "E_LEGS_APART $.body.legs[1].from.country",
        "E_ROLE_POSITION $.body.legs[0].roles.to[0]",
        "E_ROLE_POSITION $.body.legs[1].roles.from[0]",
        "E_CODE $.body.victims[0].age_band",
        "E_MEANS_REQUIRED $.body.means",
    }


def test_a_mistyped_kind_does_not_hide_what_is_wrong_with_the_body() -> None:
    document = alert_file("alert_update") | {"kind": "alert-update"}
    del document["body"]["change_summary"]
    answer = read_alert_file(json.dumps(document).encode())
    assert isinstance(answer, tuple)
    assert [(problem.path, problem.code, problem.suggestion) for problem in answer] == [
        ("$.kind", "E_CODE", "alert_update"),
        ("$.body.change_summary", "E_MISSING", None),
    ]


@pytest.mark.parametrize("kind", ["acknowledgement", "receipt", "follow_up"])
def test_only_alerts_come_in_files(kind: str) -> None:
    assert faults_of(alert_file("route_alert") | {"kind": kind}) == ["E_CODE $.kind"]


def test_a_file_without_anything_is_told_what_belongs_there() -> None:
    assert faults_of(b"{}") == [f"E_MISSING $.{name}" for name in ("kind", "status", "urgency", "body")]
    assert faults_of({"kind": "route_alert", "status": "test", "urgency": "past", "body": {}}) == [
        *(f"E_MISSING $.body.{name}" for name in ("title", "language", "tlp", "purpose", "legal_basis", "legs")),
        "E_MISSING $.body.exploitation",
        "E_MEANS_REQUIRED $.body.means",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"kind"',
        b"{",
        b'{"kind": "route_alert", "kind": "route_alert"}',
        b'{"kind": NaN}',
        b'{"kind": 1.5}',
        b'{"kind": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"kind": "\xff"}',
        b'{"a":' * 30 + b"1" + b"}" * 30,
    ],
)
def test_bytes_that_are_no_strict_json_object_are_one_fault(data: bytes) -> None:
    assert faults_of(data) == ["E_JSON $"]


def test_a_fault_in_the_json_says_where_it_is() -> None:
    answer = read_alert_file(b'{"kind": "route_alert",}')
    assert isinstance(answer, tuple)
    assert "line 1 column" in answer[0].sentence()


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_a_body_that_is_no_object_is_told_so(value: object) -> None:
    assert faults_of(alert_file("route_alert") | {"body": value}) == ["E_TYPE $.body"]


@pytest.mark.parametrize("name", ["kind", "status", "urgency"])
@pytest.mark.parametrize("value", [None, [], {}, 3, True])
def test_a_heading_that_is_no_text_is_told_so(name: str, value: object) -> None:
    assert faults_of(alert_file("route_alert") | {name: value}) == [f"E_TYPE $.{name}"]
