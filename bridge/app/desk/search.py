"""Finding messages by words and codes, received ones and one's own.

The store knows keyed digests only (`bridge.app.desk.terms`). What they point to is opened and compared; one entry in
the audit log names every message whose heading was shown. What was searched for is logged nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.desk.board import DAMAGED, Heading, heading_of
from bridge.app.desk.terms import SHORTEST, code_term, has_words, stem_of, terms_of, words_in
from bridge.app.desk.walking import walk
from bridge.app.receiving.inbox_items import body_context
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.wire import strict_json
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry
from bridge.ports.store.search import Kept, Source, Wanted
from bridge.ports.vault import BodyVault

PAGE: Final = 50
MOST_OPENED: Final = 200
LONGEST: Final = 200
BATCH: Final = 25


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for. `codes` are countries and other codes that must stand in the body."""

    text: str = ""
    codes: tuple[str, ...] = ()
    kind: str | None = None
    urgency: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found."""

    message: Kept
    heading: Heading | None


@dataclass(frozen=True, slots=True)
class Found:
    """The newest hits; `is_all`: whether there are no more."""

    hits: Sequence[Hit]
    is_all: bool


@dataclass(frozen=True, slots=True)
class SearchMessages:
    """Searches for the contact points of one node."""

    store: Store
    vault: BodyVault
    clock: Clock

    async def find(self, contact_point: str, query: Query, *, officer: str) -> Found:
        """The newest messages that have all of it, logged.

        Raises:
            BadInputError: `E_SEARCH`, longer than 200 characters, or only words of one letter.
        """
        words = frozenset(words_in(query.text))
        if len(query.text) > LONGEST or (query.text.strip() and not words):
            sentence = f"text: expected at most {LONGEST} characters with a word of {SHORTEST} letters or more"
            raise BadInputError("E_SEARCH", sentence, path="text")
        terms = {stem_of(word) for word in words} | {code_term(code) for code in query.codes}
        wanted = Wanted(
            terms=tuple(self.vault.blind(contact_point, term) for term in sorted(terms)),
            kind=query.kind,
            urgency=query.urgency,
            since=query.since,
            until=query.until,
        )
        kept: list[Kept] = []
        async with self.store.reading() as unit:
            for source in Source:
                kept += await unit.search.find(contact_point, source, wanted, limit=MOST_OPENED)
        kept.sort(key=lambda one: one.at, reverse=True)
        hits, is_all = self._compare(contact_point, kept[:MOST_OPENED], words)
        opened = [hit.message.id for hit in hits if hit.heading is not None]
        if opened:
            detail = {"messages": " ".join(opened)}
            entry = AuditEntry(self.clock.now(), officer, "search.read", contact_point, None, detail)
            async with self.store.writing() as unit:
                await unit.audit.add([entry])
        return Found(hits, is_all=is_all and len(kept) < MOST_OPENED)

    def _compare(self, contact_point: str, kept: Sequence[Kept], words: frozenset[str]) -> tuple[list[Hit], bool]:
        """A page of what has the words, and whether that is all of it; nothing more is opened."""
        hits: list[Hit] = []
        for one in kept:
            body = open_kept(self.vault, contact_point, one)
            if not words or has_words(body, words):
                if len(hits) == PAGE:
                    return hits, False
                hits.append(Hit(one, heading_of(body) if body else None))
        return hits, True


@dataclass(frozen=True, slots=True)
class IndexWords:
    """Goes through what arrived and what was sent, so that it is found."""

    contact_points: Sequence[str]
    store: Store
    vault: BodyVault

    async def index(self) -> int:
        """The next of what is new; answers how many messages that were."""
        return await walk(self.contact_points, self._some, batch=BATCH)

    async def _some(self, contact_point: str, source: Source) -> int:
        async with self.store.reading() as unit:
            kept = await unit.search.unread(contact_point, source, limit=BATCH)
        if kept:  # opened while nobody waits for the database
            terms = {one.position: self._terms(contact_point, one) for one in kept}
            async with self.store.writing() as unit:
                await unit.search.add(contact_point, source, terms)
        return len(kept)

    def _terms(self, contact_point: str, one: Kept) -> Sequence[int]:
        found = terms_of(open_kept(self.vault, contact_point, one))
        return [self.vault.blind(contact_point, term) for term in found]


def open_kept(vault: BodyVault, contact_point: str, one: Kept) -> Mapping[str, object]:
    """The members of a body; none where it is gone or does not open: it must not hold up what comes after it."""
    if one.body is None:
        return {}
    context = body_context(contact_point, one.sender, one.id)
    try:
        return strict_json.parse_object(vault.get(contact_point, one.body, context=context))
    except UnavailableError as error:
        if error.code != DAMAGED:
            raise
        return {}
