"""Whether the certificates for the broker are renewed in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.core.certificates import CertificateTimes
from bridge.core.times import format_time

NAME = "certificates"


def check_certificates(certificates: Sequence[CertificateTimes], *, now: datetime) -> Check:
    """Fails when one has ended, or ends within 14 days although it was due long before; names those that are due."""
    ended = [one for one in certificates if one.has_ended(now)]
    due = [one for one in certificates if one.is_due(now) and not one.has_ended(now)]
    parts = [f"{what}: {', '.join(map(_told, found))}" for what, found in (("ended", ended), ("due", due)) if found]
    first = min(certificates, key=lambda one: one.ends)
    detail = "; ".join(parts) if parts else f"{len(certificates)} in use, the first ends on {format_time(first.ends)}"
    if ended:
        return Check(NAME, ok=False, detail=detail, state=states.CERTIFICATE_ENDED)
    alarming = any(one.is_alarming(now) for one in certificates)
    return Check(NAME, ok=not alarming, detail=detail, state=states.CERTIFICATE_ENDS_SOON if due else "")


def _told(certificate: CertificateTimes) -> str:
    return f"{certificate.name} on {format_time(certificate.ends)}"
