"""htmx under the console's own policy: our server's fragments become part of the page, what could run does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import OpenVisit
from small_server import served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from bridge.console.app import HERE
from bridge.console.files import OwnFiles
from bridge.console.guard.headers import PAGE_HEADERS

FILES = OwnFiles(HERE / "static")
SETTINGS = 'extensions:"ncp-bridge",history:false,includeIndicatorCSS:false,mode:"same-origin"'
PAGE = """<!doctype html><html lang="en"><head><title>Parts</title>
<meta name="htmx-config" content='{settings}'><link rel="icon" href="/static/{icon}">
<link rel="stylesheet" href="/static/{fonts}"><link rel="stylesheet" href="/static/{base}">
<script src="/static/{htmx}" defer></script><script src="/static/{console}" defer></script></head><body>
<h1>Parts</h1><button hx-get="/part/{name}" hx-target="#here">Load</button><p id="here">before</p></body></html>"""
PARTS = {
    "good": '<b class="loaded">after</b><input value="javascript: as text"><a href="/page/good">link</a>',
    "script": "<b>after</b><script>document.title = 'ran'</script>",
    "script-in-template": "<template><script>document.title = 'ran'</script></template>",
    "handler": "<img src='data:,' onerror=\"document.title = 'ran'\">",
    "address": "<a href=\"java\tscript:document.title = 'ran'\">link</a>",
    "frame": "<iframe srcdoc='<p>'></iframe>",
    "htmx-handler": "<button hx-on:click=\"document.title = 'ran'\">b</button>",
    "elsewhere-script": "<script src='https://elsewhere.example/a.js'></script>",
}


async def page_of(request: Request) -> HTMLResponse:
    text = PAGE.format(
        settings=SETTINGS,
        icon=FILES.addresses["icons/bridge.svg"],
        base=FILES.addresses["css/base.css"],
        fonts=FILES.addresses["css/fonts.css"],
        htmx=FILES.addresses["js/vendor/htmx.min.js"],
        console=FILES.addresses["js/console.js"],
        name=request.path_params["name"],
    )
    return HTMLResponse(text, headers=PAGE_HEADERS)


async def part_of(request: Request) -> HTMLResponse:
    return HTMLResponse(PARTS[request.path_params["name"]], headers=PAGE_HEADERS)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The origin of a server with a page that loads a part, one for each kind of part."""
    app = Starlette(routes=[Route("/page/{name}", page_of), Route("/part/{name}", part_of), Mount("/static", FILES)])
    with served(app) as origin:
        yield origin


async def test_a_fragment_of_our_own_becomes_part_of_the_page(open_visit: OpenVisit, site: str) -> None:
    # given a page of ours, when it loads a part, then the part is in it, and nothing was violated
    visit = await open_visit(site)
    await visit.go("/page/good")
    await visit.page.get_by_role("button").click()
    await visit.page.locator("#here .loaded").wait_for()
    loaded = "document.fonts.ready.then(() => [...document.fonts].filter((face) => face.status == 'loaded').length)"
    assert await visit.page.evaluate(loaded) >= 2


@pytest.mark.parametrize("name", sorted(set(PARTS) - {"good"}))
async def test_a_fragment_that_could_run_is_refused(open_visit: OpenVisit, site: str, name: str) -> None:
    # given a part that could run something
    visit = await open_visit(site)
    await visit.go(f"/page/{name}")

    # when it arrives, then the page says so to its console, and stays as it was
    async with visit.page.expect_console_message(lambda message: "could run" in message.text):
        await visit.page.get_by_role("button").click()
    assert await visit.page.locator("#here").inner_text() == "before"
    assert await visit.page.title() == "Parts"
    await visit.take_faults()
