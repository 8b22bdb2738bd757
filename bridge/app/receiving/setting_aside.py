"""A message that this program itself fails on, in a way nobody foresaw, is quarantined in the end.

Otherwise it would go round for ever: after a thousand deliveries the broker makes a dead letter of what is not
acknowledged, and dead letters take the ordinary path again. Nothing of it is lost; `quarantine replay` judges it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.app.receiving.refusing import quarantine, refusal_of, refused_entry
from bridge.core.errors import VerificationError
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store

NO_STEP: Final = 0  # it is not known how far the procedure came


@dataclass(frozen=True, slots=True)
class SetAside:
    """Quarantines for a contact point, or for the router where `contact_point` is `None`."""

    store: Store
    clock: Clock
    ids: Ids
    contact_point: str | None

    async def keep(self, delivery: Delivery, error: Exception) -> None:
        """When it returns, the delivery may be acknowledged to the broker.

        Raises:
            UnavailableError: the database cannot be reached.
        """
        at, detail = self.clock.now(), f"{type(error).__name__} in this program, again and again; see the log"
        fault = VerificationError(NO_STEP, "E_INTERNAL", detail)
        refusal = refusal_of(delivery, fault, contact_point=self.contact_point, at=at, ids=self.ids)
        async with self.store.writing() as unit:
            new = await quarantine(unit, [refusal])
            if new and self.contact_point is not None:
                await unit.audit.add([refused_entry(refusal, contact_point=self.contact_point, at=at)])
