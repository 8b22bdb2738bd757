"""The index of keyed digests. A term's rows lie together.

A search with a term that few messages have reads what that term points to and nothing else. Where every term is common,
it goes through the messages from the newest on until it has enough.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, func, select

from bridge.adapters.store.forgotten_terms import TURN
from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of, read_body
from bridge.adapters.store.tables import body, inbox, message, progress, search_term
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.search import Kept, Source, Wanted

_TABLES: Final = {Source.INBOX: inbox, Source.MESSAGE: message}
_OWNER: Final = {Source.INBOX: inbox.c.contact_point, Source.MESSAGE: message.c.sender}
_AT: Final = {Source.INBOX: inbox.c.received_at, Source.MESSAGE: message.c.sent}
_COPIED: Final = ("position", "id", "sender", "kind", "status", "urgency")
RARE: Final = 1000  # messages that have a term, or fewer


class SqlSearchIndex:
    """Implements `bridge.ports.store.search.SearchIndex`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def unread(self, contact_point: str, source: Source, *, limit: int) -> Sequence[Kept]:
        """The next messages behind the last one that was gone through, oldest first."""
        done = select(progress.c.position).where(progress.c.name == _name(contact_point, source))
        rows = await self._transaction.rows(done)
        position = _TABLES[source].c.position
        query = _messages(contact_point, source).where(position > (rows[0]["position"] if rows else 0))
        return await self._kept(source, query.order_by(position).limit(limit))

    async def add(self, contact_point: str, source: Source, terms: Mapping[int, Collection[int]]) -> None:
        """Adds the terms of messages, which count as gone through up to the last of them."""
        await self._transaction.take_turn(TURN)  # what is erased meanwhile must not be indexed after
        place = _TABLES[source].c.position
        there = _messages(contact_point, source).where(place.in_(list(terms)), body.c.wrapped_key.is_not(None))
        rows = await self._transaction.rows(there.with_only_columns(place))
        # In one order for everybody: on PostgreSQL two who insert the same terms would else wait for each other.
        pairs = sorted({(term, row["position"]) for row in rows for term in terms[row["position"]]})
        values = [{"term": term, "source": source.value, "position": position} for term, position in pairs]
        await self._transaction.change_each(self._transaction.insert(search_term).on_conflict_do_nothing(), values)
        noted = self._transaction.insert(progress).values(name=_name(contact_point, source), position=max(terms))
        moved = noted.on_conflict_do_update(
            index_elements=[progress.c.name],
            set_={"position": noted.excluded.position},
            where=progress.c.position < noted.excluded.position,  # two may have gone through the same
        )
        await self._transaction.change(moved)

    async def find(self, contact_point: str, source: Source, wanted: Wanted, *, limit: int) -> Sequence[Kept]:
        """The newest messages that have all of it."""
        table, at = _TABLES[source], _AT[source]
        query = _messages(contact_point, source)
        rare = await self._rare(source, wanted.terms)
        for term in wanted.terms:
            query = query.where(
                table.c.position.in_(_places(source, term)) if term == rare else _has(source, table, term)
            )
        if wanted.terms:
            # A program of revision 0002 beside this one leaves the terms of what it erases.
            query = query.where(body.c.wrapped_key.is_not(None))
        asked = ((table.c.kind, wanted.kind), (table.c.urgency, wanted.urgency))
        query = query.where(*(column == value for column, value in asked if value is not None))
        if wanted.since is not None:
            query = query.where(at >= wanted.since)
        if wanted.until is not None:
            query = query.where(at < wanted.until)
        return await self._kept(source, query.order_by(table.c.position.desc()).limit(limit))

    async def _rare(self, source: Source, terms: Sequence[int]) -> int | None:
        """The term that the fewest messages have; none where every one of them is common."""
        if not terms:
            return None
        counts = [_count(source, term).label(str(place)) for place, term in enumerate(terms)]
        (row,) = await self._transaction.rows(select(*counts))
        count, place = min((row[str(place)], place) for place in range(len(terms)))
        return terms[place] if count <= RARE else None

    async def _kept(self, source: Source, query: Select[*tuple[object, ...]]) -> Sequence[Kept]:
        return [
            Kept(source, **{name: row[name] for name in _COPIED}, at=row["at"], body=read_body(row))
            for row in await self._transaction.rows(query)
        ]


def _messages(contact_point: str, source: Source) -> Select[*tuple[object, ...]]:
    table = _TABLES[source]
    columns = [table.c[name] for name in _COPIED]
    owner = _OWNER[source]
    return (
        select(*columns, _AT[source].label("at"), *BODY_COLUMNS)
        .outerjoin(body, body_of(owner, table.c.id, table.c.sender))
        .where(owner == contact_point)
    )


def _places(source: Source, term: int) -> Select[int]:
    return select(search_term.c.position).where(search_term.c.term == term, search_term.c.source == source.value)


def _count(source: Source, term: int) -> ScalarSelect[int]:
    """Of the messages that have a term; it stops where the term is no longer rare."""
    return select(func.count()).select_from(_places(source, term).limit(RARE + 1).subquery()).scalar_subquery()


def _has(source: Source, table: Table, term: int) -> ColumnElement[bool]:
    return _places(source, term).where(search_term.c.position == table.c.position).correlate(table).exists()


def _name(contact_point: str, source: Source) -> str:
    return f"search {source.value} {contact_point}"
