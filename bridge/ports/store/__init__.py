"""The store: one transaction is one unit of work, and everything in it becomes true together or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from bridge.ports.store.accounts import Accounts
from bridge.ports.store.audit_seals import AuditSeals
from bridge.ports.store.corridors import Corridors
from bridge.ports.store.deadlines import Deadlines
from bridge.ports.store.desk import DeskBook
from bridge.ports.store.drafts import Drafts
from bridge.ports.store.exposures import Exposures
from bridge.ports.store.handovers import Handovers
from bridge.ports.store.happenings import Happenings
from bridge.ports.store.no_gap import AskedAgainBook, Gaps, Peers
from bridge.ports.store.notices import Notices
from bridge.ports.store.operations import Operations
from bridge.ports.store.records import (
    AuditEntry,
    InboxItem,
    OutboxRow,
    OutgoingMessage,
    ReceiptRow,
    Replay,
    SequenceUse,
    Undelivered,
    UndeliveredCount,
    Waiting,
)
from bridge.ports.store.refusals import Refusals as Refusals
from bridge.ports.store.search import SearchIndex
from bridge.ports.store.sent_alerts import SentAlerts
from bridge.ports.store.signatures import Signatures
from bridge.ports.store.systems import Systems
from bridge.ports.store.webhooks import Webhooks

MessageKey = tuple[str, str]  # (sender, message id): what identifies a message


class Ledger(Protocol):
    """The messages that we sent, and what became of them at each recipient."""

    async def next_numbers(self, sender: str, recipients: Sequence[str], *, lane: str) -> tuple[int, Mapping[str, int]]:
        """Takes the next number towards each recipient; answers (epoch, recipient -> number).

        A counter starts at a random number (wire-format: `seq`).
        """
        ...

    async def add(self, message: OutgoingMessage) -> None:
        """Stores a message with its recipients."""
        ...

    async def get(self, message_id: str) -> OutgoingMessage | None:
        """A message we sent, with its recipients."""
        ...

    async def list(self, *, sender: str | None = None, limit: int = 200) -> Sequence[OutgoingMessage]:
        """The newest first; bodies (`body` is `None`) and wire bytes (empty) are left out."""
        ...

    async def recipients_of_thread(self, thread: str, *, sender: str) -> Sequence[str]:
        """Everybody to whom this sender sent any message of the thread, sorted."""
        ...

    async def mark_sent(self, publishes: Sequence[tuple[str, str]], at: datetime) -> None:
        """The broker confirmed these publishes (message id, country prefix): `pending` recipients become `sent`."""
        ...

    async def mark_uncertain(self, publishes: Sequence[tuple[str, str]]) -> None:
        """A broker may have taken these publishes: `pending` recipients have `PUBLISH_UNKNOWN` until more is known."""
        ...

    async def mark_expired(self, publishes: Sequence[tuple[str, str]]) -> None:
        """These publishes (message id, country prefix) were given up: `pending` recipients become `expired`."""
        ...

    async def mark_stopped(self, stopped: Sequence[tuple[str, str, str]]) -> None:
        """(message id, recipient, code): given up like an expired one where it is `pending`.

        Where it has `PUBLISH_UNKNOWN` it keeps that.
        """
        ...

    async def digests_sent(
        self, keys: Sequence[tuple[str, str]], *, sender: str
    ) -> Mapping[tuple[str, str], tuple[str, str]]:
        """(message id, recipient) -> (payload_sha256, sealed_sha256), for what `sender` really sent there."""
        ...

    async def add_receipts(self, receipts: Sequence[ReceiptRow]) -> None:
        """Stores verified receipts and moves the recipients' states; a repeated receipt changes nothing."""
        ...

    async def mark_acknowledged(self, message_id: str, recipient: str, *, level: str, at: datetime) -> None:
        """A person at the recipient answered; the first answer's time and the last answer's level are kept."""
        ...

    async def undelivered(
        self, *, expires_after: datetime, sent_before: datetime, limit: int
    ) -> tuple[Sequence[UndeliveredCount], Sequence[Undelivered]]:
        """What recipients have not got, of all messages that expire after a moment.

        Expired and rejected ones always, others when they were sent before a moment. Counts by recipient and state, and
        the first `limit` of them, immediate ones before others, older before newer.
        """
        ...

    async def erase_bodies(self, message_ids: Sequence[str]) -> int:
        """Destroys the data keys and ciphertexts of our own copies; answers how many there were. Wire bytes stay."""
        ...


