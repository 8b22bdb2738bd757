"""Flows between countries: counted once a thread; and from what is shown nothing that is withheld can be computed."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping

import pytest
from store_samples import NOW, item, message_id, outgoing

from bridge.adapters.store import SqlStore
from bridge.adapters.vault import StorageVault
from bridge.app.desk.corridors import CountCorridors, ReadCorridors, cells_of, quarter_of
from bridge.app.receiving.inbox_items import body_context
from bridge.core.ids import time_of
from bridge.core.wire import strict_json
from bridge.ports.store.corridors import LEAST_SHOWN, WHATEVER_FORM, Flow
from bridge.ports.store.records import InboxItem
from bridge.ports.store.search import Source

OWN = "at.ncp"
VAULT = StorageVault({OWN: hashlib.sha256(b"at").digest()})
QUARTER = quarter_of(time_of(message_id()))
FORMS = ("sexual", "forced_begging", "servitude", "other")
MOST_ALERTS = {"sqlite": 24, "postgresql": 12}  # 20,000 pairs, and 1,800 where the statement is the same one


def body(*countries: str, forms: tuple[str, ...] = ("sexual",), **more: object) -> dict[str, object]:
    legs = [{"from": {"country": start}, "to": {"country": end}} for start, end in itertools.pairwise(countries)]
    return {"legs": legs, "exploitation": list(forms), **more}


def received(members: Mapping[str, object], **given: object) -> InboxItem:
    made = item(contact_point=OWN, **given)
    sealed = VAULT.put(OWN, strict_json.encode(members), context=body_context(OWN, made.sender, made.id))
    return item(contact_point=OWN, **{**given, "id": made.id, "thread": given.get("thread", made.id), "body": sealed})


async def given_received(store: SqlStore, *items: InboxItem) -> None:
    async with store.writing() as unit:
        await unit.inbox.add(items)


async def counts(store: SqlStore) -> dict[tuple[str, str, str], int]:
    """What is kept, small counts too: past the port, as a test may."""
    await CountCorridors((OWN,), store, VAULT).count()
    from sqlalchemy import select  # noqa: PLC0415

    from bridge.adapters.store.desk_tables import corridor_count  # noqa: PLC0415

    async with store.reading() as unit:
        rows = await unit.corridors._transaction.rows(select(corridor_count))  # type: ignore[attr-defined]
    return {(row["origin"], row["destination"], row["form"]): row["count"] for row in rows if row["count"]}


async def test_an_alert_counts_once_for_each_pair_and_form_however_often_it_is_looked_at(store: SqlStore) -> None:
    await given_received(store, received(body("RS", "HU", "AT", "HU", "AT", forms=("sexual", "other"))))

    found = await counts(store)

    assert found == {
        (start, end, form): 1
        for start, end in (("RS", "HU"), ("HU", "AT"), ("AT", "HU"))
        for form in (WHATEVER_FORM, "sexual", "other")
    }
    assert await counts(store) == found


async def test_an_update_takes_the_place_of_what_it_replaces_and_a_second_one_takes_nothing_twice(
    store: SqlStore,
) -> None:
    first = received(body("RS", "HU"))
    update = received(
        body("RO", "HU"), kind="alert_update", thread=first.id, supersedes=first.id, supersedes_from=first.sender
    )
    again = received(
        body("BG", "HU"), kind="alert_update", thread=first.id, supersedes=first.id, supersedes_from=first.sender
    )
    await given_received(store, first, update, again)

    found = await counts(store)

    assert found["RO", "HU", WHATEVER_FORM] == 1
    assert ("RS", "HU", WHATEVER_FORM) not in found


@pytest.mark.parametrize(("reason", "left"), [("unfounded", 0), ("sent_in_error", 0), ("disrupted", 1), ("expired", 1)])
async def test_a_cancellation_takes_back_what_was_never_so(store: SqlStore, reason: str, left: int) -> None:
    first = received(body("RS", "HU"))
    cancel = received({"reason": reason}, kind="alert_cancel", thread=first.id, supersedes=first.id)
    await given_received(store, first, cancel)

    assert (await counts(store)).get(("RS", "HU", WHATEVER_FORM), 0) == left


async def test_exercises_answers_and_erased_bodies_count_for_nothing(store: SqlStore) -> None:
    await given_received(
        store,
        received(body("RS", "HU"), status="exercise"),
        received(body("RS", "HU"), kind="acknowledgement"),
        item(contact_point=OWN, body=None),
    )

    assert await counts(store) == {}


async def test_own_alerts_count_too(store: SqlStore) -> None:
    sent = outgoing("hu.ncp", sender=OWN)
    sealed = VAULT.put(OWN, strict_json.encode(body("AT", "HU")), context=body_context(OWN, OWN, sent.id))
    async with store.writing() as unit:
        await unit.ledger.add(outgoing("hu.ncp", sender=OWN, id=sent.id, thread=sent.id, body=sealed))

    assert (await counts(store))["AT", "HU", WHATEVER_FORM] == 1


async def test_small_flows_are_not_shown_and_large_ones_are(store: SqlStore) -> None:
    await given_received(store, *(received(body("RS", "HU")) for _ in range(LEAST_SHOWN)))
    await given_received(store, *(received(body("BG", "RO")) for _ in range(LEAST_SHOWN - 1)))
    await CountCorridors((OWN,), store, VAULT).count()

    table = await ReadCorridors(store).read(OWN, quarter="", form="nonsense", now=NOW)

    assert (table.quarter, table.form, table.quarters) == (QUARTER, WHATEVER_FORM, [QUARTER])
    assert table.flows == [Flow("RS", "HU", LEAST_SHOWN), Flow("BG", "RO", None)]


def every_pair(most: int) -> Iterator[tuple[int, ...]]:
    """Every way in which up to so many alerts can have up to four forms, each alert one of them: the worst case."""
    for numbers in itertools.product(range(most + 1), repeat=len(FORMS) - 1):
        for last in range(most + 1 - sum(numbers)):
            if sum(numbers) + last:
                yield (*numbers, last)


async def test_nothing_that_is_withheld_can_be_computed_from_what_is_shown(store: SqlStore, database: str) -> None:
    pairs = {f"{number:05d}": numbers for number, numbers in enumerate(every_pair(MOST_ALERTS[database]))}
    async with store.writing() as unit:
        changes = {
            (QUARTER, name, "XX", form): count
            for name, numbers in pairs.items()
            for form, count in [*zip(FORMS, numbers, strict=True), (WHATEVER_FORM, sum(numbers))]
        }
        await unit.corridors.count(OWN, Source.INBOX, after=0, up_to=1, changes=changes)

    shown: dict[str, dict[str, int | None]] = defaultdict(dict)
    async with store.reading() as unit:
        for form in (*FORMS, WHATEVER_FORM):
            for flow in await unit.corridors.flows(OWN, QUARTER, form):
                shown[flow.origin][form] = flow.count
    told_alike: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for name, numbers in pairs.items():
        told_alike[tuple(shown[name].get(form, "none") for form in (*FORMS, WHATEVER_FORM))].append(numbers)

    for told, possible in told_alike.items():
        for place in range(len(FORMS)):
            if told[place] is None:
                assert len({numbers[place] for numbers in possible}) > 1, (told, possible)
        if told[-1] is None:
            assert len({sum(numbers) for numbers in possible}) > 1, (told, possible)
    assert all(count is None or count >= LEAST_SHOWN for each in shown.values() for count in each.values())


def test_what_is_no_leg_is_no_flow() -> None:
    for legs in (None, 7, [None], [{}], [{"from": {"country": "RS"}, "to": {"country": "RS"}}], [{"from": 1, "to": 2}]):
        assert cells_of({"legs": legs, "exploitation": ["sexual"]}, QUARTER) == set()
