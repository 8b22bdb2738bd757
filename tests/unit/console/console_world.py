"""A console over a real SQLite store, without a node: people sign in for real, what pages would do is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import httpx
from starlette.types import ASGIApp

from bridge.adapters.store import SqlStore
from bridge.app.accounts.elsewhere import SignInElsewhere
from bridge.app.accounts.manage import ManageAccounts
from bridge.app.accounts.sign_in import LocalAccounts, SignIn
from bridge.console.app import console_app
from bridge.console.guard.session import cookie_name, form_token
from bridge.console.live import Live
from bridge.console.parts import Parts

ORIGIN = "https://console.example"
HOSTED = ("rs.ncp",)
IDLE = timedelta(minutes=15)
PASSWORD = "four words and more"
FROM_HERE = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


@dataclass
class MovedClock:
    """Tells the time it was told."""

    time: datetime = datetime(2026, 11, 28, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, span: timedelta) -> None:
        self.time += span


class PlainPasswords:
    """No hashing: argon2 has its own tests, and would be most of the time of these."""

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash == f"plain:{password}"

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith("plain:")


async def receives() -> bool:
    """Nobody looks at a broker here."""
    return True


@dataclass
class World:
    """The use cases of people's accounts over one store."""

    store: SqlStore
    clock: MovedClock = field(default_factory=MovedClock)
    local: LocalAccounts = LocalAccounts.ALL
    elsewhere: SignInElsewhere | None = None

    @property
    def sign_in(self) -> SignIn:
        return SignIn(self.store, PlainPasswords(), self.clock, IDLE, self.local)

    @property
    def accounts(self) -> ManageAccounts:
        return ManageAccounts(self.store, PlainPasswords(), self.clock, HOSTED)

    async def person(self, *roles: str, login: str | None = None) -> str:
        """Makes an account, named as its roles unless told otherwise; its login."""
        name = login or "-".join(roles)
        await self.accounts.add(name, name="A. B.", roles=roles, by="test", contact_point="rs.ncp", password=PASSWORD)
        return name

    async def session(self, login: str) -> str:
        """Signs somebody in; the token."""
        return await self.sign_in.by_password(login, PASSWORD)

    def app(self, **others: object) -> ASGIApp:
        """The console; what it is not given is not there."""
        given: Mapping[str, object] = {
            "country": "RS",
            "hosted": HOSTED,
            "origin": ORIGIN,
            "idle": IDLE,
            "time_zone": "UTC",
            "store": self.store,
            "clock": self.clock,
            "sign_in": self.sign_in,
            "elsewhere": self.elsewhere,
            "accounts": self.accounts,
            "live": Live(self.store, self.clock, HOSTED, receives),
            **others,
        }
        parts = SimpleNamespace(**{part.name: given.get(part.name) for part in fields(Parts)})
        return console_app(cast("Parts", parts))


@dataclass
class Browser:
    """Somebody's browser at the console, which keeps cookies and sends forms as browsers do."""

    app: ASGIApp
    token: str | None = None

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)
        if self.token is not None:
            self.client.cookies.set(cookie_name("RS"), self.token)

    @property
    def own_token(self) -> str | None:
        """The session's token that it has now."""
        return self.client.cookies.get(cookie_name("RS"))

    @property
    def csrf(self) -> str:
        """What a page of ours would put into its forms."""
        return form_token(self.own_token) if self.own_token else ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Opens a page."""
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, form: Mapping[str, object] | None = None, **headers: str) -> httpx.Response:
        """Sends a form with its token, from our own origin unless told otherwise."""
        data = {"csrf": self.csrf, **(form or {})}
        return await self.client.post(path, data=data, headers={**FROM_HERE, **headers})
