"""How commands tell of certificates: as JSON, as a table, and as warnings of those that should have been renewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bridge.cli.output import table
from bridge.core.certificates import CertificateTimes
from bridge.core.times import format_time


def told(found: Sequence[CertificateTimes], now: datetime) -> list[dict[str, object]]:
    """Certificates as JSON has them."""
    return [
        {"name": one.name, "expires": format_time(one.ends), "days_left": one.days_left(now), "due": one.is_due(now)}
        for one in found
    ]


def as_table(found: Sequence[CertificateTimes], now: datetime) -> str:
    """Certificates as people read them."""
    return table(
        ("certificate of", "expires", "days left", ""),
        [(one.name, format_time(one.ends), one.days_left(now), _verdict(one, now)) for one in found],
    )


def _verdict(certificate: CertificateTimes, now: datetime) -> str:
    if certificate.has_ended(now):
        return "ENDED"
    return "to be renewed" if certificate.is_due(now) else ""


def warnings(found: Sequence[CertificateTimes], now: datetime) -> Iterator[str]:
    """Those that are due or have ended; one that ended long ago is missed by nobody."""
    for one in found:
        if one.was_given_up(now):
            continue
        if one.has_ended(now):
            yield f"the certificate of {one.name} ended on {format_time(one.ends)}; no new connection of it is let in"
        elif one.is_due(now):
            left = f"ends in {one.days_left(now)} days, on {format_time(one.ends)}"
            yield f"the certificate of {one.name} {left}; `node certificates` renews it"
