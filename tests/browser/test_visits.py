"""What the browser tests lean on: a fault on a page is noted, whatever its kind, and a good page has none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe import axe
from conftest import OpenVisit
from small_server import served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types"
PAGE = '<!doctype html><html lang="en"><title>{name}</title><main><h1>{name}</h1>{body}</main></html>'
BODIES = {
    "good": "<p>Nothing wrong.",
    "inline-script": "<p>Text <script>document.title = 'changed'</script>",
    "inline-style": "<p style='color: red'>Text",
    "other-sink": "<p>Text <script src='/sink.js'></script>",
    "wrong": "<p><img src='data:,'><input>",
    "elsewhere": "<p>Text <form action='http://elsewhere.example/' method='post'><button>Send</button></form>",
    "missing-file": "<p>Text <script src='/no-such.js'></script>",
    "broken-script": "<p>Text <script src='/broken.js'></script>",
}


async def page_of(request: Request) -> HTMLResponse:
    name = request.path_params["name"]
    policy = {"Content-Security-Policy": POLICY}
    return HTMLResponse(PAGE.format(name=name, body=BODIES[name]), headers=policy)


async def script_of(request: Request) -> Response:
    scripts = {"sink": "document.body.innerHTML = '<b>no</b>'", "broken": "none.at.all"}
    script = scripts.get(request.path_params["name"])
    return Response(script, 404 if script is None else 200, media_type="text/javascript")


@pytest.fixture(scope="module")
def small_site() -> Iterator[str]:
    """The origin of a server with one page for each kind of fault."""
    with served(Starlette(routes=[Route("/{name}.js", script_of), Route("/{name}", page_of)])) as origin:
        yield origin


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
async def test_a_good_page_has_no_fault(open_visit: OpenVisit, small_site: str, *, javascript: bool) -> None:
    # given a page without faults, when it is opened, then there is none
    visit = await open_visit(small_site, javascript=javascript)
    assert (await visit.go("/good")).status == 200
    assert await visit.take_faults() == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("inline-script", "policy: script-src-elem forbids kInlineViolation"),
        ("inline-style", "policy: style-src-attr forbids kInlineViolation"),
        ("other-sink", "policy: require-trusted-types-for forbids kTrustedTypesSinkViolation"),
        ("missing-file", "console: Failed to load resource"),
        ("broken-script", "script: "),
    ],
    ids=["inline-script", "inline-style", "other-sink", "missing-file", "broken-script"],
)
async def test_a_fault_is_noted(open_visit: OpenVisit, small_site: str, name: str, kind: str) -> None:
    # given a page with one fault, when it is opened, then it is noted by its kind
    visit = await open_visit(small_site)
    await visit.go(f"/{name}")
    faults = await visit.take_faults()
    assert [fault for fault in faults if fault.startswith(kind)], faults


async def test_a_forbidden_style_is_noted_without_javascript(open_visit: OpenVisit, small_site: str) -> None:
    # given a window without JavaScript, when a page with a style of its own is opened, then that is noted
    visit = await open_visit(small_site, javascript=False)
    await visit.go("/inline-style")
    assert any(fault.startswith("policy: style-src-attr") for fault in await visit.take_faults())


async def test_a_request_elsewhere_is_noted(open_visit: OpenVisit, small_site: str) -> None:
    # given a form that posts to another server
    visit = await open_visit(small_site)
    await visit.go("/elsewhere")
    assert await visit.take_faults() == []

    # when it is sent, then the request is noted, and it has reached nobody
    async with visit.page.expect_event("requestfailed"):
        await visit.page.get_by_role("button", name="Send").click(no_wait_after=True)
    faults = await visit.take_faults()
    assert "elsewhere: POST http://elsewhere.example/" in faults
    assert any("net::ERR_NAME_NOT_RESOLVED" in fault for fault in faults)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_what_is_wrong_and_disturbs_no_policy(
    open_visit: OpenVisit, small_site: str, scheme: str
) -> None:
    # given a page with a picture and a field that say nothing, when axe looks at it
    visit = await open_visit(small_site, scheme=scheme)
    await visit.go("/wrong")
    await visit.take_faults()  # its picture is forbidden too
    found = await axe(visit.page)

    # then both are found, and looking has violated no policy
    assert {line.split(":")[0] for line in found} == {"image-alt", "label"}
    assert await visit.take_faults() == []

    # and it finds nothing on a good page
    await visit.go("/good")
    assert await axe(visit.page) == []
