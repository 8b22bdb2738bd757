"""Whether a newer minor version of a schema only adds: what was right stays right, and what readers know stays there.

It compares what our schemas are made of. A difference that it does not know is a break: a person looks at it then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]

_WORDS = {"title", "description", "$comment", "$id", "$schema", "examples", "default"}


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a newer version breaks, each with where; empty where it only adds."""
    return list(_objects(old, new, "#"))


def _objects(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for name in sorted((old.keys() | new.keys()) - _WORDS):
        yield from _RULES.get(name, _same)(name, old, new, f"{at}/{name}")


def _same(name: str, old: Schema, new: Schema, at: str) -> Iterator[str]:
    if name not in new or name not in old:
        yield f"{at}: {'new' if name in new else 'gone'}"
    elif isinstance(old[name], dict) and isinstance(new[name], dict):
        yield from _objects(old[name], new[name], at)
    elif old[name] != new[name]:
        yield f"{at}: changed"


def _members(name: str, old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Members and definitions may come, and none may go."""
    after = new.get(name, {})
    for member, schema in sorted(old.get(name, {}).items()):
        if member not in after:
            yield f"{at}/{member}: gone"
        elif schema != after[member]:
            yield from _objects(schema, after[member], f"{at}/{member}")


def _required(name: str, old: Schema, new: Schema, at: str) -> Iterator[str]:
    """What must be there must go on being written, and nothing more may be asked for."""
    before, after = old.get(name, []), new.get(name, [])
    yield from (f"{at}: {member} is asked for" for member in after if member not in before)
    yield from (f"{at}: {member} may be left out" for member in before if member not in after)


def _codes(name: str, old: Schema, new: Schema, at: str) -> Iterator[str]:
    if name not in old:
        yield f"{at}: new"
    yield from (f"{at}: {code} is gone" for code in old.get(name, []) if code not in new.get(name, []))


def _wider(sign: int) -> Callable[[str, Schema, Schema, str], Iterator[str]]:
    """A bound that may only move one way, or go."""

    def bound(name: str, old: Schema, new: Schema, at: str) -> Iterator[str]:
        if name in new and (name not in old or sign * new[name] < sign * old[name]):
            yield f"{at}: narrower"

    return bound


_RULES: dict[str, Callable[[str, Schema, Schema, str], Iterator[str]]] = {
    **dict.fromkeys(("properties", "$defs"), _members),
    "required": _required,
    "enum": _codes,
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "maxProperties"), _wider(1)),
    **dict.fromkeys(("minLength", "minItems", "minimum", "minProperties"), _wider(-1)),
}
