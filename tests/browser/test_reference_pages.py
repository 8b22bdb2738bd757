"""The reference of the contract in a browser: light and dark, wide and narrow, nothing that its policy would stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe import axe
from conftest import OpenVisit
from small_server import served
from starlette.applications import Starlette
from starlette.routing import Mount

from bridge.api import reference

PAGES = ("", "amqp.html", "codes.html", "rules.html", "route_alert.html", "payload.html")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with served(Starlette(routes=[Mount(reference.PATH, reference.Reference())])) as at:
        yield at


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 400)])
async def test_pages_hold_wcag_and_fit_the_window(
    scheme: Literal["light", "dark"], width: int, origin: str, open_visit: OpenVisit
) -> None:
    visit = await open_visit(origin, scheme=scheme, width=width)
    for page in PAGES:
        answer = await visit.go(f"{reference.PATH}/{page}")
        assert answer.ok
        assert await axe(visit.page) == []
        assert await visit.overflow() == 0
        ground = await visit.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == ("rgb(15, 22, 29)" if scheme == "dark" else "rgb(237, 240, 243)")
