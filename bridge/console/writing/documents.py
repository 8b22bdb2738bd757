"""From a form to the document of a draft.

Rules:
1. What was typed is kept, wrong or not; only what is empty is left out, and line ends become one kind.
2. A time is typed as `2026-11-19 21:40` and means UTC; what is none stays as it was typed, for the check to name.
3. A leg or a group of victims that stands in the form stays, however empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from bridge.console.writing.fields import FIELDS, NARRATIVE, Field, Takes, kind_of

_DIGITS: Final = 10
MOST_OF_A_LIST: Final = 64  # what a form may show; the schema's own limits are lower
_STEP: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,39})(?:\[([0-9]{1,2})\])?(?:\.|\Z)")
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.[0-9]{3})?Z?\Z")
_SHOWN_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}):00(?:\.000)?Z\Z")


def document_of(fields: Iterable[tuple[str, str]], head: Mapping[str, str]) -> dict[str, object]:
    """The document: `head` (kind, supersedes, its status), and every other field of the form that one of ours is."""
    typed: dict[str, list[str]] = {}
    for name, value in fields:
        typed.setdefault(name, []).append(value.replace("\r\n", "\n").replace("\r", "\n"))
    document: dict[str, object] = {**head, "body": {}}
    for name, values in typed.items():
        field = FIELDS.get(kind_of(name))
        if field is not None and name not in head:
            _put(document, name, _value(field, values))
    _tidy(document)
    return document


def shown_value(value: object) -> str:
    """What stands in the field of a member: times as they are typed, lists a line each."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if not isinstance(value, str):
        return "" if value is None or isinstance(value, dict) else str(value)
    time = _SHOWN_TIME.match(value)
    return f"{time[1]} {time[2]}" if time else value


def revision_in(text: str) -> int:
    """The revision that a form names; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0


def member_at(document: Mapping[str, object], name: str) -> object:
    """The member that a field's name means; `None` where there is none."""
    found: object = document
    for step in _STEP.finditer(name):
        found = found.get(step[1]) if isinstance(found, Mapping) else None
        if step[2] is not None:
            found = found[int(step[2])] if isinstance(found, list) and int(step[2]) < len(found) else None
    return found


def _value(field: Field, values: list[str]) -> object:
    """What a field holds; `None` for nothing."""
    if field.takes is Takes.CODES:
        return [value for value in values if value] or None
    text = values[-1]
    if field.takes is Takes.LINES:
        return [line.strip() for line in text.split("\n") if line.strip()] or None
    if field.takes is Takes.YES_NO:
        return {"true": True, "false": False}.get(text)
    if field.takes is Takes.TIME:
        return _time(text.strip()) or None
    if field.takes is Takes.CODE:
        return text or None
    return text.strip() or None


def _time(text: str) -> str:
    match = _TIME.match(text)
    if match is None:
        return text
    moment = f"{match[1]}T{match[2]}{match[3] or ':00'}Z"
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return text
    return moment


def _put(document: dict[str, object], name: str, value: object) -> None:
    """Makes what leads to a member, and the member where there is something to put."""
    steps = list(_STEP.finditer(name))
    if "".join(step[0] for step in steps) != name:
        return
    here = document
    for place, step in enumerate(steps):
        is_last = place == len(steps) - 1
        if step[2] is None:
            if is_last:
                if value is not None:
                    here[step[1]] = value
                return
            child = here.setdefault(step[1], {})
        else:
            items, index = here.setdefault(step[1], []), int(step[2])
            if not isinstance(items, list) or index >= MOST_OF_A_LIST:
                return
            items.extend({} for _ in range(index + 1 - len(items)))
            child = items[index]
        if not isinstance(child, dict):
            return
        here = child


def _tidy(document: dict[str, object]) -> None:
    """Takes out what is there only because its fields were: an empty group of organisers, roles or narratives."""
    body = document["body"]
    if not isinstance(body, dict):
        return
    for name in ("organisers", NARRATIVE.removeprefix("body.")):
        if body.get(name) == {}:
            del body[name]
    legs = body.get("legs")
    for leg in legs if isinstance(legs, list) else ():
        if isinstance(leg, dict) and leg.get("roles") == {}:
            del leg["roles"]
