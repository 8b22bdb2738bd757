"""A form as its template sees it: what stands in each field, what is wrong there, and what may be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bridge.console.language import LANGUAGES, Words
from bridge.console.map.gazetteer import all_places, crossings_between
from bridge.console.writing.documents import member_at, shown_value
from bridge.console.writing.faults import Fault, Question, label_of
from bridge.console.writing.fields import FIELDS, NARRATIVE, field_id, kind_of
from bridge.core.countries import COUNTRY_CODES
from bridge.core.vocabulary import CODE_LISTS

WRITTEN_STATUSES: Final = ("actual", "exercise", "test")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of what may be chosen."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Form:
    """The form over one document."""

    document: Mapping[str, object]
    words: Words
    faults: Sequence[Fault] = ()
    questions: Sequence[Question] = ()

    def id(self, name: str) -> str:
        """A field's HTML id."""
        return field_id(name)

    def label(self, name: str) -> str:
        """A field's label."""
        return self.words.text(FIELDS[kind_of(name)].label)

    def full_label(self, name: str) -> str:
        """A field's label with the number of its leg or group."""
        return label_of(name, self.words)

    def value(self, name: str) -> str:
        """What stands in a field."""
        return shown_value(member_at(self.document, name))

    def values(self, name: str) -> Sequence[str]:
        """The codes that are chosen in a field."""
        found = member_at(self.document, name)
        return [item for item in found if isinstance(item, str)] if isinstance(found, list) else ()

    def places(self, name: str) -> Sequence[int]:
        """The indices of a list's members."""
        found = member_at(self.document, name)
        return range(len(found)) if isinstance(found, list) else ()

    def fault(self, name: str) -> str:
        """What is wrong in a field; empty when nothing is."""
        return " ".join(fault.sentence for fault in self.faults if fault.field == name)

    def has_fault(self, parent: str, names: Sequence[str]) -> bool:
        """Whether anything is wrong, or asked about, in one of these members of `parent`, or below it."""
        starts = tuple(f"{parent}.{name}".lstrip(".") for name in names)
        found = {*(fault.field for fault in self.faults), *(question.field for question in self.questions)}
        return any(name == start or (name or "").startswith(f"{start}.") for name in found for start in starts)

    def default(self, name: str) -> str:
        """The code that says nothing, where the list has one."""
        known = CODE_LISTS.get(FIELDS[kind_of(name)].code_list, ())
        return next((code for code in ("unknown", "not_specified") if code in known), "")

    def asked(self, name: str) -> Sequence[Question]:
        """What looks like personal data in a field."""
        return [question for question in self.questions if question.field == name]

    def choices(self, name: str) -> Sequence[Choice]:
        """What may be chosen in a field; what stands there and is none of it is offered too, or it would be lost."""
        code_list = FIELDS[kind_of(name)].code_list
        known = _known(code_list, self.words)
        there = [code for code in (*self.values(name), self.value(name)) if code and "\n" not in code]
        strange = [Choice(code, code) for code in dict.fromkeys(there) if code not in {one.code for one in known}]
        return [*known, *strange]

    def narratives(self) -> Sequence[str]:
        """The languages in which there is a narrative, that of the alert first."""
        found = member_at(self.document, NARRATIVE)
        languages = [self.value("body.language") or self.words.tag, *(found if isinstance(found, dict) else ())]
        return list(dict.fromkeys(languages))

    def other_languages(self) -> Sequence[Choice]:
        """The languages in which there is none yet."""
        there = set(self.narratives())
        return [one for one in _known("language", self.words) if one.code not in there]

    def crossings(self, leg: int) -> Sequence[str]:
        """The border crossings between a leg's two countries."""
        ends = [self.value(f"body.legs[{leg}].{end}.country") for end in ("from", "to")]
        if not set(ends) <= COUNTRY_CODES or ends[0] == ends[1]:
            return ()
        return [crossing.label for crossing in crossings_between(ends[0], ends[1])]

    def towns(self, leg: int, end: str) -> Sequence[str]:
        """Places of the country where a leg starts (`from`) or ends (`to`)."""
        country = self.value(f"body.legs[{leg}].{end}.country")
        return [place.name for place in all_places() if place.country == country]


@lru_cache(maxsize=512)
def _known(code_list: str, words: Words) -> Sequence[Choice]:
    """The choices of a list; countries and languages by their names."""
    if code_list == "country":
        named = [Choice(code, words.country(code)) for code in COUNTRY_CODES]
        return sorted(named, key=lambda one: one.label)
    if code_list == "language":
        return [Choice(language.tag, words.language_name(language.tag)) for language in LANGUAGES]
    codes = WRITTEN_STATUSES if code_list == "status" else CODE_LISTS[code_list]
    return [Choice(code, words.code(code_list, code)) for code in codes]
