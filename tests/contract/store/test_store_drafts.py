"""Drafts on both databases: nobody overwrites what they have not seen, nobody releases what they wrote."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from store_samples import BODY, NOW, later, message_id

from bridge.adapters.store import SqlStore
from bridge.ports.store.drafts import DISCARDED, RELEASED, SUBMITTED, WRITING, DraftRecord


def draft(**given: object) -> DraftRecord:
    made = DraftRecord(
        id=message_id(),
        contact_point="rs.ncp",
        author="ana",
        kind="route_alert",
        state=WRITING,
        revision=1,
        created_at=NOW,
        changed_at=NOW,
        sealed=BODY,
    )
    return replace(made, **given)  # type: ignore[arg-type]


async def added(store: SqlStore, *drafts: DraftRecord) -> None:
    async with store.writing() as unit:
        for one in drafts:
            await unit.drafts.add(one)


async def replaced(store: SqlStore, changed: DraftRecord, *, revision: int) -> bool:
    async with store.writing() as unit:
        return await unit.drafts.replace(changed, revision=revision)


async def stored(store: SqlStore, draft_id: str) -> DraftRecord | None:
    async with store.reading() as unit:
        return await unit.drafts.get(draft_id)


async def test_a_draft_comes_back_as_it_was_stored(store: SqlStore) -> None:
    made = draft(supersedes=message_id(), decided_at=later(5), decided_by="bo", is_emergency=True)
    await added(store, made)

    assert await stored(store, made.id) == made
    assert await stored(store, message_id()) is None


async def test_a_change_of_what_somebody_else_has_changed_is_not_stored(store: SqlStore) -> None:
    # given two officers who saw the first revision
    made = draft()
    await added(store, made)

    # when both change it at once
    one, other = replace(made, author="bo", revision=2), replace(made, author="cy", revision=2)
    answers = await asyncio.gather(replaced(store, one, revision=1), replaced(store, other, revision=1))

    # then one of them did
    assert sorted(answers) == [False, True]
    kept = await stored(store, made.id)
    assert kept == (one if answers[0] else other)


async def test_the_database_takes_no_release_by_the_author(store: SqlStore) -> None:
    made = draft(state=SUBMITTED)
    await added(store, made)
    released = replace(made, state=RELEASED, revision=2, decided_at=NOW, message_id=message_id())

    assert not await replaced(store, replace(released, decided_by="ana"), revision=1)
    assert await replaced(store, replace(released, decided_by="bo"), revision=1)


async def test_an_emergency_is_released_by_its_author_and_reviewed_by_somebody_else(store: SqlStore) -> None:
    # given
    made = draft()
    await added(store, made)
    alone = replace(made, state=RELEASED, revision=2, decided_by="ana", is_emergency=True)
    assert await replaced(store, alone, revision=1)
    async with store.reading() as unit:
        assert [one.id for one in await unit.drafts.to_review("rs.ncp", limit=9)] == [made.id]
        assert await unit.drafts.to_review("at.ncp", limit=9) == []

    # when
    reviewed = replace(alone, revision=3, reviewed_at=later(9))
    assert not await replaced(store, replace(reviewed, reviewed_by="ana"), revision=2)
    assert await replaced(store, replace(reviewed, reviewed_by="bo"), revision=2)

    # then
    async with store.reading() as unit:
        assert await unit.drafts.to_review("rs.ncp", limit=9) == []


async def test_a_list_has_one_contact_points_drafts_in_the_wanted_states_the_last_changed_first(
    store: SqlStore,
) -> None:
    old, new = draft(changed_at=later(1)), draft(changed_at=later(2), state=SUBMITTED)
    gone, other = draft(state=DISCARDED, sealed=None), draft(contact_point="rs.border-police")
    await added(store, old, new, gone, other)

    async with store.reading() as unit:
        listed = await unit.drafts.list("rs.ncp", (WRITING, SUBMITTED), limit=9)
        first = await unit.drafts.list("rs.ncp", (WRITING, SUBMITTED), limit=1)
    assert [one.id for one in listed] == [new.id, old.id]
    assert [one.id for one in first] == [new.id]


async def test_what_is_discarded_has_no_content_left(store: SqlStore) -> None:
    made = draft()
    await added(store, made)

    assert await replaced(store, replace(made, state=DISCARDED, revision=2, sealed=None), revision=1)

    kept = await stored(store, made.id)
    assert kept is not None
    assert kept.sealed is None
