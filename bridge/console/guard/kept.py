"""Forms that arrived when they could not be done: kept for their person, who goes on with them or discards them.

In memory only, bounded, for an hour at most: what an officer had typed rests on no disk in clear. Nothing with a
password in it is kept, and no search.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_KEPT: Final = 64
MOST_OF_A_PERSON: Final = 8
MOST_KNOWN: Final = 1024
KEPT_FOR: Final = timedelta(hours=1)
LONGEST_SAMPLE: Final = 200
_ASK_ONLY: Final = frozenset({"/search"})
_TELL_APART: Final = frozenset({"draft", "window"})

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form as it was sent: where to, and its fields in their order, without the token.

    Attributes:
        was_tried: whether a page had it, and failed.
    """

    action: str
    fields: Sequence[tuple[str, str]] = field(repr=False)
    at: datetime
    was_tried: bool

    @property
    def which(self) -> Sequence[tuple[str, str]]:
        """What tells it from others that go to the same page: the draft, and the window it was written in."""
        return _which(self.fields)

    @property
    def sample(self) -> str:
        """The longest text in it, or its beginning: by that its person knows it."""
        return max((value for _, value in self.fields if " " in value), key=len, default="")[:LONGEST_SAMPLE]


@dataclass(frozen=True, slots=True)
class KeptForms:
    """The newest forms of each person, and whose session each form token was."""

    _forms: OrderedDict[_Key, KeptForm] = field(default_factory=OrderedDict)
    _owners: OrderedDict[str, tuple[str, datetime]] = field(default_factory=OrderedDict)

    def know(self, form_token: str, login: str, now: datetime) -> None:
        """Whose session a form token is; it stays known for a while when the session has ended."""
        self._owners[form_token] = login, now
        self._owners.move_to_end(form_token)
        if len(self._owners) > MOST_KNOWN:
            self._owners.popitem(last=False)

    def owner(self, form_token: str, now: datetime) -> str | None:
        """Whose session a form token is, or was within the hour."""
        login, seen_at = self._owners.get(form_token, (None, now))
        return login if now < seen_at + KEPT_FOR else None

    def keep(
        self, login: str, action: str, fields: Sequence[tuple[str, str]], now: datetime, *, was_tried: bool = False
    ) -> bool:
        """Keeps a form instead of the same one before; answers whether it did."""
        without = [(name, value) for name, value in fields if name != "csrf"]
        if not without or action in _ASK_ONLY or any("password" in name for name, _ in without):
            return False
        key = (login, action, _which(without))
        self._forms.pop(key, None)
        self._forms[key] = KeptForm(action, without, now, was_tried)
        own = [known for known in self._forms if known[0] == login]
        if len(own) > MOST_OF_A_PERSON:
            del self._forms[next((known for known in own if self._forms[known].was_tried), own[0])]
        if len(self._forms) > MOST_KEPT:
            self._forms.popitem(last=False)
        return True

    def of(self, login: str, now: datetime) -> Sequence[KeptForm]:
        """What is kept of somebody, newest first."""
        for key in [key for key, form in self._forms.items() if form.at + KEPT_FOR <= now]:
            del self._forms[key]
        return [form for key, form in reversed(self._forms.items()) if key[0] == login]

    def done(self, login: str, action: str, fields: Sequence[tuple[str, str]]) -> None:
        """A form of somebody is done, or not wanted any more: the one that was kept for it goes."""
        self._forms.pop((login, action, _which(fields)), None)

    def drop(self, login: str) -> None:
        """None of somebody's is wanted any more."""
        for key in [key for key in self._forms if key[0] == login]:
            del self._forms[key]


def _which(fields: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in fields if name in _TELL_APART))
