from __future__ import annotations

from collections.abc import Mapping

from console_world import Browser, World

from bridge.app.desk.corridors import ReadCorridors
from bridge.ports.store.corridors import Cell
from bridge.ports.store.search import Source


async def reader(people: World, changes: Mapping[Cell, int]) -> Browser:
    async with people.store.writing() as unit:
        await unit.corridors.count("rs.ncp", Source.INBOX, after=0, up_to=1, changes=changes)
    app = people.app(corridors=ReadCorridors(people.store))
    return Browser(app, await people.session(await people.person("duty_officer")))


async def text_of(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_the_map_and_the_table_have_the_same_numbers(people: World) -> None:
    cells = {("2026Q4", "RS", "HU", "*"): 34, ("2026Q4", "HU", "AT", "*"): 47, ("2026Q4", "BG", "RS", "*"): 24}

    page = await text_of(await reader(people, cells), "/corridors")

    assert 'class="map-wide"' in page
    assert page.index("Hungary – Austria") < page.index("Serbia – Hungary")  # noqa: RUF001 - as the page has it
    for number in (34, 47, 24):
        assert f'<td class="count">{number}</td>' in page
        assert f">{number}</text>" in page


async def test_a_small_number_is_withheld_and_not_drawn(people: World) -> None:
    page = await text_of(await reader(people, {("2026Q4", "XK", "RS", "*"): 3}), "/corridors")

    assert "withheld" in page
    assert "<figure" not in page
    assert "UNSCR 1244" in page


async def test_quarter_and_form_are_chosen_in_the_address(people: World) -> None:
    cells = {("2026Q3", "RS", "HU", "sexual"): 15, ("2026Q4", "RS", "HU", "*"): 34}
    browser = await reader(people, cells)

    chosen = await text_of(browser, "/corridors?quarter=2026Q3&form=sexual")
    strange = await text_of(browser, "/corridors?quarter=%3Cb%3E&form=%22x")

    assert '<td class="count">15</td>' in chosen
    assert '<option value="2026Q3" selected>' in chosen
    assert '<option value="sexual" selected>' in chosen
    assert '<td class="count">34</td>' in strange


async def test_before_anything_is_counted_it_says_so(people: World) -> None:
    page = await text_of(await reader(people, {}), "/corridors")

    assert "Nothing has been counted yet." in page
    assert '<option value="2026Q4" selected>' in page
