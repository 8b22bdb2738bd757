"""Which pages of a console a person reaches by its links, one address for each entry of the access table."""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Mapping

from starlette.routing import compile_path
from visits import Visit

from bridge.console.access import Page, all_pages

NOT_BY_A_LINK = {
    "export",  # a download
    "front",  # sends on to the first page of a role
    "kept",  # after a session that ended while somebody wrote
    "sign_in_elsewhere",  # only with an identity provider, and sends on to it
    "back_from_elsewhere",  # the same, and sends on from it
}

_HREF = re.compile(r'\bhref="([^"]*)"')
_FETCH = """async (path) => {
  const answer = await fetch(path, {headers: {accept: "text/html"}});
  const type = answer.headers.get("content-type") ?? "";
  const isPage = type.startsWith("text/html") && !answer.headers.has("content-disposition");
  return [isPage ? await answer.text() : null, new URL(answer.url).pathname];
}"""


def pages_to_see() -> list[Page]:
    """Every page that a person can look at."""
    return [
        page
        for page in all_pages()
        if page.method == "GET" and not page.is_background and page.name not in NOT_BY_A_LINK
    ]


async def reachable(visit: Visit) -> Mapping[str, str]:
    """The address of each page that is reached from the front page or the open one, by its name; downloads are none.

    Whether the page is any good is not looked at.
    """
    patterns = [(page.name, compile_path(page.path)[0]) for page in pages_to_see()]
    found: dict[str, str] = {}
    seen, waiting = {"/"}, deque(["/", visit.page.url.removeprefix(visit.origin)])
    while waiting:
        path = waiting.popleft()
        text, landed = await visit.page.evaluate(_FETCH, path)
        if text is None:
            continue
        name = _name_of(landed, patterns)
        if name is None or name in found:
            continue
        found[name] = path if landed == path.partition("?")[0] else landed
        for link in map(html.unescape, _HREF.findall(text)):
            address = link.partition("#")[0]
            is_ours = address.startswith("/") and not address.startswith("/static/")
            if is_ours and address not in seen and _name_of(address, patterns) not in found:
                seen.add(address)
                waiting.append(address)
    return found


def _name_of(address: str, patterns: list[tuple[str, re.Pattern[str]]]) -> str | None:
    path = address.partition("?")[0]
    return next((name for name, pattern in patterns if pattern.match(path)), None)
