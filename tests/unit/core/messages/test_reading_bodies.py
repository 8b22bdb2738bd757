"""Reading a body: what is understood of it, what is kept of it, and how long officers have to answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pydantic
import pytest
from message_samples import (
    EARLIER,
    SEALED,
    SENT,
    THREAD,
    accepted,
    faults,
    full_body,
    small_body,
)

from bridge.core.messages import (
    AcknowledgementBody,
    AlertCancelBody,
    AlertUpdateBody,
    DirectoryNoticeBody,
    RouteAlertBody,
    acknowledge_within,
    read_body,
)

MODELS = {
    "route_alert": RouteAlertBody,
    "alert_update": AlertUpdateBody,
    "alert_cancel": AlertCancelBody,
    "acknowledgement": AcknowledgementBody,
    "directory_notice": DirectoryNoticeBody,
}


@pytest.mark.parametrize("kind", SEALED)
def test_a_body_is_read_as_the_model_of_its_kind(kind: str) -> None:
    for body in (small_body(kind), full_body(kind)):
        read = accepted(kind, body)
        assert isinstance(read.known, MODELS[kind])
        assert (read.kind, read.thread) == (kind, THREAD)


@pytest.mark.parametrize("kind", SEALED)
def test_what_came_is_kept_exactly_as_it_came(kind: str) -> None:
    body = full_body(kind)
    assert accepted(kind, body).members is body
    assert body == full_body(kind)


def test_an_update_and_a_cancellation_name_what_they_take_the_place_of() -> None:
    for kind in ("alert_update", "alert_cancel"):
        read = accepted(kind, small_body(kind))
        assert read.supersedes is not None
        assert (read.supersedes.sender, read.supersedes.id) == ("rs.ncp", EARLIER)
        assert [reference.id for reference in read.references] == [EARLIER]
    assert accepted("route_alert", small_body("route_alert")).supersedes is None


def test_an_alert_is_read_into_its_legs_in_order() -> None:
    alert = accepted("route_alert", full_body("route_alert")).known
    assert isinstance(alert, RouteAlertBody)
    assert [(leg.from_.country, leg.to.country, leg.confirmed) for leg in alert.legs] == [
        ("XK", "RS", True),
        ("RS", "HU", False),
    ]
    roles = alert.legs[0].roles
    assert roles is not None
    assert (roles.from_, roles.to) == (("origin",), ("transit",))
    assert alert.observed_to == datetime(2026, 11, 21, 12, 30, 0, 500000, tzinfo=UTC)


def test_what_an_author_leaves_out_is_unknown() -> None:
    alert = accepted("route_alert", small_body("route_alert")).known
    assert isinstance(alert, RouteAlertBody)
    assert (alert.severity, alert.certainty, alert.source_reliability, alert.information_accuracy) == (
        "unknown",
        "unknown",
        "X",
        "4",
    )
    assert (alert.trend, alert.recommended_action, alert.observed_precision) == ("unknown", "none", "unknown")
    assert (alert.handling, alert.classification, alert.narrative, alert.organisers) == ((), "unclassified", {}, None)
    leg = alert.legs[0]
    assert (leg.crossing, leg.transport_mode, leg.conveyance, leg.roles) == (
        "unknown",
        "not_specified",
        "unknown",
        None,
    )


@pytest.mark.parametrize(
    ("age_band", "child"),
    [("0-8", True), ("9-17", True), ("presumed_child", True), ("18-20", False), ("unknown", False), ("48+", False)],
)
def test_a_child_is_involved_when_any_group_is_of_a_childs_age(age_band: str, child: bool) -> None:  # noqa: FBT001 - a case
    alert = accepted("route_alert", small_body("route_alert") | {"victims": [{}, {"age_band": age_band}]}).known
    assert isinstance(alert, RouteAlertBody)
    assert alert.child_involved is child


def test_labour_is_involved_when_forced_labour_is_among_the_forms() -> None:
    full = accepted("route_alert", full_body("route_alert")).known
    small = accepted("route_alert", small_body("route_alert")).known
    assert isinstance(full, RouteAlertBody)
    assert isinstance(small, RouteAlertBody)
    assert (full.labour_involved, small.labour_involved) == (True, False)


def test_what_was_read_cannot_be_changed() -> None:
    alert = accepted("route_alert", small_body("route_alert")).known
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        alert.title = "another"  # type: ignore[misc]  # that is the point


def test_a_kind_or_version_that_is_not_read_here_is_an_answer_not_an_exception() -> None:
    body = small_body("route_alert")
    for kind, urn in (
        ("follow_up", "urn:ncp-bridge:follow_up:1.0"),
        ("route_alert", "urn:ncp-bridge:route_alert:2.0"),
        ("route_alert", "urn:ncp-bridge:alert_update:1.0"),
        ("receipt", "urn:ncp-bridge:receipt:1.0"),
    ):
        answer = read_body(kind, urn, body, sent=SENT, status="actual")
        assert isinstance(answer, tuple)
        assert [(problem.path, problem.code) for problem in answer] == [("$", "E_SCHEMA")]


def test_a_body_may_be_kept_from_just_after_sending_until_180_days_later() -> None:
    for until, right in (
        (SENT, False),
        (SENT + timedelta(milliseconds=1), True),
        (SENT + timedelta(days=180), True),
        (SENT + timedelta(days=180, milliseconds=1), False),
    ):
        written = until.strftime("%Y-%m-%dT%H:%M:%S.") + f"{until.microsecond // 1000:03d}Z"
        expected = [] if right else ["E_RETAIN_UNTIL $.retain_until"]
        assert faults("route_alert", small_body("route_alert") | {"retain_until": written}) == expected


def test_clear_travels_in_system_messages_only() -> None:
    body = small_body("route_alert") | {"tlp": "CLEAR"}
    assert faults("route_alert", body, status="system") == []
    for status in ("actual", "exercise", "test"):
        assert faults("route_alert", body, status=status) == ["E_TLP_CLEAR $.tlp"]


@pytest.mark.parametrize(
    ("kind", "urgency", "hours"),
    [
        ("route_alert", "immediate", 1),
        ("route_alert", "expected", 12),
        ("route_alert", "future", 24),
        ("alert_update", "immediate", 1),
        ("alert_update", "expected", 12),
        ("alert_update", "unknown", 24),
        ("alert_cancel", "immediate", 24),
        ("alert_cancel", "past", 24),
    ],
)
def test_an_officer_has_the_vocabularys_hours_to_acknowledge(kind: str, urgency: str, hours: int) -> None:
    assert acknowledge_within(kind, urgency) == timedelta(hours=hours)


def test_an_acknowledgement_and_a_receipt_need_no_answer() -> None:
    assert acknowledge_within("acknowledgement", "immediate") is None
    assert acknowledge_within("receipt", "immediate") is None


def test_a_body_with_tens_of_thousands_of_faults_is_refused_with_the_first_hundreds() -> None:
    body = full_body("route_alert") | {"legs": [1] * 40_000, "acts": ["receipt"] * 40_000}
    found = faults("route_alert", body)
    assert 100 <= len(found) <= 300
    assert found[0] == "E_TYPE $.legs[0]"
