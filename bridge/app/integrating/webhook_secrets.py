"""What a webhook shares with us: sealed with the storage key of its contact point; two for a day after a rotation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.core.times import format_time, parse_time
from bridge.core.webhook_signing import key_of, new_secret
from bridge.ports.vault import BodyAtRest, BodyVault

OVERLAP: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The newest, and the one before as long as it counts."""

    newest: str = field(repr=False)
    before: str | None = field(default=None, repr=False)
    before_until: datetime | None = None

    def keys(self, now: datetime) -> Sequence[bytes]:
        """What signs now, the newest first."""
        both = self.before is not None and self.before_until is not None and now < self.before_until
        return [key_of(secret) for secret in (self.newest, self.before if both else None) if secret is not None]

    def rotated(self, now: datetime) -> Secrets:
        """With a fresh one; the newest until now signs beside it for a day."""
        return Secrets(new_secret(), self.newest, now + OVERLAP)


def seal_secrets(vault: BodyVault, contact_point: str, webhook_id: str, secrets: Secrets) -> BodyAtRest:
    """As they are stored."""
    until = format_time(secrets.before_until) if secrets.before_until else None
    stored = json.dumps({"newest": secrets.newest, "before": secrets.before, "before_until": until})
    return vault.put(contact_point, stored.encode(), context=_context(webhook_id))


def open_secrets(vault: BodyVault, contact_point: str, webhook_id: str, sealed: BodyAtRest) -> Secrets:
    """As they sign.

    Raises:
        UnavailableError: `E_BODY_AT_REST`, `E_KEY_FILE`.
    """
    stored = json.loads(vault.get(contact_point, sealed, context=_context(webhook_id)))
    until = stored["before_until"]
    return Secrets(stored["newest"], stored["before"], parse_time(until) if until else None)


def _context(webhook_id: str) -> str:
    return f"webhook {webhook_id}"
