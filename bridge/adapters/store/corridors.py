"""Counts of flows, and what of them is shown.

What is shown is decided in the query, so that no caller ever holds a small count. Each pair of countries has one count
for each form of exploitation and one for whatever form, which may be the sum of the others. Therefore, beside a form
that is below the least shown, the next larger forms are withheld too, until what is withheld together is at least two
forms, at least `LEAST_SHOWN` alerts, and more alerts than forms; where that is not to be had, the whole pair is.
Quarters do not overlap and no sum over pairs is shown: there is nothing else to subtract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import CTE, ColumnElement, RowMapping, Select, and_, case, func, literal, or_, select

from bridge.adapters.store.desk_tables import corridor_count
from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of, read_body
from bridge.adapters.store.tables import body, inbox, message, progress
from bridge.adapters.store.transaction import Transaction
from bridge.core.vocabulary import ALERT_KINDS
from bridge.ports.store.corridors import LEAST_SHOWN, WHATEVER_FORM, Cell, Flow, Uncounted
from bridge.ports.store.search import Kept, Source

_AT: Final = {Source.INBOX: inbox.c.received_at, Source.MESSAGE: message.c.sent}
_TABLE: Final = {Source.INBOX: inbox, Source.MESSAGE: message}
_OWNER: Final = {Source.INBOX: inbox.c.contact_point, Source.MESSAGE: message.c.sender}
FEWEST_WITHHELD: Final = 2  # of one pair: a form that is withheld alone is the whole less the others
_COPIED: Final = ("position", "id", "sender", "kind", "status", "urgency")


class SqlCorridors:
    """Implements `bridge.ports.store.corridors.Corridors`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def counted_up_to(self, contact_point: str, source: Source) -> int:
        """The place of the last message that was gone through; 0 where none was."""
        done = select(progress.c.position).where(progress.c.name == _name(contact_point, source))
        rows = await self._transaction.rows(done)
        return rows[0]["position"] if rows else 0

    async def uncounted(self, contact_point: str, source: Source, *, after: int, limit: int) -> Sequence[Uncounted]:
        """The next messages behind a place, oldest first."""
        table = _TABLE[source]
        query = (
            self._messages(source, table.c.thread, table.c.supersedes)
            .where(_OWNER[source] == contact_point, table.c.position > after)
            .order_by(table.c.position)
            .limit(limit)
        )
        found = []
        for row in await self._transaction.rows(query):
            replaces = None
            if row["supersedes"] is not None and row["kind"] in ALERT_KINDS:
                replaces = await self._replaced(
                    contact_point, source, row["supersedes"], row["sender"], row["position"]
                )
            found.append(Uncounted(_kept(source, row), row["thread"], replaces))
        return found

    async def count(
        self, contact_point: str, source: Source, *, after: int, up_to: int, changes: Mapping[Cell, int]
    ) -> None:
        """Adds to the counts, unless somebody else has gone on from `after` meanwhile."""
        await self._transaction.take_turn("corridors")
        if await self.counted_up_to(contact_point, source) != after:
            return
        statement = self._transaction.insert(corridor_count)
        added = corridor_count.c["count"] + statement.excluded["count"]
        upsert = statement.on_conflict_do_update(index_elements=corridor_count.primary_key, set_={"count": added})
        names = ("quarter", "origin", "destination", "form")
        values = [
            dict(zip(names, cell, strict=True)) | {"contact_point": contact_point, "count": change}
            for cell, change in sorted(changes.items())
            if change
        ]
        await self._transaction.change_each(upsert, values)
        noted = self._transaction.insert(progress).values(name=_name(contact_point, source), position=up_to)
        moved = {"position": noted.excluded.position}
        await self._transaction.change(noted.on_conflict_do_update(index_elements=[progress.c.name], set_=moved))

    async def quarters(self, contact_point: str) -> Sequence[str]:
        """Those of which there is something, newest first."""
        query = (
            select(corridor_count.c.quarter)
            .where(corridor_count.c.contact_point == contact_point, corridor_count.c["count"] > 0)
            .distinct()
            .order_by(corridor_count.c.quarter.desc())
        )
        return [row["quarter"] for row in await self._transaction.rows(query)]

    async def flows(self, contact_point: str, quarter: str, form: str) -> Sequence[Flow]:
        """The flows of a quarter for one form, or for whatever form; the largest first, then those not shown."""
        shown = _whole_pairs(contact_point, quarter) if form == WHATEVER_FORM else _forms(contact_point, quarter)
        query = select(shown.c.origin, shown.c.destination, shown.c.shown)
        if form != WHATEVER_FORM:
            query = query.where(shown.c.form == form)
        query = query.order_by(func.coalesce(shown.c.shown, 0).desc(), shown.c.origin, shown.c.destination)
        return [Flow(row["origin"], row["destination"], row["shown"]) for row in await self._transaction.rows(query)]

    async def _replaced(
        self, contact_point: str, source: Source, message_id: str, sender: str, position: int
    ) -> Kept | None:
        """The version that this one replaces, unless another that came before has replaced it already."""
        table, owner = _TABLE[source], _OWNER[source]
        query = self._messages(source).where(owner == contact_point, table.c.id == message_id, table.c.sender == sender)
        other = table.alias("other")
        earlier = (
            select(literal(1))
            .select_from(other)
            .where(
                other.c[_OWNER[source].name] == contact_point,
                other.c.supersedes == message_id,
                other.c.sender == sender,
                other.c.position < position,
            )
            .exists()
        )
        rows = await self._transaction.rows(query.where(~earlier))
        return _kept(source, rows[0]) if rows else None

    def _messages(self, source: Source, *more: ColumnElement[object]) -> Select[*tuple[object, ...]]:
        table, owner = _TABLE[source], _OWNER[source]
        columns = [table.c[name] for name in _COPIED]
        return select(*columns, *more, _AT[source].label("at"), *BODY_COLUMNS).outerjoin(
            body, body_of(owner, table.c.id, table.c.sender)
        )


