"""What is missing is asked for: one signed request for each sender, epoch and lane, again and again until it came.

Promises:
1. A number is asked for 1, 10 and 60 minutes after it was missed, and every six hours from then on, for as long as its
   sender has not sent it or said that it never comes.
2. A request names at most 1,000 numbers. Of a longer range more is asked for as what was asked for comes in, and a
   sender that claims to have used all numbers there are makes us ask for a few thousand of them.
3. At the second request, ten minutes after a number was missed, there is one alarm for it: log and audit.

It does not wait for answers: they are ordinary messages.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog

from bridge.app.keys.choosing import signer_if_any
from bridge.app.no_gap.peer_controls import PeerControls, can_reach
from bridge.core.messages.control import MAX_NUMBERS
from bridge.core.number_ranges import in_words
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.no_gap import MissingRange, Pair
from bridge.ports.store.records import AuditEntry, OutboxRow
from bridge.ports.trust import TrustSource

GAP_ENTRY: Final = "sequence.gap"
# Of ranges longer than a request holds: no more is cut off while so many of a sender's numbers are asked for in vain.
MOST_OUTSTANDING: Final = 5 * MAX_NUMBERS
REQUESTS_OF_A_PAIR: Final = 5  # at a time
RANGES_OF_A_PAIR: Final = 1000  # at a time
_ALARMED_AFTER: Final = 1  # request

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskForMissing:
    """Asks for the contact points of one node."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids

    async def ask(self) -> int:
        """Asks for everything that is due; answers how many requests it put into the outbox.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        now = self.clock.now()
        async with self.store.reading() as unit:
            if not await unit.gaps.due(self.desks, now, limit=1):
                return 0
        async with self.store.writing() as unit:
            await unit.peers.take_turn()
            due = await unit.gaps.due(self.desks, now, limit=RANGES_OF_A_PAIR)
            requests = _plan(due, await unit.gaps.outstanding(self.desks))
            await self._ask(unit, requests, now)
            await self._alarm(unit, requests, now)
            await unit.gaps.mark_asked([one for request in requests for one in request.ranges], now)
        return len(requests)

    async def _ask(self, unit: UnitOfWork, requests: Sequence[_Request], now: datetime) -> None:
        """Whoever is not to be reached is asked in vain: the alarm is the same, and the next time is the same.

        So it is while no key of ours can sign.
        """
        directory = self.trust.current()
        rows: list[OutboxRow] = []
        for request in requests:
            own, sender, epoch, lane = request.stream
            signer = signer_if_any(self.desks[own], directory, at=now)
            if signer is not None and can_reach(directory, own, sender):
                controls = PeerControls(own, signer, directory, now, self.ids)
                rows.append(controls.resend_request(sender, epoch=epoch, lane=lane, numbers=request.numbers))
        if rows:
            await unit.outbox.add(rows)

    async def _alarm(self, unit: UnitOfWork, requests: Sequence[_Request], now: datetime) -> None:
        entries = []
        for request in requests:
            alarming = [(one.first, one.last) for one in request.ranges if one.asked == _ALARMED_AFTER]
            if not alarming:
                continue
            own, sender, epoch, lane = request.stream
            detail = {"from": sender, "epoch": str(epoch), "lane": lane, "numbers": in_words(alarming)}
            _log.warning(GAP_ENTRY, contact_point=own, **detail)
            entries.append(AuditEntry(now, own, GAP_ENTRY, own, own, detail))
        if entries:
            await unit.audit.add(entries)


@dataclass(slots=True)
class _Request:
    """What one request asks for: at most `MAX_NUMBERS` numbers of one stream (recipient, sender, epoch, lane)."""

    stream: tuple[str, str, int, str]
    ranges: list[MissingRange] = field(default_factory=list)

    @property
    def room(self) -> int:
        return MAX_NUMBERS - sum(one.count for one in self.ranges)

    @property
    def numbers(self) -> list[int]:
        return [number for one in self.ranges for number in range(one.first, one.last + 1)]


def _plan(due: Sequence[MissingRange], outstanding: Mapping[Pair, int]) -> list[_Request]:
    """The requests for what is due, in its order; a range that does not fit any more waits for the next time."""
    requests: dict[tuple[str, str, int, str], _Request] = {}
    asked = Counter(outstanding)
    of_pair: dict[Pair, int] = defaultdict(int)
    for one in due:
        pair, stream = (one.recipient, one.sender), (one.recipient, one.sender, one.epoch, one.lane)
        request = requests.get(stream)
        if request is None and of_pair[pair] == REQUESTS_OF_A_PAIR:
            continue
        room = MAX_NUMBERS if request is None else request.room
        part = one
        if one.count > MAX_NUMBERS:
            if request is not None or asked[pair] >= MOST_OUTSTANDING:
                continue
            part = replace(one, last=one.first + MAX_NUMBERS - 1)
        if part.count > room:
            continue
        if not one.asked:
            asked[pair] += part.count
        if request is None:
            request = requests[stream] = _Request(stream)
            of_pair[pair] += 1
        request.ranges.append(part)
    return list(requests.values())
