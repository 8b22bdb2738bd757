"""A shift that is handed over: what is open, a note that rests encrypted, taken once and by somebody else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from bridge_node import Node
from bridge_world import START, alert

from bridge.adapters.store.desk import SqlDeskBook
from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import Person
from bridge.app.desk.handover import LONGEST_NOTE, HandOver
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.store.accounts import AccountRecord
from bridge.ports.store.desk import DeskItem, Group

NOTE = "Ring Belgrade about the second van"


def person(login: str, role: Role = Role.DUTY_OFFICER, at: str | None = "at.ncp") -> Person:
    return Person(login, login.title(), (role,), at, None)


HUBER, GRUBER, MAYER = person("huber"), person("gruber"), person("mayer")
APPROVER = person("auer", Role.APPROVER)


@pytest.fixture
async def shifts(node: Node) -> HandOver:
    async with node.store.writing() as unit:
        for one in (HUBER, GRUBER, MAYER, APPROVER, person("horvat", at="hu.ncp")):
            await unit.accounts.add(AccountRecord(one.login, one.name, one.roles, one.contact_point, START))
    return HandOver(node.store, node.vault, node.clock, node.ids)


async def test_what_is_open_is_given_with_a_note_and_taken_once(node: Node, shifts: HandOver) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    async with node.store.writing() as unit:
        await unit.desk.take("at.ncp", ("rs.ncp", sent.id), "huber", START)

    given = await shifts.give(HUBER, note=NOTE, to="gruber")
    assert given.items == (("needs_action", sent.id, "rs.ncp"),)
    assert NOTE.encode() not in given.note.ciphertext
    with pytest.raises(RefusedError, match="another officer than the one who gave it"):
        await shifts.take(given.id, HUBER)

    taken = await shifts.take(given.id, GRUBER)
    assert (taken.given_by, taken.given_to, taken.taken_by) == ("huber", "gruber", "gruber")
    with pytest.raises(RefusedError, match="taken over already"):
        await shifts.take(given.id, MAYER)
    (item,) = (await shifts.open_items("at.ncp")).needs_action
    assert item.taken_by == "gruber"
    assert [entry.actor for entry in await node.audit("shift.handed_over")] == ["huber"]
    assert [entry.actor for entry in await node.audit("shift.taken")] == ["gruber"]


async def test_each_look_at_a_note_is_logged_and_no_log_holds_it(node: Node, shifts: HandOver) -> None:
    given = await shifts.give(HUBER, note=NOTE, to=None)

    shown, note = await shifts.show(given.id, MAYER)

    assert (shown.id, note) == (given.id, NOTE)
    assert [entry.actor for entry in await node.audit("shift.read")] == ["mayer"]
    async with node.store.reading() as unit:
        assert "Belgrade" not in str(await unit.audit.list())


async def test_who_is_meant_may_be_away_and_another_officer_takes_it(shifts: HandOver) -> None:
    given = await shifts.give(HUBER, note="", to="gruber")
    with pytest.raises(RefusedError, match="waits for gruber") as raised:
        await shifts.take(given.id, MAYER)
    assert raised.value.code == "E_HANDOVER_FOR"
    assert (await shifts.take(given.id, MAYER, instead_of="gruber")).taken_by == "mayer"


async def test_what_a_colleague_took_meanwhile_stays_with_them(
    node: Node, shifts: HandOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    async with node.store.writing() as unit:
        await unit.desk.take("at.ncp", ("rs.ncp", sent.id), "huber", START)
    given = await shifts.give(HUBER, note="", to=None)
    listed = SqlDeskBook.list

    async def then_taken(desk: SqlDeskBook, contact_point: str, group: Group, *, limit: int) -> Sequence[DeskItem]:
        found = await listed(desk, contact_point, group, limit=limit)
        for item in found:
            await desk.take(contact_point, (item.sender, item.id), "mayer", START)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(SqlDeskBook, "list", then_taken)
        await shifts.take(given.id, GRUBER)

    (item,) = (await shifts.open_items("at.ncp")).needs_action
    assert item.taken_by == "mayer"


async def test_shifts_are_of_one_contact_point_and_its_officers(shifts: HandOver) -> None:
    assert [one.login for one in await shifts.colleagues(HUBER)] == ["gruber", "mayer"]
    given = await shifts.give(HUBER, note=NOTE, to=None)
    stranger = person("horvat", at="hu.ncp")
    for attempt in (shifts.take, shifts.show):
        with pytest.raises(BadInputError, match="no hand-over"):
            await attempt(given.id, stranger)
    for attempt in (shifts.give(APPROVER, note="", to=None), shifts.take(given.id, APPROVER)):
        with pytest.raises(RefusedError, match="only those hand over shifts"):
            await attempt


@pytest.mark.parametrize(("note", "to", "path"), [("x" * (LONGEST_NOTE + 1), None, "note"), ("", "horvat", "to")])
async def test_a_field_that_is_wrong_is_named(shifts: HandOver, note: str, to: str | None, path: str) -> None:
    with pytest.raises(BadInputError) as caught:
        await shifts.give(HUBER, note=note, to=to)
    assert caught.value.path == path
