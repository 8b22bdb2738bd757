"""Faults of a document in a reader's words: a short sentence that says what to do, beside the field's label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bridge.app.desk.checking import Checked, Marked
from bridge.console.language import Words, marked
from bridge.console.writing.fields import FIELDS, Takes, field_id, kind_of, shown_field
from bridge.core.errors import Problem

_NUMBER: Final = re.compile(r"[0-9]+")
_CHARACTERS: Final = re.compile(r"\(([0-9]+) characters\)")
_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "E_CODE": marked("Choose one of the list."),
        "E_MEANS_REQUIRED": marked("Choose at least one, as no victim is a child; “Unknown” is one."),
        "E_LABOUR_SECTOR": marked("Choose at least one sector, as it is about work; “Unknown” is one."),
        "E_HANDLING_NOTE": marked("Say what the restriction H3 is."),
        "E_OBSERVED_WINDOW": marked("This is before the time from which it was observed."),
        "E_EXPECTED_WINDOW": marked("This is before the time from which it is expected."),
        "E_LEGS_APART": marked("Start in a country where an earlier leg ended."),
        "E_ROLE_POSITION": marked("This role does not fit its place on the route."),
        "E_DUPLICATE_CODE": marked("The same stands here twice."),
        "E_RETAIN_UNTIL": marked("Give a time after now, at most 180 days ahead."),
        "E_EXPIRES": marked("Give a time after now, at most 30 days ahead."),
        "E_UNKNOWN_MEMBER": marked("There is something here that alerts do not have. Saving the form leaves it out."),
        "E_TYPE": marked("What stands here is of another kind. Type it anew."),
        "E_TLP_CLEAR": marked("TLP:CLEAR is not possible here. Choose GREEN or stricter."),
    }
)
_MISSING: Final[Mapping[Takes, str]] = MappingProxyType(
    {
        Takes.CODE: marked("Choose one."),
        Takes.CODES: marked("Choose at least one; “Unknown” is one."),
        Takes.YES_NO: marked("Choose confirmed or suspected."),
    }
)
_PERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "an e-mail address": marked("This looks like an e-mail address."),
        "a telephone number": marked("This looks like a telephone number."),
        "a vehicle plate": marked("This looks like a vehicle plate."),
        "a document number": marked("This looks like a document number."),
        "a precise address": marked("This looks like a precise address."),
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at one field: the field's name and label, and what to do; `field` is `None` for the whole document."""

    field: str | None
    label: str
    sentence: str

    @property
    def anchor(self) -> str:
        """The id of the field."""
        return field_id(self.field) if self.field else "compose"

    @property
    def said(self) -> str:
        """Label and sentence in a line; a label may be a question."""
        return f"{self.label}{'' if self.label.endswith('?') else ':'} {self.sentence}"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that looks like personal data, to be removed or confirmed."""

    field: str | None
    label: str
    sentence: str
    key: str
    is_confirmed: bool

    @property
    def anchor(self) -> str:
        """The id of the field."""
        return field_id(self.field) if self.field else "compose"

    @property
    def said(self) -> str:
        """Label and sentence in a line; a label may be a question."""
        return f"{self.label}{'' if self.label.endswith('?') else ':'} {self.sentence}"


def faults_of(checked: Checked, words: Words) -> tuple[Fault, ...]:
    """What stands against sending, field by field; the same is not said twice."""
    said = (_fault(problem, words) for problem in checked.problems)
    return tuple(dict.fromkeys(said))


def questions_of(found: Sequence[Marked], words: Words) -> tuple[Question, ...]:
    """What looks like personal data."""
    return tuple(_question(one, words) for one in found)


def label_of(name: str | None, words: Words) -> str:
    """A field's label, with the number of its leg or group."""
    if name is None:
        return words.text("The whole alert")
    label = words.text(FIELDS[kind_of(name)].label)
    number = _NUMBER.search(name)
    if number is None:
        return label
    counted = int(number[0]) + 1
    if name.startswith("body.victims"):
        return words.text("Victims, group {n}: {field}", n=counted, field=label)
    return words.text("Leg {n}: {field}", n=counted, field=label)


