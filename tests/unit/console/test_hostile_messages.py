"""Whatever stands in a message does nothing to a page: markup, direction marks, lengths, wrong forms, newer codes."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from console_world import World
from desk_samples import alert_body, given, leg, officer, page_of, received, text_of

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{ 3 * 'ncp' }}"
RIGHT_TO_LEFT = "\u202egnp.exe \u2067\u05d0\u05d1\u2069 \u200f"


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def elements_of(page: str) -> list[tuple[str, list[str]]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


async def test_codes_of_a_newer_version_are_shown_as_they_came(people: World) -> None:
    one = received(alert_body(severity="apocalyptic", tlp="ULTRA", exploitation=["new_form"], legs=[leg(start="ZZ")]))
    await given(people, one)
    browser = await officer(people)

    page = await text_of(browser, page_of(one))

    assert all(code in page for code in ("apocalyptic", "ULTRA", "new_form", "ZZ"))
    await text_of(browser, "/inbox")


@pytest.mark.parametrize("path", ["/inbox", "{page}", "{page}/print"])
async def test_html_and_direction_marks_in_every_text_stay_text(people: World, path: str) -> None:
    text = HOSTILE + RIGHT_TO_LEFT
    end = {"country": HOSTILE, "place": text, "event": text}
    body = alert_body(
        **dict.fromkeys(("title", "language", "tlp", "purpose", "legal_basis", "severity", "request", "trend"), text),
        handling=[text],
        handling_note=text,
        legs=[{"from": end, "to": end, "confirmed": True, "crossing_point": text, "roles": {"from": [text]}}],
        victims=[{"sex": text, "nationalities": [text], text: text}],
        organisers={"roles": [text], "modus_operandi": text, text: text},
        narrative={text: text},
        exploitation=[text],
        platforms=[text],
        **{text: text},
    )
    one = received(body)
    await given(people, one)

    page = await text_of(await officer(people), path.format(page=page_of(one)))

    assert "ncpncpncp" not in page
    assert [
        tag for tag, names in elements_of(page) if tag == "img" or any(name.startswith("on") for name in names)
    ] == []
    assert [names for tag, names in elements_of(page) if tag == "script" and "src" not in names] == []
    assert 'dir="auto"' in page


async def test_a_title_of_ten_thousand_characters_and_two_hundred_legs_are_shown(people: World) -> None:
    countries = ["AL", "RS"] * 100
    legs = [leg(start, end) for start, end in zip(countries, [*countries[1:], "HU"], strict=True)]
    one = received(alert_body(title="x" * 10_000, legs=legs))
    await given(people, one)
    browser = await officer(people)

    page, board = await text_of(browser, page_of(one)), await text_of(browser, "/inbox")

    assert "x" * 10_000 in page
    assert page.count("stop-number") >= 200
    assert len(board) < 40_000


@pytest.mark.parametrize("body", [{"title": 7, "legs": "none", "victims": [3], "narrative": [], "handling": "H1"}, {}])
async def test_a_body_of_the_wrong_form_breaks_no_page(people: World, body: dict[str, object]) -> None:
    one = received({"x": None, **body})
    await given(people, one)
    browser = await officer(people)

    for path in ("/inbox", page_of(one), page_of(one) + "/print", page_of(one) + "/export"):
        await text_of(browser, path)
