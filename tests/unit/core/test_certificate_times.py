"""When a certificate is due, and when people are warned that it was not renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.app.checks.check_certificates import check_certificates
from bridge.core.certificates import CertificateTimes

ENDS = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)


def living(days: float, name: str = "rs-relay") -> CertificateTimes:
    return CertificateTimes(name, ENDS - timedelta(days=days), ENDS)


def left(days: float) -> datetime:
    return ENDS - timedelta(days=days)


@pytest.mark.parametrize(
    ("days_left", "warning"),
    [(90, None), (60.01, None), (60, 60), (31, 60), (30, 30), (14, 14), (7.5, 14), (7, 7), (1, 1), (0.1, 1), (-1, 1)],
)
def test_one_of_ninety_days_warns_at_sixty_thirty_fourteen_seven_and_one(days_left: float, warning: int | None) -> None:
    assert living(90).warning(left(days_left)) == warning


@pytest.mark.parametrize(("life", "first"), [(90, 60), (60, 30), (30, 14), (21, 14), (20, 7), (7, 1), (1, None)])
def test_no_warning_stands_in_the_first_third_of_a_life(life: int, first: int | None) -> None:
    certificate = living(life)
    moments = (left(hours / 24) for hours in range(life * 24, 0, -1))

    assert next((found for moment in moments if (found := certificate.warning(moment))), None) == first
    assert certificate.warning(left(life * 0.99)) is None


def test_it_is_due_when_a_third_is_left() -> None:
    assert not living(90).is_due(left(30.1))
    assert living(90).is_due(left(30))


@pytest.mark.parametrize(
    ("days_left", "verdict"),
    [
        (59, (True, "ok")),
        (30, (True, "certificate_ends_soon")),
        (15, (True, "certificate_ends_soon")),
        (14, (False, "certificate_ends_soon")),
        (1, (False, "certificate_ends_soon")),
        (0, (False, "certificate_ended")),
    ],
)
def test_status_names_what_is_due_and_fails_when_it_was_due_long_ago(
    days_left: float, verdict: tuple[bool, str]
) -> None:
    fresh = CertificateTimes("rs-router", ENDS, ENDS + timedelta(days=90))

    check = check_certificates([living(90), fresh], now=left(days_left))

    assert (check.ok, check.state) == verdict
    assert ("rs-relay on 2026-12-31T12:00:00.000Z" in check.detail) == (verdict[1] != "ok")
    assert "rs-router" not in check.detail