class Outbox(Protocol):
    """Publishes to be made, leased to one relay at a time."""

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """Stores the rows, due at once."""
        ...

    async def claim(
        self, relay: str, *, token: str, now: datetime, lease_seconds: float, limit: int, lane: str | None = None
    ) -> Sequence[OutboxRow]:
        """Leases due rows, of one lane or urgent before normal, oldest first within a lane.

        What has failed before takes at most half of a claim while something else is due.
        """
        ...

    async def first_due(self, relay: str, *, now: datetime, lane: str | None = None) -> datetime | None:
        """When there is something to claim: `now`, or when the first of the waiting rows comes due.

        `None`: nothing waits.
        """
        ...

    async def renew(self, ids: Sequence[str], *, token: str, now: datetime, lease_seconds: float) -> int:
        """Prolongs a lease; answers how many rows it still owned."""
        ...

    async def release(self, ids: Sequence[str], *, token: str) -> int:
        """Gives rows back as they were, due at once; answers how many."""
        ...

    async def mark_sent(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Marks rows that this lease still owns; answers how many."""
        ...

    async def mark_failed(self, ids: Sequence[str], *, token: str, next_attempt_at: datetime, error: str) -> int:
        """Gives rows back to be tried again later; answers how many."""
        ...

    async def hasten(
        self, relay: str, places: Collection[tuple[str, str]], *, error: str, now: datetime, limit: int
    ) -> int:
        """Makes rows to these places (country, lane) that wait after this error due now; answers how many.

        At most `limit` of each place, those first whose turn is next.
        """
        ...

    async def mark_expired(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Gives up rows that this lease still owns; they wait no longer. Answers how many."""
        ...

    async def waiting_ids(self, relay: str, *, now: datetime) -> Sequence[str]:
        """The rows that wait, due or not, and are leased by nobody."""
        ...

    async def waiting_rows(self, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Those of these rows that still wait."""
        ...

    async def withdraw(self, ids: Sequence[str], now: datetime) -> None:
        """Settles rows that still wait, leased or not, without a publish."""
        ...

    async def backlog(self, relay: str) -> tuple[int, datetime | None]:
        """How many rows wait, and when the oldest was made."""
        ...

    async def waiting(self) -> Sequence[Waiting]:
        """What waits, counted by where it is to go and by its last error."""
        ...


class Inbox(Protocol):
    """What contact points of this node received."""

    async def begin_receiving(self, contact_point: str) -> None:
        """Waits for its turn to receive for a contact point, and keeps it until the unit of work ends.

        Between looking a message up (`replays`) and storing it, no other process may do the same: one id with two
        payloads would be accepted twice.
        """
        ...

    async def replays(self, contact_point: str, keys: Sequence[MessageKey]) -> Mapping[MessageKey, Replay]:
        """What is known of these messages."""
        ...

    async def remember(self, contact_point: str, replays: Mapping[MessageKey, Replay]) -> None:
        """Adds or replaces what is known of these messages."""
        ...

    async def originators(self, contact_point: str, threads: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Thread -> the senders, known here, of the message that gave it its name (received or sent).

        Usually one. Several when two senders used that id; none, and no entry, when no such message is known.
        """
        ...

    async def use_numbers(self, uses: Sequence[SequenceUse], at: datetime) -> Sequence[SequenceUse]:
        """Notes used numbers, opens and closes gaps; answers the uses whose number another message had used."""
        ...

    async def gaps(self, *, older_than: datetime) -> Sequence[tuple[str, str, int, str, int]]:
        """Missing numbers first missed before a moment: (recipient, sender, epoch, lane, number).

        The longest missed first, and a bounded list of them.
        """
        ...

    async def add(self, items: Sequence[InboxItem]) -> None:
        """Stores received messages with their exact wire bytes.

        One that is there already stays as it is, except that a message replaces the stub of an expired one.
        """
        ...

    async def get(self, message_id: str, *, contact_point: str | None = None) -> Sequence[InboxItem]:
        """The items with this message id, one per contact point of the node that received it."""
        ...

    async def list(
        self, *, contact_point: str | None = None, state: str | None = None, after: str | None = None, limit: int = 200
    ) -> Sequence[InboxItem]:
        """Oldest first by arrival; `after` continues behind an item's `cursor`. No bodies.

        Raises:
            BadInputError: `E_CURSOR`, there is no such item.
        """
        ...

    async def newest(self, contact_point: str | None) -> str | None:
        """The cursor of the item that arrived last, or `None` when there is none."""
        ...

    async def set_state(self, contact_point: str, message_id: str, state: str, *, sender: str | None = None) -> None:
        """Moves an item on: `new` to `read`, either to `acknowledged`; never back.

        `sender` tells two senders apart that used one id; without it both items move.
        """
        ...

    async def erase_bodies(self, contact_point: str, keys: Sequence[MessageKey]) -> int:
        """Destroys data keys and ciphertexts; the items stay. Answers how many bodies there were. Wire bytes stay."""
        ...


class AuditLog(Protocol):
    """Append-only (Directive (EU) 2016/680 Art. 25)."""

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Appends entries, unchained; a sealer chains them later."""
        ...

    async def list(
        self, *, subject: str | None = None, action: str | None = None, limit: int = 200
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        ...

    async def page(
        self, *, subject: str | None, action: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditEntry]]:
        """Newest first, each with its place in the log; those in front of a place."""
        ...


class UnitOfWork(Protocol):
    """One transaction; leaving its context commits, an exception rolls back."""

    ledger: Ledger
    outbox: Outbox
    inbox: Inbox
    refusals: Refusals
    audit: AuditLog
    audit_seals: AuditSeals
    gaps: Gaps
    asked_again: AskedAgainBook
    peers: Peers
    signatures: Signatures
    exposures: Exposures
    accounts: Accounts
    deadlines: Deadlines
    happenings: Happenings
    notices: Notices
    handovers: Handovers
    drafts: Drafts
    sent_alerts: SentAlerts
    desk: DeskBook
    search: SearchIndex
    corridors: Corridors
    operations: Operations
    systems: Systems
    webhooks: Webhooks


class Store(Protocol):
    """Opens units of work. Failures of the database are `UnavailableError`."""

    def writing(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that may write (SQLite: BEGIN IMMEDIATE)."""
        ...

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that only reads."""
        ...

    def mark(self) -> object:
        """Equal to the mark before as long as nobody, in whatever process, has committed a change; costs nothing.

        Where a database cannot tell, time that passes counts as a change.
        """
        ...
