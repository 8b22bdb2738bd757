"""Destroys entries of the quarantine with their bytes. What remains is who destroyed what, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.app.quarantine.picking import BATCH, Done, Fate, Progress, is_gone
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry, Quarantined


@dataclass(frozen=True, slots=True)
class DropQuarantine:
    """Drops in batches, each with its audit entries in one transaction."""

    store: Store
    clock: Clock

    async def drop(
        self, items: Sequence[Quarantined], *, actor: str, why: str | None, progress: Progress
    ) -> Sequence[Done]:
        """Destroys each; answers what became of each, in the items' order.

        Raises:
            UnavailableError: the database cannot be reached; what was dropped until then is gone.
        """
        dropped: set[str] = set()
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            async with self.store.writing() as unit:
                taken = await unit.refusals.take_out([item.id for item in batch])
                await unit.audit.add([self._entry(one, actor, why) for one in taken])
            dropped |= {one.id for one in taken}
            progress(len(batch))
        return [Done(item.id, Fate.DROPPED, item.code) if item.id in dropped else is_gone(item) for item in items]

    def _entry(self, item: Quarantined, actor: str, why: str | None) -> AuditEntry:
        detail = {
            "code": item.code,
            "step": str(item.step),
            "sha256": item.sha256,
            "size": str(item.size),
            "seen": str(item.seen),
            "queue": item.queue,
        }
        detail |= {"why": why} if why else {}
        return AuditEntry(self.clock.now(), actor, "quarantine.dropped", item.contact_point, item.id, detail)
