"""Every field of the forms: what it is called, what is typed into it, and which code list it takes.

A field is named by the path of its member in an alert file, without indices: `body.legs[].from.country`. Its name in a
form is the path with them, its HTML id is made of that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from bridge.console.language import marked

_INDEX: Final = re.compile(r"\[[0-9]+\]")
_QUOTED: Final = re.compile(r'\["([^"]*)"\]')
_OTHER: Final = re.compile(r"[^A-Za-z0-9]+")
_LAST_STEP: Final = re.compile(r"(\.[^.\[\]]+|\[[0-9]+\])\Z")
NARRATIVE: Final = "body.narrative"


class Takes(Enum):
    """What is typed into a field."""

    TEXT = "text"
    CODE = "code"
    CODES = "codes"
    LINES = "lines"
    YES_NO = "yes_no"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its label, what it takes, and from which code list."""

    label: str
    takes: Takes = Takes.TEXT
    code_list: str = ""


def _codes(label: str, code_list: str) -> Field:
    return Field(label, Takes.CODES, code_list)


def _code(label: str, code_list: str) -> Field:
    return Field(label, Takes.CODE, code_list)


FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "status": _code(marked("Is this real?"), "status"),
        "urgency": _code(marked("How urgent is it?"), "urgency"),
        "expires": Field(marked("Worth delivering until"), Takes.TIME),
        "body.change_summary": Field(marked("What has changed?")),
        "body.title": Field(marked("What is happening?")),
        "body.language": _code(marked("Language of the text"), "language"),
        "body.reason": _code(marked("Why does the alert no longer hold?"), "alert_cancel.reason"),
        "body.note": Field(marked("What else should they know?")),
        "body.severity": _code(marked("How severe is it?"), "severity"),
        "body.certainty": _code(marked("How certain is it?"), "certainty"),
        "body.source_reliability": _code(marked("How reliable is the source?"), "source_reliability"),
        "body.information_accuracy": _code(marked("How does the source know?"), "information_accuracy"),
        "body.legs": Field(marked("Route")),
        "body.legs[].from.country": _code(marked("From country"), "country"),
        "body.legs[].from.place": Field(marked("From place")),
        "body.legs[].from.event": _code(marked("What happens where it starts"), "node_event"),
        "body.legs[].to.country": _code(marked("To country"), "country"),
        "body.legs[].to.place": Field(marked("To place")),
        "body.legs[].to.event": _code(marked("What happens where it ends"), "node_event"),
        "body.legs[].roles.from": _codes(marked("Role of the country where it starts"), "country_role"),
        "body.legs[].roles.to": _codes(marked("Role of the country where it ends"), "country_role"),
        "body.legs[].crossing": _code(marked("How the border is crossed"), "crossing"),
        "body.legs[].crossing_point": Field(marked("Border crossing")),
        "body.legs[].transport_mode": _code(marked("Transport"), "transport_mode"),
        "body.legs[].conveyance": _code(marked("By"), "conveyance"),
        "body.legs[].document_fraud": _codes(marked("Travel documents"), "document_fraud"),
        "body.legs[].confirmed": Field(marked("Confirmed or suspected"), Takes.YES_NO),
        "body.legs[].expected_from": Field(marked("Expected from"), Takes.TIME),
        "body.legs[].expected_to": Field(marked("Expected until"), Takes.TIME),
        "body.observed_from": Field(marked("Observed from"), Takes.TIME),
        "body.observed_to": Field(marked("Observed until"), Takes.TIME),
        "body.observed_precision": _code(marked("How exact are these times?"), "observed_precision"),
        "body.acts": _codes(marked("Acts"), "act"),
        "body.means": _codes(marked("Means"), "means"),
        "body.exploitation": _codes(marked("Exploitation"), "exploitation"),
        "body.labour_sector": _codes(marked("Sector of work"), "labour_sector"),
        "body.recruitment": _codes(marked("How victims are recruited"), "recruitment"),
        "body.recruiter_relation": _codes(marked("Who the recruiter is to them"), "recruiter_relation"),
        "body.platforms": Field(marked("Online platforms"), Takes.LINES),
        "body.control": _codes(marked("How victims are controlled"), "control"),
        "body.organisers": Field(marked("Organisers")),
        "body.organisers.roles": _codes(marked("Roles of the organisers"), "organiser_role"),
        "body.organisers.group_size": _code(marked("How many organisers"), "count_band"),
        "body.organisers.modus_operandi": Field(marked("How they work")),
        "body.victims": Field(marked("Victims")),
        "body.victims[].age_band": _code(marked("Age"), "age_band"),
        "body.victims[].sex": _code(marked("Sex"), "sex"),
        "body.victims[].count_band": _code(marked("How many"), "count_band"),
        "body.victims[].accompaniment": _code(marked("With whom they travel"), "accompaniment"),
        "body.victims[].nationalities": _codes(marked("Nationalities"), "country"),
        "body.trend": _code(marked("How the route develops"), "trend"),
        "body.displaced_from": _codes(marked("Route it moved away from"), "country"),
        "body.recommended_action": _code(marked("What you advise"), "recommended_action"),
        "body.request": Field(marked("What do you ask of the others?")),
        NARRATIVE: Field(marked("Narrative")),
        "body.tlp": _code(marked("Who may see it (TLP)"), "tlp"),
        "body.handling": _codes(marked("What it may be used for"), "handling"),
        "body.handling_note": Field(marked("The restriction in words")),
        "body.purpose": _code(marked("Purpose"), "purpose"),
        "body.legal_basis": Field(marked("Legal basis")),
        "body.retain_until": Field(marked("Erased on"), Takes.TIME),
    }
)


def field_name(problem_path: str) -> str:
    """The name, in a form, of what a path means; `$.body.narrative["sr-Latn"]` is `body.narrative.sr-Latn`."""
    return _QUOTED.sub(r".\1", problem_path.removeprefix("$").removeprefix("."))


def field_id(name: str) -> str:
    """The HTML id of a field."""
    return "f-" + _OTHER.sub("-", name).strip("-")


def kind_of(name: str) -> str:
    """The field that a name means, without indices; a narrative is one whatever its language."""
    plain = _INDEX.sub("[]", name)
    return NARRATIVE if plain.startswith(f"{NARRATIVE}.") else plain


def shown_field(problem_path: str) -> str | None:
    """The name of the field in which a fault is mended: its own, or the nearest that holds it."""
    name = field_name(problem_path)
    while name:
        if kind_of(name) in FIELDS:
            return name
        shorter = _LAST_STEP.sub("", name)
        name = shorter if shorter != name else ""
    return None
