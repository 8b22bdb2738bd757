"""One request of one person: who, in which language, what was sent; and the answers that a page gives."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person, SignedIn
from bridge.console.guard.kept import KeptForms
from bridge.console.guard.limits import Limits
from bridge.console.language import Words, choose_language, marked
from bridge.console.parts import Parts

SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429
MOST_FIELDS: Final = 2000
LONGEST_FORM: Final = 256 * 1024  # bytes, the encoding of forms included: a body is at most 64 KiB


TABS: Final = (
    ("inbox", marked("Inbox"), Permission.READ_MESSAGES),
    ("compose", marked("New alert"), Permission.WRITE_ALERTS),
    ("release", marked("Release"), Permission.RELEASE),
    ("sent", marked("Sent"), Permission.READ_MESSAGES),
    ("search", marked("Search"), Permission.READ_MESSAGES),
    ("corridors", marked("Corridors"), Permission.READ_MESSAGES),
    ("shift", marked("Shift"), Permission.READ_MESSAGES),
    ("operations", marked("Operations"), Permission.WATCH_NODE),
    ("accounts", marked("Accounts"), Permission.MANAGE_ACCOUNTS),
)


SentForm = tuple[str, Sequence[tuple[str, str]]]
"""What somebody wrote: to which address of ours it goes, and its fields in their order."""


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry of the main navigation."""

    page: str
    label: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as a page sees it.

    Attributes:
        signed_in: `None` on a page that is open to everybody.
        csrf: the token that each form of this session carries.
    """

    request: Request
    parts: Parts
    words: Words
    templates: Environment
    signed_in: SignedIn | None
    csrf: str
    form: FormData
    limits: Limits
    kept: KeptForms

    @property
    def page(self) -> str:
        """The page's name."""
        return str(self.request.scope.get("ncp_page", ""))

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """All fields of the form that was sent, in their order."""
        return [(name, value) for name, value in self.form.multi_items() if isinstance(value, str)]

    @property
    def given_token(self) -> str:
        """The form token that was sent, whatever it is worth."""
        return self.field("csrf") or self.request.headers.get("x-csrf-token", "")

    @property
    def has_token(self) -> bool:
        """Whether the form carries its session's token, as a field or in the header."""
        given = self.given_token.encode("utf-8", "surrogatepass")
        return bool(self.csrf) and hmac.compare_digest(given, self.csrf.encode())

    @property
    def person(self) -> Person:
        """Who is signed in; asked only by pages that need a permission."""
        if self.signed_in is None:
            fault = "a page that is open to everybody asked who is there"
            raise LookupError(fault)
        return self.signed_in.person

    @property
    def contact_point(self) -> str:
        """Whose messages this person reads; asked only by pages for which reading messages is a permission."""
        if self.person.contact_point is None:
            fault = f"{self.person.login} has no contact point"
            raise LookupError(fault)
        return self.person.contact_point

    @property
    def is_fragment(self) -> bool:
        """Whether a script asks for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def tabs(self) -> Sequence[Tab]:
        """What the person may open from every page."""
        here = str(self.request.scope.get("ncp_tab", ""))
        return [Tab(page, label, here == page) for page, label, needed in TABS if self.person.may(needed)]

    def query(self, name: str, default: str = "") -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, default)

    def field(self, name: str, default: str = "") -> str:
        """A field of the form that was sent."""
        value = self.form.get(name, default)
        return value if isinstance(value, str) else default

    @property
    def is_kept(self) -> bool:
        """Whether the form that was sent is kept for its person."""
        return bool(self.request.scope.get("ncp_is_kept"))

    def keep_form(self, login: str, written: SentForm, *, was_tried: bool = False) -> bool:
        """Keeps what somebody had typed until they go on with it; answers whether it did."""
        is_kept = self.kept.keep(login, *written, self.parts.clock.now(), was_tried=was_tried)
        self.request.scope["ncp_is_kept"] = is_kept
        return is_kept

    def too_many(self) -> Response:
        """The answer to what was asked too often."""
        response = self.show("refused.html", status=TOO_MANY, reason="often")
        response.headers["Retry-After"] = "60"
        return response

    def show(self, template: str, /, *, status: int = 200, **context: object) -> Response:
        """A page or a fragment."""
        text = self.templates.get_template(template).render(**self._always(), **context)
        return HTMLResponse(text, status)

    def go(self, name: str, /, *, query: Mapping[str, str] | None = None, **path: str) -> Response:
        """To another page, after something was done."""
        address = self.request.app.url_path_for(name, **path)
        if query:
            address = f"{address}?{urlencode(query)}"
        return RedirectResponse(address, SEE_OTHER)

    def _may(self, permission: str) -> bool:
        """For templates: whether to offer something that needs a permission."""
        return self.signed_in is not None and self.signed_in.person.may(Permission(permission))

    def _always(self) -> Mapping[str, object]:
        return {
            **self.words.in_templates(),
            "visit": self,
            "person": self.signed_in.person if self.signed_in and not self.signed_in.is_locked else None,
            "idle_seconds": int(self.parts.idle.total_seconds()),
            "words_are_reviewed": choose_language(self.words.tag, None).reviewed,
            "back_query": urlencode({"next": self.request.url.path if self.request.method == "GET" else "/"}),
            "country_code": self.parts.country,
            "csrf": self.csrf,
            "may": self._may,
            "now": self.parts.clock.now(),
            "page": self.page,
            "path_of": self.request.app.url_path_for,
        }


def read_fields(body: bytes) -> FormData:
    """The fields of a form as browsers send them; raises `ValueError` for what is none."""
    fields: list[tuple[str, str | UploadFile]] = []
    fields += parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    return FormData(fields)
