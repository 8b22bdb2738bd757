"""A console whose officers write alerts: real use cases over one store, a membership list by hand."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from console_world import FROM_HERE, Browser, World

from bridge.app.desk.drafts import WriteDrafts
from bridge.app.desk.own_alerts import OwnAlerts
from bridge.app.desk.previewing import PreviewRecipients
from bridge.app.desk.releasing import ReleaseAlerts
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.directory import Directory

sys.path.append(str(Path(__file__).resolve().parents[1] / "app"))

from bridge_node import Node
from bridge_world import START, ListedTrust, ListPublisher, directory

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_TYPED = re.compile(r'<input type="text"[^>]*? name="([^"]+)" value="([^"]*)"')
_CHECKED = re.compile(r'<input type="(?:radio|checkbox)" name="([^"]+)" value="([^"]*)" checked')
_CHOICE = re.compile(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', re.DOTALL)
_TEXT = re.compile(r'<textarea[^>]*? name="([^"]+)"[^>]*>\n(.*?)</textarea>', re.DOTALL)

Fields = list[tuple[str, str]]


@dataclass
class Officer:
    """An officer at a browser, and the form that is on the screen."""

    browser: Browser
    answer: httpx.Response | None = None

    @property
    def page(self) -> str:
        assert self.answer is not None
        return self.answer.text

    async def open(self, path: str) -> httpx.Response:
        self.answer = await self.browser.get(path)
        return self.answer

    def fields(self) -> Fields:
        """The fields of the form on the screen, as a browser would send them."""
        form = self.page[self.page.index('id="compose"') :]
        found: Fields = [*_HIDDEN.findall(form), *_TYPED.findall(form), *_CHECKED.findall(form), *_TEXT.findall(form)]
        for name, options in _CHOICE.findall(form):
            chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
            found.append((name, chosen[1] if chosen else ""))
        return [(name, unescape(value)) for name, value in found]

    async def send(self, path: str = "/compose", *, fields: Fields | None = None, **typed: str) -> httpx.Response:
        """Sends the form with what was typed (`body__title`) and follows where it leads."""
        sent = fields if fields is not None else self.fields()
        for name, value in typed.items():
            wanted = re.sub(r"__(\d+)", r"[\1]", name).replace("__", ".")
            sent = [*((known, old) for known, old in sent if known != wanted), (wanted, value)]
        headers = {**FROM_HERE, "content-type": "application/x-www-form-urlencoded"}
        self.answer = await self.browser.client.post(path, content=urlencode(sent), headers=headers)
        if self.answer.status_code == 303:
            await self.open(self.answer.headers["location"])
        return self.answer

    async def press(self, path: str, **fields: str) -> httpx.Response:
        """Sends one of the small forms beside the large one."""
        self.answer = await self.browser.post(path, fields)
        return self.answer


class Desk:
    """A contact point with its people."""

    def __init__(self, people: World) -> None:
        people.clock.time = START
        self.people = people
        self.trust = ListedTrust(directory())
        self.node = Node(people.store, self.trust, people.clock, ListPublisher())  # type: ignore[arg-type]
        drafts = WriteDrafts(people.store, self.node.vault, people.clock, self.node.ids)
        self.drafts = drafts
        self.app = people.app(
            trust=self.trust,
            ids=self.node.ids,
            vault=self.node.vault,
            drafts=drafts,
            own_alerts=OwnAlerts(drafts),
            previewing=PreviewRecipients(people.store, people.clock),
            releasing=self._releasing,
            newest_list=self._newest_list,
        )

    async def officer(self, login: str, *roles: str) -> Officer:
        await self.people.person(*(roles or ("duty_officer",)), login=login)
        return Officer(Browser(self.app, await self.people.session(login)))

    async def logged(self, action: str) -> Sequence[str]:
        return [entry.actor for entry in await self.node.audit(action)]

    async def _releasing(self) -> ReleaseAlerts:
        return ReleaseAlerts(self.drafts, SubmitAlerts(self.node.sending()))

    async def _newest_list(self) -> Directory:
        return self.trust.current()


@pytest.fixture
def desk(people: World) -> Desk:
    return Desk(people)
