"""What a form's own buttons do with the document: one leg, group or language more, or one less."""

from __future__ import annotations

import re
from typing import Final

from bridge.console.language import LANGUAGES
from bridge.console.writing.documents import MOST_OF_A_LIST, member_at
from bridge.console.writing.fields import NARRATIVE

LEGS: Final = "body.legs"
VICTIMS: Final = "body.victims"
_REMOVED: Final = re.compile(r"remove:(body\.(?:legs|victims))\[([0-9]{1,2})\]\Z")


def change(document: dict[str, object], do: str, *, language: str) -> str | None:
    """Does what a button says; answers the field to go on with, or `None` where the button is none of these."""
    removed = _REMOVED.match(do)
    if removed is not None:
        items, index = member_at(document, removed[1]), int(removed[2])
        if isinstance(items, list) and index < len(items):
            del items[index]
        return removed[1]
    if do == f"add:{LEGS}":
        return _add(document, LEGS, {"from": _last_end(document), "to": {}, "confirmed": False}, ".to.country")
    if do == f"add:{VICTIMS}":
        return _add(document, VICTIMS, {}, ".count_band")
    body = document.get("body")
    if do == f"add:{NARRATIVE}" and isinstance(body, dict) and language in {one.tag for one in LANGUAGES}:
        narrative = body.setdefault("narrative", {})
        if isinstance(narrative, dict):
            narrative.setdefault(language, "")
        return f"{NARRATIVE}.{language}"
    return None


def _add(document: dict[str, object], name: str, item: dict[str, object], first: str) -> str:
    body = document.setdefault("body", {})
    items = body.setdefault(name.removeprefix("body."), []) if isinstance(body, dict) else []
    if isinstance(items, list) and len(items) < MOST_OF_A_LIST:
        items.append(item)
    return f"{name}[{len(items) - 1}]{first}" if isinstance(items, list) else name


def _last_end(document: dict[str, object]) -> dict[str, object]:
    """Where the last leg ended: the next one mostly starts there."""
    legs = member_at(document, LEGS)
    last = legs[-1] if isinstance(legs, list) and legs else {}
    end = last.get("to") if isinstance(last, dict) else None
    return {name: end[name] for name in ("country", "place") if name in end} if isinstance(end, dict) else {}