def _forms(contact_point: str, quarter: str) -> CTE:
    """Every form of every pair with what is shown of it."""
    cell = corridor_count.c
    size = cell["count"]
    pair = (cell.origin, cell.destination)
    in_order = (size, cell.form)
    ranked = (
        select(
            *pair,
            cell.form,
            size.label("size"),
            func.row_number().over(partition_by=pair, order_by=in_order).label("rank"),
            func.min(size).over(partition_by=pair).label("smallest"),
            func.sum(size).over(partition_by=pair, order_by=in_order, rows=(None, 0)).label("so_far"),
        )
        .where(cell.contact_point == contact_point, cell.quarter == quarter, size > 0, cell.form != WHATEVER_FORM)
        .cte("ranked")
    )
    before, rank = ranked.c.so_far - ranked.c.size, ranked.c.rank
    beside = and_(
        ranked.c.smallest < LEAST_SHOWN, or_(rank <= FEWEST_WITHHELD, before < LEAST_SHOWN, before <= rank - 1)
    )
    withheld = or_(ranked.c.size < LEAST_SHOWN, beside)
    return select(
        ranked.c.origin,
        ranked.c.destination,
        ranked.c.form,
        ranked.c.size,
        case((withheld, None), else_=ranked.c.size).label("shown"),
    ).cte("forms")


def _whole_pairs(contact_point: str, quarter: str) -> CTE:
    """Every pair with what is shown of it, whatever the form."""
    cell, forms = corridor_count.c, _forms(contact_point, quarter)
    # Withheld forms that are not enough to hide behind each other hide behind the whole pair.
    hidden = (
        select(
            forms.c.origin,
            forms.c.destination,
            func.count().label("forms"),
            func.sum(forms.c.size).label("alerts"),
        )
        .where(forms.c.shown.is_(None))
        .group_by(forms.c.origin, forms.c.destination)
        .cte("hidden")
    )
    too_few = and_(
        hidden.c.forms.is_not(None),
        or_(hidden.c.forms < FEWEST_WITHHELD, hidden.c.alerts < LEAST_SHOWN, hidden.c.alerts <= hidden.c.forms),
    )
    withheld = or_(cell["count"] < LEAST_SHOWN, too_few)
    return (
        select(
            cell.origin,
            cell.destination,
            case((withheld, None), else_=cell["count"]).label("shown"),
        )
        .select_from(
            corridor_count.outerjoin(
                hidden, and_(hidden.c.origin == cell.origin, hidden.c.destination == cell.destination)
            )
        )
        .where(
            cell.contact_point == contact_point,
            cell.quarter == quarter,
            cell.form == WHATEVER_FORM,
            cell["count"] > 0,
        )
        .cte("pairs")
    )


def _kept(source: Source, row: RowMapping) -> Kept:
    return Kept(source, **{name: row[name] for name in _COPIED}, at=row["at"], body=read_body(row))


def _name(contact_point: str, source: Source) -> str:
    return f"corridors {source.value} {contact_point}"
