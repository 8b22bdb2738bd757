"""What the client answers with: frozen records, times in aware UTC, digests in base64url."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipient:
    """A contact point that would receive an alert, with the rule that chose it and why in a sentence."""

    id: str
    country: str
    roles: tuple[str, ...]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would receive an alert.

    Attributes:
        recipients: who would.
        excluded: contact point -> why it would not.
        unreachable: countries of the route in which nobody can receive it.
        warnings: places that look like personal data, each in a sentence that begins with the field's path.
    """

    recipients: tuple[Recipient, ...]
    excluded: Mapping[str, str]
    unreachable: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message that was stored, and that the running services deliver."""

    id: str
    thread: str
    recipients: tuple[str, ...]
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class RecipientState:
    """What became of a message at one recipient.

    Attributes:
        state: `pending`, `sent`, `expired`, `delivered` (a verified receipt) or `rejected` (with its `code`).
        level: of a person's answer: `accepted`, `not_competent`, ...
    """

    id: str
    state: str
    sent_at: datetime | None
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    level: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A message that arrived: what its envelope says, nothing of what is sealed.

    Attributes:
        cursor: where `Client.inbox` goes on behind this item; keep it once the item is dealt with.
        state: `new`, `read`, `acknowledged`, or `expired`: it came too late, ask the sender.
        acknowledge_by: when an officer's answer is due; `None` where none is.
        of, of_from: which message of whom it answers.
    """

    cursor: str
    id: str
    sender: str
    contact_point: str
    kind: str
    status: str
    urgency: str
    thread: str | None
    received_at: datetime
    state: str
    acknowledge_by: datetime | None
    of: str | None
    of_from: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was opened: `envelope` is the signed payload, `body` what was sealed, both as they came."""

    item: InboxItem
    envelope: Mapping[str, Any]
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the numbered procedure says of a message.

    Attributes:
        step: the last one done, or the one that failed with `code`.
        skipped: steps for which nothing was given to judge by.
    """

    ok: bool
    step: int
    code: str | None
    detail: str
    skipped: tuple[int, ...]
