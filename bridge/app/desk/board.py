"""The inbox as a duty officer sees it: needs action, in progress, for information; and how much waits.

Titles stand in sealed bodies, so a look at the list is a consultation. One entry in the audit log names every message
whose heading was shown and that the officer had not just seen (decision 0028). Bodies of other pages stay closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bridge.app.desk.route import countries_of, text
from bridge.app.receiving.inbox_items import body_context
from bridge.core.errors import UnavailableError
from bridge.core.wire import strict_json
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.desk import DeskItem, Group
from bridge.ports.store.records import AuditEntry
from bridge.ports.vault import BodyVault

PAGE: Final[Mapping[Group, int]] = MappingProxyType(
    {Group.NEEDS_ACTION: 50, Group.IN_PROGRESS: 50, Group.FOR_INFORMATION: 25}
)
MOST_COUNTED: Final = 999
NAMED_AGAIN_AFTER: Final = timedelta(minutes=15)
DAMAGED: Final = "E_BODY_AT_REST"
LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class Heading:
    """What the list shows of a body. `level` is of an acknowledgement, `reason` of a cancellation."""

    title: str
    language: str
    severity: str
    countries: Sequence[tuple[str, str]]
    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the inbox; `heading` is `None` for a stub, an erased body, and one that does not open."""

    item: DeskItem
    heading: Heading | None
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """The three groups.

    Attributes:
        counts: how many need action and are in progress, each counted up to `MOST_COUNTED`.
        newest: the position of the last arrival that is shown, 0 where there is none.
        earlier: the position behind which information goes on, where it does.
    """

    groups: Mapping[Group, Sequence[Entry]]
    counts: Mapping[Group, int]
    newest: int
    earlier: int | None


@dataclass(frozen=True, slots=True)
class ReadBoard:
    """Shows the inboxes of one node's contact points.

    Attributes:
        named: (contact point, officer) -> since when, and which messages the log says they were shown.
    """

    store: Store
    vault: BodyVault
    clock: Clock
    named: dict[tuple[str, str], tuple[datetime, frozenset[str]]] = field(default_factory=dict, repr=False)

    async def show(self, contact_point: str, *, officer: str, before: int | None = None) -> Board:
        """The inbox, logged; with `before` an earlier page of what is for information, and nothing else."""
        wanted = (Group.FOR_INFORMATION,) if before is not None else tuple(Group)
        async with self.store.reading() as unit:
            pages = {
                group: await unit.desk.list(
                    contact_point,
                    group,
                    before=before if group is Group.FOR_INFORMATION else None,
                    limit=PAGE[group],
                )
                for group in wanted
            }
            counts = await counts_of(unit, contact_point)
        groups = {group: [self._entry(item) for item in page] for group, page in pages.items()}
        await self._log(groups, contact_point, officer)
        information = pages[Group.FOR_INFORMATION]
        earlier = information[-1].position if len(information) == PAGE[Group.FOR_INFORMATION] else None
        newest = max((item.position for page in pages.values() for item in page), default=0)
        return Board(groups, counts, newest, earlier)

    async def waiting(self, contact_point: str) -> int:
        """How many messages need action, counted up to `MOST_COUNTED`; opens nothing."""
        async with self.store.reading() as unit:
            return await unit.desk.count(contact_point, Group.NEEDS_ACTION, most=MOST_COUNTED)

    def _entry(self, item: DeskItem) -> Entry:
        if item.body is None:
            return Entry(item, None)
        body = open_if_sound(self.vault, item)
        return Entry(item, heading_of(body)) if body else Entry(item, None, is_damaged=True)

    async def _log(self, groups: Mapping[Group, Sequence[Entry]], contact_point: str, officer: str) -> None:
        """Names every heading that this officer was not shown in the last quarter of an hour."""
        now = self.clock.now()
        since, named = self.named.get((contact_point, officer), (now, frozenset()))
        if not since <= now < since + NAMED_AGAIN_AFTER:
            since, named = now, frozenset()
        shown = [entry.item.id for page in groups.values() for entry in page if entry.heading is not None]
        new = [one for one in shown if one not in named]
        if new:
            entry = AuditEntry(now, officer, "inbox.read", contact_point, None, {"messages": " ".join(new)})
            async with self.store.writing() as unit:
                await unit.audit.add([entry])
            self.named[contact_point, officer] = since, named.union(new)


async def counts_of(unit: UnitOfWork, contact_point: str) -> Mapping[Group, int]:
    """How many need action and how many are in progress, each counted up to `MOST_COUNTED`."""
    counted = (Group.NEEDS_ACTION, Group.IN_PROGRESS)
    return {group: await unit.desk.count(contact_point, group, most=MOST_COUNTED) for group in counted}


def open_body(vault: BodyVault, item: DeskItem) -> Mapping[str, object]:
    """The members of an item's body; an item without one has none."""
    if item.body is None:
        return {}
    context = body_context(item.contact_point, item.sender, item.id)
    return strict_json.parse_object(vault.get(item.contact_point, item.body, context=context))


def open_if_sound(vault: BodyVault, item: DeskItem) -> Mapping[str, object]:
    """The same of one among others: a body that does not open has no members, and hides none of theirs."""
    try:
        return open_body(vault, item)
    except UnavailableError as error:
        if error.code != DAMAGED:
            raise
        return {}


def heading_of(body: Mapping[str, object]) -> Heading:
    """What the list shows of a body."""
    title = text(body, "title")
    return Heading(
        title=title if len(title) <= LONGEST_TITLE else title[:LONGEST_TITLE] + "…",
        language=text(body, "language"),
        severity=text(body, "severity"),
        countries=countries_of(body),
        level=text(body, "level"),
        reason=text(body, "reason"),
    )
