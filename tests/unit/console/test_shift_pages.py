"""Handing over a shift at the console, and taking it over."""

from __future__ import annotations

from console_world import HOSTED, Browser, World, receives
from desk_samples import VAULT, alert_body, desk_parts, given, logged, received

from bridge.adapters.system import RandomIds
from bridge.app.desk.handover import LONGEST_NOTE, HandOver
from bridge.console.live import Live

HOSTILE = "<script>alert(1)</script>"


async def officers(people: World, *logins: str) -> list[Browser]:
    shifts = HandOver(people.store, VAULT, people.clock, RandomIds())
    live = Live(people.store, people.clock, HOSTED, receives)
    app = people.app(**desk_parts(people) | {"shifts": shifts, "live": live})
    for login in logins:
        await people.person("duty_officer", login=login)
    return [Browser(app, await people.session(login)) for login in logins]


async def test_a_shift_is_given_with_what_is_open_and_taken_by_another(people: World) -> None:
    await given(people, received(alert_body()))
    huber, novak = await officers(people, "huber", "novak")

    page = (await huber.get("/shift")).text
    assert '<option value="novak">' in page
    assert '<option value="huber">' not in page
    answer = await huber.post("/shift", {"note": HOSTILE, "to": "novak", "do": "hand-over"})
    address = answer.headers["location"]
    own, theirs = (await huber.get(address)).text, (await novak.get(address)).text

    assert HOSTILE not in theirs
    assert "&lt;script&gt;" in theirs
    assert "/take" not in own.partition("<main")[2]
    taken = await novak.post(f"{address}/take")
    assert (taken.status_code, taken.headers["location"]) == (303, address)
    assert (await novak.post(f"{address}/take")).status_code == 409
    assert "taken by A. B." in (await huber.get("/shift")).text


async def test_a_note_that_is_too_long_is_kept_and_marked(people: World) -> None:
    (huber,) = await officers(people, "huber")
    answer = await huber.post("/shift", {"note": "x" * (LONGEST_NOTE + 1), "to": "", "do": "hand-over"})
    assert answer.status_code == 422
    assert 'href="#note"' in answer.text
    assert "x" * (LONGEST_NOTE + 1) in answer.text


async def test_a_note_that_was_kept_at_a_lock_is_shown_and_not_handed_over(people: World) -> None:
    (huber,) = await officers(people, "huber")
    answer = await huber.post("/shift", {"note": "half written", "to": ""})
    assert (answer.status_code, "half written" in answer.text) == (200, True)
    assert await logged(people, "shift.handed_over") == []


async def test_a_hand_over_that_is_not_there_is_said(people: World) -> None:
    (huber,) = await officers(people, "huber")
    assert (await huber.get("/shift/none")).status_code == 422


async def test_who_takes_what_waits_for_another_has_seen_for_whom(people: World) -> None:
    huber, _, mayer = await officers(people, "huber", "novak", "mayer")
    address = (await huber.post("/shift", {"to": "novak", "do": "hand-over"})).headers["location"]

    blind = await mayer.post(f"{address}/take")
    assert (blind.status_code, "E_HANDOVER_FOR" in blind.text) == (409, True)
    assert 'name="instead_of" value="novak"' in (await mayer.get(address)).text
    assert (await mayer.post(f"{address}/take", {"instead_of": "novak"})).status_code == 303
