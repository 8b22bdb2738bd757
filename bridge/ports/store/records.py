"""The rows that cross the store port, as frozen records. Times are aware UTC, digests are base64url text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.ports.vault import BodyAtRest

# A broker did not say whether it took a publish, so that a message which nobody got may have been in a queue after all.
PUBLISH_UNKNOWN: Final = "E_PUBLISH_UNKNOWN"


@dataclass(frozen=True, slots=True)
class OutgoingRecipient:
    """One recipient of a message we sent.

    `state` is `pending`, `sent`, `expired` (no broker confirmed it while it was worth delivering), `delivered` or
    `rejected`. A receipt replaces the first three; a later `delivered` replaces `rejected`, never the reverse. `epoch`
    and `number` are those that were signed for it: by them it asks for the message again. `code` says why it was not
    reached, refused or has not been heard of: `PUBLISH_UNKNOWN`, ... `reply_within_s` is within how many seconds of its
    delivery a person there is to answer; `None` where nobody is, or a program before 0003 sent it.
    """

    id: str
    country: str
    roles: tuple[str, ...]
    rule: str
    reason: str
    state: str = "pending"
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    level: str | None = None
    code: str | None = None
    epoch: int | None = None
    number: int | None = None
    reply_within_s: int | None = None


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message we made: the origin's side of the ledger. `wire_bytes` change only where a key counts no more."""

    id: str
    sender: str
    kind: str
    status: str
    urgency: str
    lane: str
    thread: str
    sent: datetime
    expires: datetime
    payload_sha256: str
    sealed_sha256: str
    wire_bytes: bytes
    body: BodyAtRest | None
    recipients: tuple[OutgoingRecipient, ...]
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One publish to be made: the same bytes go once to each destination country.

    `relay` is the service that publishes it: `publisher` (to `from.<cc>`) or `subscriber` (to `contact-points.<cc>`).
    What is not `is_kept` is no evidence of anything: once settled it is forgotten, bytes and all.
    """

    id: str
    relay: str
    exchange: str
    routing_key: str
    country: str
    lane: str
    kind: str
    sender: str
    message_id: str
    sent: datetime
    expires: datetime
    wire_bytes: bytes
    created_at: datetime
    attempts: int = 0
    last_error: str | None = None
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows of the outbox wait for one routing key after one last error, and when the oldest was made.

    `last_error` is a publish outcome, the code of an `UnavailableError`, or `None` where nobody has tried yet.
    """

    relay: str
    country: str
    routing_key: str
    lane: str
    last_error: str | None
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class UndeliveredCount:
    """How many messages a recipient has not got, by what became of them (`OutgoingRecipient.state`)."""

    recipient: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One message that one recipient has not got."""

    id: str
    recipient: str
    kind: str
    urgency: str
    sent: datetime
    expires: datetime
    state: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """What was known of (`sender`, `message_id`) at a contact point: the digest, the verdict, the last answer.

    `conflict_answered_at`: when another payload under the same id was last answered.
    """

    payload_sha256: str
    outcome: str
    answered_at: datetime
    conflict_answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SequenceUse:
    """One signed number that a verified sender used towards one of our contact points."""

    recipient: str
    sender: str
    epoch: int
    lane: str
    number: int
    message_id: str


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A verified, stored message at one contact point.

    `state` is `new`, `read` or `acknowledged`, or `expired` for a stub without a body. `acknowledge_by` is `None` for
    kinds that need no answer. What it replaces and what it answers are named by sender and id, because ids are unique
    per sender only.
    """

    contact_point: str
    id: str
    sender: str
    kind: str
    schema: str
    status: str
    urgency: str
    lane: str
    thread: str
    sent: datetime
    expires: datetime
    received_at: datetime
    acknowledge_by: datetime | None
    state: str
    payload_sha256: str
    sealed_sha256: str
    wire_bytes: bytes
    body: BodyAtRest | None
    supersedes: str | None = None
    supersedes_from: str | None = None
    of: str | None = None
    of_from: str | None = None

    @property
    def cursor(self) -> str:
        """Where a list continues behind this item. The sender belongs to it: ids are unique per sender only."""
        return cursor_of(self.contact_point, self.id, self.sender)


def cursor_of(contact_point: str, message_id: str, sender: str) -> str:
    """The cursor of an item, `<contact point>/<id>/<sender>`."""
    return f"{contact_point}/{message_id}/{sender}"


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A verified receipt at the origin. `state` is `delivered` or `rejected`."""

    message_id: str
    recipient: str
    receipt_id: str
    state: str
    code: str | None
    payload_sha256: str
    received_at: datetime
    wire_bytes: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that was refused, or cannot be judged yet, with why. `contact_point` is `None` for the router."""

    id: str
    code: str
    step: int
    detail: str
    at: datetime
    queue: str
    contact_point: str | None
    properties: Mapping[str, str | None]
    wire_bytes: bytes
    replays: int = 0

    @property
    def size(self) -> int:
        """The raw message's length in bytes."""
        return len(self.wire_bytes)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What is in quarantine: the first refusal of these bytes by this holder with this code, and how often it came.

    `wire_bytes` is `None` in a list, and where the quota was exhausted when it came (`has_bytes` tells); digest, size
    and properties are always there. `replays` counts how often it was verified again, `returned_at` is when its sender
    was last told by hand.
    """

    id: str
    code: str
    step: int
    detail: str
    at: datetime
    queue: str
    contact_point: str | None
    properties: Mapping[str, str | None]
    size: int
    sha256: str
    has_bytes: bool
    wire_bytes: bytes | None
    seen: int
    last_seen_at: datetime
    replays: int
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuarantineTotal:
    """How much room the quarantine takes, and how many entries came too late to keep their bytes."""

    kept_bytes: int = 0
    without_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which message, when. `detail` never holds body text."""

    at: datetime
    actor: str
    action: str
    contact_point: str | None
    subject: str | None
    detail: Mapping[str, str] = field(default_factory=dict)