def _fault(problem: Problem, words: Words) -> Fault:
    name = shown_field(problem.path)
    return Fault(name, label_of(name, words), _sentence(problem, name, words))


def _question(one: Marked, words: Words) -> Question:
    name, what = shown_field(one.finding.path), one.finding.what
    sentence = words.text(_PERSONAL[what]) if what in _PERSONAL else one.finding.sentence()
    return Question(name, label_of(name, words), sentence, one.key, one.is_confirmed)


def _sentence(problem: Problem, name: str | None, words: Words) -> str:
    takes = FIELDS[kind_of(name)].takes if name else Takes.TEXT
    if problem.code in _RULES and name:
        return words.text(_RULES[problem.code])
    if problem.code == "E_LIMIT":
        return _limit(problem, takes, words)
    if takes in _MISSING:
        return words.text(_MISSING[takes])
    if takes is Takes.TIME:
        return words.text("Write the time like 2026-11-19 21:40.")
    if problem.code == "E_MISSING" or problem.found == '""':
        return words.text("Fill this in.")
    return _form(problem, words)


def _form(problem: Problem, words: Words) -> str:
    if problem.code != "E_FORMAT":
        return problem.sentence()
    number = _NUMBER.search(problem.expected)
    if number is not None:
        return words.text("Write at least {n} characters.", n=number[0])
    return words.text("There are characters here that cannot be sent, control characters perhaps. Type it anew.")


def _limit(problem: Problem, takes: Takes, words: Words) -> str:
    number = _NUMBER.search(problem.expected)
    most = number[0] if number else ""
    if "or more" in problem.expected:
        return words.text(_MISSING[Takes.CODES]) if takes is Takes.CODES else words.text("Give at least one.")
    if "characters" in problem.expected:
        found = _CHARACTERS.search(problem.found)
        if found is not None:
            return words.text("Write at most {most} characters; there are {n}.", most=most, n=found[1])
        return words.text("Write at most {most} characters.", most=most)
    if "bytes" in problem.expected:
        return words.text("All texts together are too long to be sent. Shorten them.")
    return words.text("Give at most {most}.", most=most)


_REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "E_UNREACHABLE_COUNTRY": marked(
            "A country on the route cannot be reached. Send it to the rest, or telephone first."
        ),
        "E_NO_RECIPIENT": marked("Nobody would receive this. Look at the route."),
        "E_TRUST_STALE": marked(
            "The membership list is too old: nothing is sent until it is renewed. The draft is kept."
        ),
        "E_NOT_AUTHORISED": marked("The membership list does not let this contact point send this."),
        "E_SUPERSEDED": marked("A colleague replaced that version meanwhile. Begin from the newest one."),
        "E_PERSONAL_DATA": marked("Something looks like personal data. Remove it, or confirm that it is nobody's."),
        "E_NOT_IMMEDIATE": marked("Only what is immediate leaves without a second person."),
        "E_REASON": marked("Say in at least 10 characters why nobody else released it."),
        "E_NOTE": marked("Say what is missing."),
        "E_SECOND_PERSON": marked("You wrote this yourself. Another approver has to look at it."),
        "E_RECIPIENTS_CHANGED": marked("Who receives this has changed since you looked. Look at the recipients again."),
        "E_DRAFT_CHANGED": marked("This draft was changed elsewhere while you had it open."),
        "E_DRAFT_STATE": marked("This draft is no longer being written: it was submitted, released or discarded."),
        "E_NOT_AUTHOR": marked("A colleague writes this draft now."),
        "E_LIST_CHANGED": marked("A recipient cannot be reached any more. Look at the recipients again."),
        "E_CLOCK": marked("The clock of this machine was set. Nothing is sent until the operator has looked at it."),
    }
)


def refusal_in_words(code: str, words: Words) -> str:
    """Why something was refused, as a person reads it; empty for a code without words of its own."""
    sentence = _REFUSALS.get(code)
    return words.text(sentence) if sentence else ""
