"""One request of one person: who, in which language, what was sent; and the answers that a page gives."""

from __future__ import annotations

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
from bridge.console.language import Words, marked
from bridge.console.parts import Parts

SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422
MOST_FIELDS: Final = 2000
LONGEST_FORM: Final = 256 * 1024  # bytes, the encoding of forms included: a body is at most 64 KiB


TABS: Final = (
    ("inbox", marked("Inbox"), Permission.READ_MESSAGES),
    ("operations", marked("Operations"), Permission.WATCH_NODE),
)


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
            "person": self.signed_in.person if self.signed_in else None,
            "country_code": self.parts.country,
            "csrf": self.csrf,
            "may": self._may,
            "now": self.parts.clock.now(),
            "page": self.request.scope.get("ncp_page", ""),
            "path_of": self.request.app.url_path_for,
        }


def read_fields(body: bytes) -> FormData:
    """The fields of a form as browsers send them; raises `ValueError` for what is none."""
    fields: list[tuple[str, str | UploadFile]] = []
    fields += parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    return FormData(fields)
