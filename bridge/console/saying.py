"""A message's members in a reader's words: one table says what each is called and how its value is said.

What this version does not know is said as it came, codes of a newer version included. Nothing here is HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.desk.members import as_it_is
from bridge.app.desk.route import Members, inner, objects, text
from bridge.console.language import Words, marked
from bridge.console.map.gazetteer import find_place
from bridge.core.messages.fields import parse_utc

Say = Callable[[Words, object], str]


@dataclass(frozen=True, slots=True)
class Field:
    """What a member is called, and how its value is said. `is_free`: people wrote it, in a language of theirs."""

    label: str
    say: Say
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One member as a page shows it."""

    label: str
    said: str
    is_free: bool = False


def _code(name: str) -> Say:
    return lambda words, value: words.code(name, value) if isinstance(value, str) else as_it_is(value)


def _codes(name: str) -> Say:
    return lambda words, value: _listed(value, lambda one: words.code(name, one))


def _countries(words: Words, value: object) -> str:
    return _listed(value, words.country)


def _as_it_is(_words: Words, value: object) -> str:
    return _listed(value, str) if isinstance(value, list) else as_it_is(value)


def _moment(words: Words, value: object) -> str:
    at = parse_utc(value)
    return words.moment(at) if isinstance(at, datetime) else as_it_is(value)


def _yes_or_no(words: Words, value: object) -> str:
    if not isinstance(value, bool):
        return as_it_is(value)
    return words.text("Yes") if value else words.text("No")


def _organisers(words: Words, value: object) -> str:
    if not isinstance(value, Mapping):
        return as_it_is(value)
    known = ("roles", "group_size", "modus_operandi")
    parts = [
        _listed(value.get("roles", []), lambda one: words.code("organiser_role", one)),
        words.text("group of {size}", size=words.code("count_band", text(value, "group_size")))
        if text(value, "group_size") not in ("", "unknown")
        else "",
        text(value, "modus_operandi"),
        *(f"{name}: {as_it_is(rest)}" for name, rest in value.items() if name not in known),
    ]
    return "; ".join(filter(None, parts))


FIELDS: Final[Mapping[str, Field]] = {
    "title": Field(marked("Title"), _as_it_is, is_free=True),
    "language": Field(marked("Language of the text"), lambda words, value: words.language_name(as_it_is(value))),
    "tlp": Field(marked("Who may see it"), _code("tlp")),
    "handling": Field(marked("What it may be used for"), _codes("handling")),
    "handling_note": Field(marked("Restriction"), _as_it_is, is_free=True),
    "classification": Field(marked("Classification"), _as_it_is),
    "purpose": Field(marked("Purpose"), _code("purpose")),
    "legal_basis": Field(marked("Legal basis"), _as_it_is, is_free=True),
    "retain_until": Field(marked("Erased by"), _moment),
    "severity": Field(marked("Severity"), _code("severity")),
    "certainty": Field(marked("Certainty"), _code("certainty")),
    "source_reliability": Field(marked("Source"), _code("source_reliability")),
    "information_accuracy": Field(marked("Information"), _code("information_accuracy")),
    "observed_from": Field(marked("Observed from"), _moment),
    "observed_to": Field(marked("Observed until"), _moment),
    "observed_precision": Field(marked("Times exact to"), _code("observed_precision")),
    "exploitation": Field(marked("Exploitation"), _codes("exploitation")),
    "labour_sector": Field(marked("Sector"), _codes("labour_sector")),
    "acts": Field(marked("Acts"), _codes("act")),
    "means": Field(marked("Means"), _codes("means")),
    "recruitment": Field(marked("Recruited through"), _codes("recruitment")),
    "recruiter_relation": Field(marked("Recruiter is"), _codes("recruiter_relation")),
    "control": Field(marked("Control"), _codes("control")),
    "platforms": Field(marked("Platforms"), _as_it_is, is_free=True),
    "organisers": Field(marked("Organisers"), _organisers, is_free=True),
    "trend": Field(marked("Trend"), _code("trend")),
    "displaced_from": Field(marked("Moved here from"), _countries),
    "recommended_action": Field(marked("Recommended"), _code("recommended_action")),
    "request": Field(marked("Request"), _as_it_is, is_free=True),
    "change_summary": Field(marked("What changed"), _as_it_is, is_free=True),
    "reason": Field(marked("Reason"), _code("alert_cancel.reason")),
    "level": Field(marked("Answer"), _code("acknowledgement.level")),
    "officer": Field(marked("Officer"), _as_it_is, is_free=True),
    "at": Field(marked("Answered at"), _moment),
    "note": Field(marked("Note"), _as_it_is, is_free=True),
    "redirect_to": Field(marked("Ask instead"), _as_it_is),
    "version": Field(marked("Version of the list"), _as_it_is),
    "effective": Field(marked("In force from"), _moment),
}
"""Every member of a body that is one value or a list of codes, in the order in which it is read."""

