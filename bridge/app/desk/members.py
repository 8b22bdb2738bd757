"""A message's members, taken one by one by whoever shows them, so that what nobody took is shown as it is.

A message of a newer version has members that this version does not know: they must not go unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping


class Members:
    """The members of one object; `where` is its path, for naming what is left."""

    def __init__(self, value: object, *, where: str = "") -> None:
        self._members = dict(value) if isinstance(value, Mapping) else {}
        self._where = where
        self._within: list[Members] = []

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def take(self, name: str) -> object:
        """The member's value, or `None`; it counts as shown."""
        return self._members.pop(name, None)

    def text(self, name: str) -> str:
        """The member as text; nothing when it is not there."""
        value = self.take(name)
        return value if isinstance(value, str) else "" if value is None else as_it_is(value)

    def inner(self, name: str) -> Members:
        """The member as an object; an empty one when it is not there."""
        return self._inside(self.take(name), f"{self._where}{name}.")

    def objects(self, name: str) -> list[Members]:
        """The member as a list of objects."""
        value = self.take(name)
        listed = value if isinstance(value, list) else []
        return [self._inside(item, f"{self._where}{name}[{index}].") for index, item in enumerate(listed)]

    def left(self) -> Iterator[str]:
        """What nobody took, here and inside, as `path: JSON`."""
        for name, value in self._members.items():
            yield f"{self._where}{name}: {as_it_is(value)}"
        for inner in self._within:
            yield from inner.left()

    def _inside(self, value: object, where: str) -> Members:
        inner = Members(value, where=where)
        self._within.append(inner)
        return inner


def as_it_is(value: object) -> str:
    """A value as it came: text as text, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
