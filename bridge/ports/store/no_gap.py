"""The proof of no gap at the store: what is missing and was asked for, what was asked of us, and which peers are heard.

Numbers are those of the wire format's `seq`: of one sender towards one recipient, in one epoch and lane.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

Pair = tuple[str, str]  # (a contact point of ours, its peer)


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one stream, both ends included."""

    recipient: str
    sender: str
    epoch: int
    lane: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many numbers there are in it; none where the ends are crossed."""
        return max(0, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class MissingRange(NumberRange):
    """Numbers that did not come, and how often their sender was asked for them."""

    missed_at: datetime
    asked: int = 0
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoidNumber:
    """A number whose message cannot be sent again, and why (`E_...`)."""

    recipient: str
    sender: str
    epoch: int
    lane: str
    number: int
    code: str


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A number that a recipient asked us for: the message is on its way again, or a code says why it cannot be."""

    sender: str
    recipient: str
    epoch: int
    lane: str
    number: int
    message_id: str | None
    code: str | None
    times: int
    asked_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class SentCopy:
    """A message as it was sent under one number, if that is known: what its next publish needs."""

    number: int | None
    message_id: str
    kind: str
    sent: datetime
    wire_bytes: bytes


class Published(NamedTuple):
    """A publish in the order of publishes; empty names stand for a moment before all publishes of that moment."""

    sent_at: datetime
    message_id: str = ""
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A message that was published and for which no receipt has come; its publish goes to a whole country."""

    sender: str
    recipient: str
    lane: str
    sent_at: datetime
    copy: SentCopy

    @property
    def published(self) -> Published:
        """Its place in the order of publishes."""
        return Published(self.sent_at, self.copy.message_id, self.recipient)


@dataclass(frozen=True, slots=True)
class PeerSeen:
    """What a contact point knows of a peer: the newest signed time heard from it, and when we sent our heartbeat.

    `heard_at` is when we first wrote to it where nothing ever came: from then on its silence counts. `was_heard` tells.
    """

    heard_at: datetime | None
    heartbeat_at: datetime | None
    was_heard: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Counters:
    """One sender's numbers of one epoch: (recipient, lane) -> (first, last)."""

    epoch: int
    used: Mapping[tuple[str, str], tuple[int, int]]


class Gaps(Protocol):
    """The numbers that our contact points are missing."""

    async def note_used(self, ranges: Sequence[NumberRange], at: datetime) -> Sequence[NumberRange]:
        """A sender says that it has used these: those that never came are missing from now on.

        Answers those that are not heeded: a sender may name a bounded number of streams that nothing ever came in.
        """
        ...

    async def void(self, numbers: Sequence[VoidNumber]) -> Sequence[VoidNumber]:
        """A sender says that these never come: answers those that were missing and asked for, which now are not."""
        ...

    async def due(self, contact_points: Collection[str], now: datetime, *, limit: int) -> Sequence[MissingRange]:
        """What these contact points are to ask for now: at most `limit` ranges of each sender, the least asked first.

        A number is due 1, 10 and 60 minutes after it was missed, and every six hours from then on.
        """
        ...

    async def outstanding(self, contact_points: Collection[str]) -> Mapping[Pair, int]:
        """(recipient, sender) -> how many numbers were asked for and have not come."""
        ...

    async def mark_asked(self, ranges: Sequence[MissingRange], at: datetime) -> None:
        """Notes that they were asked for; a range that begins like a longer one in the store is cut off from it."""
        ...

    async def named(self, *, older_than: datetime, limit: int) -> Sequence[MissingRange]:
        """The ranges first missed before a moment, the longest missed first.

        At most `limit`, but one of each recipient, sender and lane in any case: nobody's numbers hide another's.
        """
        ...

    async def counted(self, *, older_than: datetime) -> Mapping[Pair, int]:
        """(recipient, sender) -> how many numbers were first missed before a moment."""
        ...


class AskedAgainBook(Protocol):
    """What recipients asked us for again, and what became of it."""

    async def noted(self, key: NumberRange, numbers: Sequence[int]) -> Mapping[int, datetime | None]:
        """Those of the numbers that are noted, with when they were answered last; `key` names their stream."""
        ...

    async def find_sent(self, key: NumberRange, numbers: Sequence[int]) -> Sequence[SentCopy]:
        """What the ledger has under these numbers."""
        ...

    async def unanswered(
        self, senders: Collection[str], *, after: Published, before: datetime, limit: int
    ) -> Sequence[Unanswered]:
        """What was published after one publish and before a moment, and has no receipt though its recipient was heard.

        In the order of publishes.
        """
        ...

    async def still_waiting(self, message_ids: Sequence[str], *, country: str) -> Collection[str]:
        """Those of the messages whose publish towards a country is still to be made."""
        ...

    async def note(self, rows: Sequence[AskedAgain]) -> None:
        """Notes what was asked for and answered; asked for again, it counts one more time."""
        ...

    async def count(self, sender: str, recipient: str) -> int:
        """How many numbers of a pair are outstanding: noted and not settled."""
        ...

    async def settle(self, sender: str, receipts: Sequence[tuple[str, str]], at: datetime) -> None:
        """Receipts came for (message id, recipient): nothing is outstanding about them any more.

        They stay noted: a receipt must not make a number answerable again sooner.
        """
        ...

    async def list(self, senders: Collection[str], *, limit: int) -> Sequence[AskedAgain]:
        """What is outstanding, oldest first: at most `limit`, but one of each recipient, sender and lane at least."""
        ...

    async def forget(self, *, answered_before: datetime, settled_answered_before: datetime) -> None:
        """Drops what was answered before a moment; what is settled may have another one."""
        ...


class Peers(Protocol):
    """Whom our contact points exchange messages with, when they were heard, and what is said to them."""

    async def hear(self, contact_point: str, heard: Mapping[str, datetime]) -> None:
        """Notes the newest signed time of each peer; an older one changes nothing."""
        ...

    async def seen(self, contact_points: Collection[str]) -> Mapping[Pair, PeerSeen]:
        """What is known of every peer that was heard or written to."""
        ...

    async def exchanged(self, contact_points: Collection[str], *, now: datetime) -> Mapping[Pair, datetime]:
        """When each pair last exchanged a sealed message, in either direction, by the newest number of each stream.

        A received message whose id names a time in the future, beyond what clocks may differ, is no evidence.
        """
        ...

    async def counters(self, sender: str, recipients: Collection[str], *, epoch: int | None = None) -> Counters:
        """The numbers that a sender has used in an epoch, the present one when `None`."""
        ...

    async def countries_with_waiting_heartbeats(self, sender: str) -> Collection[str]:
        """Towards which countries a heartbeat of this sender is still to be published."""
        ...

    async def note_heartbeats(self, contact_point: str, peers: Sequence[str], at: datetime) -> None:
        """Notes our heartbeats; a peer that was never heard counts as heard now: from here on its silence counts."""
        ...

    async def forget_heartbeats(self, *, made_before: datetime) -> None:
        """Drops what was made before a moment, is settled, and is no evidence (`OutboxRow.is_kept`)."""
        ...

    async def take_turn(self) -> None:
        """Waits until no other process decides about heartbeats and alarms, and keeps that to the end."""
        ...
