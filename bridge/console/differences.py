"""What changed from one version of a message to the next: member by member, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from bridge.app.desk.route import Members, objects
from bridge.console.language import Words
from bridge.console.saying import FIELDS, LEG_FIELDS, leg_certainty, leg_line, leg_way, victim_group

_NOT_COMPARED = frozenset({"change_summary", "at"})


@dataclass(frozen=True, slots=True)
class Change:
    """One member before and after; nothing where it was not there.

    Attributes:
        part: which member of a leg, where `label` names the leg.
        is_free: people wrote it.
    """

    label: str
    before: str
    after: str
    is_free: bool = False
    part: str = ""


def differences(before: Members, after: Members, words: Words) -> list[Change]:
    """Every difference that a reader can see, in the order in which a message is read."""
    return [change for change in _compared(before, after, words) if change.before != change.after]


def _compared(before: Members, after: Members, words: Words) -> Iterator[Change]:
    for name, field in FIELDS.items():
        if name not in _NOT_COMPARED:
            said = [field.say(words, body[name]) if name in body else "" for body in (before, after)]
            yield Change(words.text(field.label), said[0], said[1], field.is_free)
    for number, legs in enumerate(zip_longest(objects(before.get("legs")), objects(after.get("legs"))), start=1):
        yield from _legs(words.text("Leg {number}", number=number), *legs, words)
    groups = zip_longest(objects(before.get("victims")), objects(after.get("victims")))
    for number, pair in enumerate(groups, start=1):
        said = [victim_group(group, words) if group is not None else "" for group in pair]
        yield Change(words.text("Victims, group {number}", number=number), said[0], said[1])
    texts = [body.get("narrative") for body in (before, after)]
    old, new = (
        {str(tag): str(value) for tag, value in one.items()} if isinstance(one, Mapping) else {} for one in texts
    )
    for language in dict.fromkeys([*old, *new]):
        label = words.text("Text ({language})", language=words.language_name(str(language)))
        yield Change(label, str(old.get(language, "")), str(new.get(language, "")), is_free=True)


def _legs(label: str, before: Members | None, after: Members | None, words: Words) -> Iterator[Change]:
    """A leg that is in both versions member by member, another one whole."""
    if before is None or after is None:
        whole = [leg_line(leg, words) if leg is not None else "" for leg in (before, after)]
        yield Change(label, whole[0], whole[1])
        return
    yield Change(label, leg_way(before, words), leg_way(after, words), part=words.text("Way"))
    yield Change(label, leg_certainty(before, words), leg_certainty(after, words), part=words.text("Certainty"))
    for name, field in LEG_FIELDS.items():
        said = [field.say(words, leg[name]) if name in leg else "" for leg in (before, after)]
        yield Change(label, said[0], said[1], field.is_free, words.text(field.label))
