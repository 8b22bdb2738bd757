"""Forms that arrived when their session was locked: kept for their person until they have signed in again.

In memory only, bounded, for an hour at most: what an officer had typed rests on no disk in clear. Nothing with a
password in it is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_KEPT: Final = 64
KEPT_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form as it was sent: where to, and its fields in their order, without the token."""

    action: str
    fields: Sequence[tuple[str, str]] = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptForms:
    """The newest form of each person."""

    _forms: OrderedDict[str, KeptForm] = field(default_factory=OrderedDict)

    def keep(self, login: str, action: str, fields: Sequence[tuple[str, str]], now: datetime) -> bool:
        """Keeps a form instead of the one before; answers whether it did."""
        if any("password" in name for name, _ in fields):
            return False
        without = [(name, value) for name, value in fields if name != "csrf"]
        self._forms.pop(login, None)
        self._forms[login] = KeptForm(action, without, now)
        if len(self._forms) > MOST_KEPT:
            self._forms.popitem(last=False)
        return True

    def of(self, login: str, now: datetime) -> KeptForm | None:
        """What is kept of somebody."""
        form = self._forms.get(login)
        if form is not None and form.at + KEPT_FOR <= now:
            del self._forms[login]
            return None
        return form

    def sent(self, login: str, action: str) -> None:
        """A form of somebody went to a page now: the one that was kept for it is done with."""
        form = self._forms.get(login)
        if form is not None and form.action == action:
            del self._forms[login]

    def drop(self, login: str) -> None:
        """It is not wanted any more."""
        self._forms.pop(login, None)
