"""From what pydantic says is wrong to what a person can mend: path, what stood there, what was expected, and a hint."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from bridge.core.countries import find_country
from bridge.core.errors import Problem
from bridge.core.ids import CONTACT_POINT_PATTERN, MESSAGE_ID_PATTERN
from bridge.core.messages.directory_notice import PACKED_PATTERN, WHO_PATTERN
from bridge.core.messages.fields import DIGEST_PATTERN, LANGUAGE_PATTERN, REFUSAL_CODE_PATTERN, TEXT_PATTERN
from bridge.core.messages.found import describe
from bridge.core.vocabulary import CODE_LISTS, UNCLASSIFIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# A peer's body may hold tens of thousands of faults; nobody reads them, and naming them takes time.
MAX_PROBLEMS: Final = 100
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_PATTERNS: Final[Mapping[str, str]] = {
    CONTACT_POINT_PATTERN: "a contact point id like rs.border-police",
    MESSAGE_ID_PATTERN: "a message id (a lower-case UUIDv7)",
    DIGEST_PATTERN: "32 bytes as canonical base64url (43 characters)",
    LANGUAGE_PATTERN: "a language like cnr or sr-Latn",
    REFUSAL_CODE_PATTERN: "a code like E_SIGNATURE",
    WHO_PATTERN: "a contact point id like rs.ncp, or a member's prefix like rs",
    PACKED_PATTERN: "base64url without padding",
    TEXT_PATTERN: "text without control characters other than line feed and tab",
}
_TYPES: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "an integer",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("E_MISSING", "this member to be there"),
    "string_too_short": ("E_FORMAT", "text of {min_length} or more characters"),
    "string_too_long": ("E_LIMIT", "text of at most {max_length} characters"),
    "too_short": ("E_LIMIT", "{min_length} or more of them"),
    "too_long": ("E_LIMIT", "at most {max_length} of them"),
    "greater_than_equal": ("E_LIMIT", "an integer of at least {ge}"),
    "less_than_equal": ("E_LIMIT", "an integer of at most {le}"),
}
_DERIVED: Final[Mapping[str, str]] = {
    "child_involved": "no such member: it follows from victims",
    "labour_involved": "no such member: it follows from exploitation",
}


# Codes that are near nothing: to suggest one would invite its use where a better one exists.
_EVASIONS: Final = frozenset({"unknown", "other"})


def problems_of(error: ValidationError, *, at: str, names: Iterable[str] = ()) -> list[Problem]:
    """The faults in a document, in its order, as many as a person mends at once.

    Args:
        error: what pydantic says.
        at: the document's path.
        names: member names to suggest for unknown ones.
    """
    details = error.errors(include_url=False)[:MAX_PROBLEMS]
    return [_problem(detail, at, names) for detail in details if not _echoes(detail, details)]


def path_of(at: str, location: Sequence[str | int]) -> str:
    """`$.body.legs[0].from.country`; a name that is no identifier stands quoted in brackets."""
    path = at
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part}" if _NAME.match(part) else f"[{describe(part)}]"
    return path


def nearest(value: object, choices: Sequence[str]) -> str | None:
    """The choice that `value` was probably meant to be: upper or lower case and separators aside."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if str(value) in choices else None
    if not isinstance(value, str):
        return None
    plain = {_plain(choice): choice for choice in reversed(choices) if choice not in _EVASIONS}
    found = get_close_matches(_plain(value[:100]), list(plain), n=1)
    return plain[found[0]] if found else None


def code_problem(path: str, value: object, choices: Sequence[str]) -> Problem:
    """The fault of a value that is none of the choices."""
    code = "E_CODE" if isinstance(value, str) else "E_TYPE"
    return Problem(path, describe(value), f"one of {', '.join(choices)}", code, nearest(value, choices))


def _plain(text: str) -> str:
    return re.sub(r"[\s_+-]+", "_", text.strip().casefold())


def _echoes(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list counts as too short only because what stands in it is wrong, which is reported already."""
    depth = len(detail["loc"])
    return detail["type"] == "too_short" and any(
        other["loc"][:depth] == detail["loc"] and len(other["loc"]) > depth for other in details
    )


def _problem(detail: ErrorDetails, at: str, names: Iterable[str]) -> Problem:
    path, kind, value = path_of(at, detail["loc"]), detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_member(path, str(detail["loc"][-1]), value, names)
    if "list" in context:
        return _no_code(path, value, str(context["list"]))
    if kind == "literal_error":
        return _no_choice(path, value, str(context["expected"]))
    code, expected = _form_fault(kind, context)
    return Problem(path, "nothing" if kind == "missing" else describe(value), expected, code)


def _form_fault(kind: str, context: Mapping[str, object]) -> tuple[str, str]:
    """The code of a fault of form, and what was expected."""
    if kind in _BOUNDS:
        code, sentence = _BOUNDS[kind]
        return code, sentence.format_map(context)
    if kind == "string_pattern_mismatch":
        return "E_FORMAT", _PATTERNS.get(str(context["pattern"]), f"text of the form {context['pattern']}")
    return ("E_TYPE", _TYPES[kind]) if kind in _TYPES else (kind, str(context["expected"]))


def _unknown_member(path: str, name: str, value: object, names: Iterable[str]) -> Problem:
    expected = _DERIVED.get(name, "no such member")
    others = [other for other in names if other != name] if name not in _DERIVED else []
    found = get_close_matches(name[:100], others, n=1, cutoff=0.75)
    return Problem(path, describe(value), expected, "E_UNKNOWN_MEMBER", found[0] if found else None)


def _no_code(path: str, value: object, name: str) -> Problem:
    if name != "country":
        return code_problem(path, value, CODE_LISTS[name])
    code = "E_FORMAT" if isinstance(value, str) else "E_TYPE"
    hint = find_country(value) if isinstance(value, str) else None
    return Problem(path, describe(value), "a country: ISO 3166-1 alpha-2, or XK", code, hint)


def _no_choice(path: str, value: object, expected: str) -> Problem:
    """The fault of a fixed choice; pydantic names the choices as `'urgent' or 'normal'`."""
    choices = re.findall(r"'([^']*)'", expected)
    if choices == [UNCLASSIFIED]:
        return Problem(path, describe(value), "unclassified: nothing else travels here", "E_CLASSIFICATION")
    return code_problem(path, value, choices)
