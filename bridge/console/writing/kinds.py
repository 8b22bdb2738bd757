"""The kinds that are written here, each with its form: a kind joins with a template and what it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bridge.console.language import marked
from bridge.core.vocabulary import ALERT_CANCEL, ALERT_UPDATE, ROUTE_ALERT


@dataclass(frozen=True, slots=True)
class KindForm:
    """How a kind is written.

    Attributes:
        template: below `templates/compose/`.
        heading: of the page.
        shows_differences: from the version that it takes the place of.
    """

    template: str
    heading: str
    shows_differences: bool = False


FORMS: Final[Mapping[str, KindForm]] = MappingProxyType(
    {
        ROUTE_ALERT: KindForm("alert.html", marked("New alert")),
        ALERT_UPDATE: KindForm("update.html", marked("Update an alert"), shows_differences=True),
        ALERT_CANCEL: KindForm("cancel.html", marked("Cancel an alert")),
    }
)


def new_alert(*, country: str, language: str) -> dict[str, object]:
    """What a new alert begins with: one leg from here, and the marking that most alerts have."""
    return {
        "kind": ROUTE_ALERT,
        "status": "actual",
        "body": {
            "language": language,
            "tlp": "AMBER",
            "purpose": "prevention_detection_investigation",
            "legal_basis": "UN Trafficking in Persons Protocol, Art. 10",
            "legs": [{"from": {"country": country}, "to": {}, "confirmed": False}],
        },
    }