LEG_FIELDS: Final[Mapping[str, Field]] = {
    "transport_mode": Field(marked("Transport"), _code("transport_mode")),
    "conveyance": Field(marked("Vehicle"), _code("conveyance")),
    "crossing": Field(marked("Crossing"), _code("crossing")),
    "crossing_point": Field(marked("Crossing point"), _as_it_is, is_free=True),
    "document_fraud": Field(marked("Documents"), _codes("document_fraud")),
    "expected_from": Field(marked("Expected from"), _moment),
    "expected_to": Field(marked("Expected until"), _moment),
}
VICTIM_FIELDS: Final[Mapping[str, Field]] = {
    "count_band": Field(marked("Number"), _code("count_band")),
    "sex": Field(marked("Sex"), _code("sex")),
    "age_band": Field(marked("Age"), _code("age_band")),
    "accompaniment": Field(marked("Travelling"), _code("accompaniment")),
    "nationalities": Field(marked("Nationality"), _countries),
}
_LOCODE: Final = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")
_UNSAID: Final = frozenset({"", "unknown", "not_specified", "none"})
_STRUCTURED: Final = frozenset({"legs", "victims", "narrative", "references", "supersedes", "of", "changes", "files"})
_TRAVELS: Final = frozenset({"salt", "thread"})  # says nothing to a person
_LEG: Final = frozenset({*LEG_FIELDS, "from", "to", "roles", "confirmed"})
_END: Final = frozenset({"country", "place", "event"})
_ROLES: Final = frozenset({"from", "to"})
_REFERENCE: Final = frozenset({"from", "id", "payload_sha256"})
_CHANGE: Final = frozenset({"code", "who"})
_FILES: Final = frozenset({"since", "packed"})


def facts(body: Members, names: Sequence[str], words: Words) -> list[Fact]:
    """The named members that say something, in this order."""
    return [fact for name in names if name in body and (fact := _fact(FIELDS[name], body[name], words)).said]


def leg_facts(leg: Members, words: Words) -> list[Fact]:
    """What a leg says of the way, without its ends."""
    return [_fact(field, leg[name], words) for name, field in LEG_FIELDS.items() if not _is_unsaid(leg.get(name))]


def victim_group(group: Members, words: Words) -> str:
    """One group of victims in a line; what is not known is left out."""
    known = [field.say(words, group[name]) for name, field in VICTIM_FIELDS.items() if not _is_unsaid(group.get(name))]
    more = [f"{name}: {as_it_is(value)}" for name, value in group.items() if name not in VICTIM_FIELDS]
    return ", ".join(filter(None, (*known, *more))) or words.text("Nothing more is known")


def place_name(country: str, given: str) -> str:
    """A place as people call it, where its UN/LOCODE is given and known; else as it came."""
    if _LOCODE.fullmatch(given) is None:
        return given
    found = find_place(country, given)
    return given if found is None else f"{found.name} ({given})"


def place(end: Members, words: Words) -> str:
    """Where a leg starts or ends: place and country."""
    country = text(end, "country")
    return ", ".join(filter(None, (place_name(country, text(end, "place")), words.country(country))))


def leg_way(leg: Members, words: Words) -> str:
    """Where a leg leads from and to."""
    return f"{place(inner(leg, 'from'), words)} → {place(inner(leg, 'to'), words)}"


def leg_certainty(leg: Members, words: Words) -> str:
    """Whether a leg is known or supposed."""
    return words.text("Confirmed") if leg.get("confirmed") is True else words.text("Suspected")


def leg_line(leg: Members, words: Words) -> str:
    """A whole leg in a line."""
    way, certain = leg_way(leg, words), leg_certainty(leg, words)
    return "; ".join((way, certain, *(f"{words.text(fact.label)}: {fact.said}" for fact in leg_facts(leg, words))))


def left_over(body: Members) -> Iterator[str]:
    """What this version does not know, as `path: JSON`: it is shown, never hidden."""
    for name, value in body.items():
        if name not in FIELDS and name not in _STRUCTURED and name not in _TRAVELS:
            yield f"{name}: {as_it_is(value)}"
    for index, leg in enumerate(objects(body.get("legs"))):
        yield from _unknown(leg, _LEG, f"legs[{index}]")
        yield from _unknown(inner(leg, "roles"), _ROLES, f"legs[{index}].roles")
        for side in ("from", "to"):
            yield from _unknown(inner(leg, side), _END, f"legs[{index}].{side}")
    for name, known in (("of", _REFERENCE), ("supersedes", _REFERENCE), ("files", _FILES)):
        yield from _unknown(inner(body, name), known, name)
    for name, known in (("references", _REFERENCE), ("changes", _CHANGE)):
        for index, item in enumerate(objects(body.get(name))):
            yield from _unknown(item, known, f"{name}[{index}]")


def _unknown(members: Members, known: frozenset[str], where: str) -> Iterator[str]:
    for name, value in members.items():
        if name not in known:
            yield f"{where}.{name}: {as_it_is(value)}"


def _fact(field: Field, value: object, words: Words) -> Fact:
    return Fact(field.label, "" if _is_unsaid(value) else field.say(words, value), field.is_free)


def _is_unsaid(value: object) -> bool:
    return value is None or value in ([], ["unknown"]) or (isinstance(value, str) and value in _UNSAID)


def _listed(value: object, say: Callable[[str], str]) -> str:
    if not isinstance(value, list):
        return as_it_is(value)
    return ", ".join(say(one) if isinstance(one, str) else as_it_is(one) for one in value)
