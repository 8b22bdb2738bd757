"""Tells the log, once for each step, that a certificate ends soon and was not renewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bridge.core.certificates import CertificateTimes
from bridge.core.times import format_time
from bridge.ports.clock import Clock

_log = structlog.get_logger()


class WatchCertificates:
    """Remembers what was told: the same certificate at 60, 30, 14, 7 and 1 days, and when it has ended.

    Args:
        read: the certificates in use.
    """

    def __init__(self, read: Callable[[], Sequence[CertificateTimes]], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._told: dict[str, tuple[datetime, int | None, bool]] = {}

    async def watch(self) -> None:
        """Looks once.

        Raises:
            UnavailableError: a certificate cannot be read.
        """
        now = self._clock.now()
        for certificate in self._read():
            found = (certificate.ends, certificate.warning(now), certificate.has_ended(now))
            if self._told.get(certificate.name) != found:
                self._told[certificate.name] = found
                _tell(certificate, now)


def _tell(certificate: CertificateTimes, now: datetime) -> None:
    """Before it is due, its successor is nobody's neglect."""
    account, ends = certificate.name, format_time(certificate.ends)
    if certificate.has_ended(now):
        _log.error("certificate.ended", account=account, detail=f"ended on {ends}: no new connection is let in")
    elif (days := certificate.warning(now)) is not None:
        tell = _log.error if certificate.is_alarming(now) else _log.warning if certificate.is_due(now) else _log.info
        tell("certificate.ends_soon", account=account, detail=f"in {days} days or less, on {ends}")
