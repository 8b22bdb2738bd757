"""The region's flows: how many alerts had a leg from one country to another, by quarter and form of exploitation.

Rules:
1. A thread counts once for each pair of countries and each form, in the quarter in which it began. An update replaces
   what the version before had counted; a cancellation takes it back where the alert was unfounded or sent in error.
2. Only actual alerts count. A leg within one country is no flow between countries.
3. Counts below eleven, and what they could be computed from, are withheld by the store (decision 0034).
4. What was counted stays when a body is erased: no count says whose it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.desk.search import open_kept
from bridge.app.desk.walking import walk
from bridge.core.ids import time_of
from bridge.core.vocabulary import ALERT_CANCEL, ALERT_KINDS, CODE_LISTS
from bridge.ports.store import Store
from bridge.ports.store.corridors import WHATEVER_FORM, Cell, Flow, Uncounted
from bridge.ports.store.search import Source
from bridge.ports.vault import BodyVault

BATCH: Final = 50
TAKEN_BACK: Final = frozenset({"unfounded", "sent_in_error"})
FORMS: Final = (WHATEVER_FORM, *CODE_LISTS["exploitation"])
_ACTUAL: Final = "actual"


@dataclass(frozen=True, slots=True)
class CorridorTable:
    """One quarter and form; `quarters` are those that there is something of, newest first."""

    quarters: Sequence[str]
    quarter: str
    form: str
    flows: Sequence[Flow]


@dataclass(frozen=True, slots=True)
class ReadCorridors:
    """Reads the flows of one node's contact points."""

    store: Store

    async def read(self, contact_point: str, *, quarter: str, form: str, now: datetime) -> CorridorTable:
        """The flows; an unknown quarter is the newest there is, an unknown form is whatever form."""
        async with self.store.reading() as unit:
            quarters = await unit.corridors.quarters(contact_point)
            chosen = quarter if quarter in quarters else (quarters[0] if quarters else quarter_of(now))
            known = form if form in FORMS else WHATEVER_FORM
            flows = await unit.corridors.flows(contact_point, chosen, known)
        return CorridorTable(quarters, chosen, known, flows)


@dataclass(frozen=True, slots=True)
class CountCorridors:
    """Goes through what arrived and what was sent, and counts it."""

    contact_points: Sequence[str]
    store: Store
    vault: BodyVault

    async def count(self) -> int:
        """The next of what is new; answers how many messages that were."""
        return await walk(self.contact_points, self._some, batch=BATCH)

    async def _some(self, contact_point: str, source: Source) -> int:
        async with self.store.reading() as unit:
            after = await unit.corridors.counted_up_to(contact_point, source)
            found = await unit.corridors.uncounted(contact_point, source, after=after, limit=BATCH)
        if found:  # opened while nobody waits for the database
            changes: Counter[Cell] = Counter()
            for one in found:
                self._change(contact_point, one, changes)
            up_to = found[-1].message.position
            async with self.store.writing() as unit:
                await unit.corridors.count(contact_point, source, after=after, up_to=up_to, changes=changes)
        return len(found)

    def _change(self, contact_point: str, one: Uncounted, changes: Counter[Cell]) -> None:
        message = one.message
        if message.kind not in ALERT_KINDS or message.status != _ACTUAL:
            return
        body = open_kept(self.vault, contact_point, message)
        quarter = quarter_of(time_of(one.thread))
        is_cancel = message.kind == ALERT_CANCEL
        if one.replaces is not None and (not is_cancel or body.get("reason") in TAKEN_BACK):
            changes.subtract(cells_of(open_kept(self.vault, contact_point, one.replaces), quarter))
        if not is_cancel:
            changes.update(cells_of(body, quarter))


def cells_of(body: Mapping[str, object], quarter: str) -> set[Cell]:
    """What an alert counts for; nothing where its body is gone. Codes of a newer version count by their own name."""
    legs, forms = body.get("legs"), body.get("exploitation")
    pairs = {pair for leg in (legs if isinstance(legs, list) else []) if (pair := _pair_of(leg)) is not None}
    named = [form for form in (forms if isinstance(forms, list) else []) if isinstance(form, str)]
    return {(quarter, *pair, form) for pair in pairs for form in (WHATEVER_FORM, *named)}


def quarter_of(at: datetime) -> str:
    """The calendar quarter of a time, in UTC: `2026Q4`."""
    return f"{at.year}Q{(at.month + 2) // 3}"


def _pair_of(leg: object) -> tuple[str, str] | None:
    if not isinstance(leg, dict):
        return None
    ends = [leg.get(side) for side in ("from", "to")]
    countries = [end.get("country") if isinstance(end, dict) else None for end in ends]
    start, end = countries
    if not isinstance(start, str) or not isinstance(end, str) or start == end:
        return None
    return start, end
