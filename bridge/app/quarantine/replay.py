"""Verifies again, from the first byte and by today's list and clock, what was refused: by whoever refused it.

What is accepted leaves the quarantine in the transaction in which it is stored; what is refused again stays, under its
newest code; what can only be judged later is held. A batch that is cut off by a crash is in quarantine as before, or
done: doing it again is absorbed like everything that arrives twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from bridge.app.quarantine.picking import CAME_WITHOUT_BYTES, Done, Fate, Progress, batches, is_gone
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.app.receiving.refusing import Replayed, delivery_of
from bridge.app.receiving.route_message import RouteMessages
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import Quarantined

_FATES: Final = {
    Outcome.ACCEPTED: Fate.ACCEPTED,
    Outcome.DUPLICATE: Fate.DUPLICATE,
    Outcome.HELD: Fate.HELD,
    Outcome.QUARANTINED: Fate.REFUSED,
}

_log = structlog.get_logger()


class _Judge(Protocol):
    def __call__(self, batch: Sequence[Delivery], *, replayed: Replayed) -> Awaitable[list[Outcome]]: ...


@dataclass(frozen=True, slots=True)
class ReplayQuarantine:
    """Hands entries back to whoever refused them: a contact point of this node, or its router.

    Attributes:
        router: `None` where nothing that the router refused is to be replayed; it needs the broker.
    """

    store: Store
    clock: Clock
    receivers: Mapping[str, ReceiveMessages]
    router: RouteMessages | None

    async def replay(self, items: Sequence[Quarantined], *, actor: str, progress: Progress) -> Sequence[Done]:
        """Verifies each again, in the order in which they came; answers what became of each, in the items' order.

        Raises:
            UnavailableError: database or broker cannot be reached; what was done until then is done.
        """
        judges: dict[str | None, _Judge] = {holder: receiver.receive for holder, receiver in self.receivers.items()}
        if self.router is not None:
            judges[None] = self.router.route  # last: it needs the broker, which may be away
        done = {item.id: _impossible(item, judges) for item in items}
        progress(sum(one is not None for one in done.values()))
        for holder, judge in judges.items():
            mine = [item for item in items if item.contact_point == holder and done[item.id] is None]
            for batch in batches(mine):
                done |= {one.id: one for one in await self._judge_batch(judge, batch, actor)}
                progress(len(batch))
        return [one for one in done.values() if one is not None]

    async def _judge_batch(self, judge: _Judge, batch: Sequence[Quarantined], actor: str) -> Sequence[Done]:
        async with self.store.reading() as unit:
            there = {one.id: one for one in await unit.refusals.with_bytes([item.id for item in batch])}
        gone = [is_gone(item) for item in batch if item.id not in there]
        return [*gone, *await self._hand_back(judge, list(there.values()), actor)]

    async def _hand_back(self, judge: _Judge, batch: Sequence[Quarantined], actor: str) -> Sequence[Done]:
        """One batch; a message whose judging fails for a reason nobody foresaw stays, and the others are judged."""
        if not batch:
            return []
        deliveries = [delivery_of(one, one.wire_bytes or b"") for one in batch]
        replayed = Replayed([one.id for one in batch], batch[0].contact_point, actor, self.clock.now())
        try:
            outcomes = await judge(deliveries, replayed=replayed)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep the others in quarantine
            if len(batch) == 1:
                _log.error("quarantine.fault", error=type(error).__name__, id=batch[0].id, queue=batch[0].queue)
                sentence = f"verifying it failed by a fault of this program: {type(error).__name__}"
                return [Done(batch[0].id, Fate.IMPOSSIBLE, "E_INTERNAL", sentence)]
            return [done for one in batch for done in await self._hand_back(judge, [one], actor)]
        async with self.store.reading() as unit:
            left = {one.id: one for one in await unit.refusals.pick(ids=[one.id for one in batch])}
        return [_done(one, outcome, left.get(one.id)) for one, outcome in zip(batch, outcomes, strict=True)]


def _impossible(item: Quarantined, judges: Mapping[str | None, _Judge]) -> Done | None:
    """Why an entry cannot be replayed here, if so."""
    if not item.has_bytes:
        return Done(item.id, Fate.IMPOSSIBLE, "E_NO_BYTES", f"{CAME_WITHOUT_BYTES}; its sender has to send it again")
    if item.contact_point not in judges:
        where = f"{item.contact_point} is not hosted here" if item.contact_point else "this node routes nothing"
        return Done(item.id, Fate.IMPOSSIBLE, "E_CONTACT_POINT", f"{where}, and only who refused it verifies it again")
    return None


def _done(before: Quarantined, outcome: Outcome, after: Quarantined | None) -> Done:
    """`after` is the entry now; what the router hands on to some may stay refused for others."""
    fate = _FATES[outcome]
    if after is not None:
        return Done(before.id, Fate.REFUSED, after.code, after.detail)
    if fate is Fate.ACCEPTED and before.contact_point is None:
        fate = Fate.HANDED_ON
    return Done(before.id, fate)
