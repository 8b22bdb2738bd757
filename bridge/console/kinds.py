"""The message kinds as pages show them: a kind joins with a template and the members that are its facts.

A kind of a newer version is shown by `OTHER`: everything that has a name here, and the rest as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bridge.console.saying import FIELDS
from bridge.core.vocabulary import ACKNOWLEDGEMENT, ALERT_CANCEL, ALERT_UPDATE, DIRECTORY_NOTICE, ROUTE_ALERT

MARKING: Final = ("tlp", "handling", "handling_note", "purpose", "legal_basis", "retain_until")
_GRADING: Final = ("severity", "certainty", "source_reliability", "information_accuracy", "trend", "displaced_from")


@dataclass(frozen=True, slots=True)
class KindView:
    """How a kind is shown.

    Attributes:
        template: below `templates/kinds/`: what only this kind has.
        facts: members of the body that are its key facts.
        grading: members that say how good the information is.
        asks: members that say what the recipient is to do.
    """

    template: str
    facts: Sequence[str]
    grading: Sequence[str] = ()
    asks: Sequence[str] = ()


_ALERT: Final = KindView(
    template="alert.html",
    facts=(
        "exploitation",
        "labour_sector",
        "acts",
        "means",
        "control",
        "recruitment",
        "recruiter_relation",
        "platforms",
        "organisers",
        "observed_from",
        "observed_to",
        "observed_precision",
    ),
    grading=_GRADING,
    asks=("recommended_action", "request"),
)
_CANCEL: Final = KindView("answer.html", facts=("reason", "note"))
_ACKNOWLEDGEMENT: Final = KindView("answer.html", facts=("level", "officer", "at", "note", "redirect_to"))
_NOTICE: Final = KindView("notice.html", facts=("version", "effective"))
OTHER: Final = KindView("answer.html", facts=tuple(name for name in FIELDS if name not in {"title", *MARKING}))

_VIEWS: Final[Mapping[str, KindView]] = MappingProxyType(
    {
        ROUTE_ALERT: _ALERT,
        ALERT_UPDATE: _ALERT,
        ALERT_CANCEL: _CANCEL,
        ACKNOWLEDGEMENT: _ACKNOWLEDGEMENT,
        DIRECTORY_NOTICE: _NOTICE,
    }
)


def view_of(kind: str) -> KindView:
    """How a message of this kind is shown."""
    return _VIEWS.get(kind, OTHER)
