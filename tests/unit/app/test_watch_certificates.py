"""The log tells of a certificate that was not renewed: once for each step, louder as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from bridge.app.watch_certificates import WatchCertificates
from bridge.core.certificates import CertificateTimes

BEGINS = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LIFE = timedelta(days=90)


@dataclass
class Days:
    """A clock that says how many days are left, and the certificates of that day."""

    moment: datetime = BEGINS
    held: list[CertificateTimes] = field(default_factory=lambda: [CertificateTimes("rs-relay", BEGINS, BEGINS + LIFE)])

    def now(self) -> datetime:
        return self.moment


async def test_each_step_is_told_once_and_louder() -> None:
    days, told = Days(), []
    watching = WatchCertificates(lambda: days.held, days)

    for hours in range(92 * 24):
        days.moment = BEGINS + timedelta(hours=hours)
        with capture_logs() as lines:
            await watching.watch()
        told += [(90 - hours // 24, line["log_level"], line["event"]) for line in lines]

    assert told == [
        (60, "info", "certificate.ends_soon"),
        (30, "warning", "certificate.ends_soon"),
        (14, "error", "certificate.ends_soon"),
        (7, "error", "certificate.ends_soon"),
        (1, "error", "certificate.ends_soon"),
        (0, "error", "certificate.ended"),
    ]


async def test_a_renewed_certificate_is_not_spoken_of() -> None:
    days = Days(moment=BEGINS + timedelta(days=70))
    watching = WatchCertificates(lambda: days.held, days)
    await watching.watch()

    days.held = [CertificateTimes("rs-relay", days.moment, days.moment + LIFE)]
    with capture_logs() as lines:
        await watching.watch()

    assert lines == []
