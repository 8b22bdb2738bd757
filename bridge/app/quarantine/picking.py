"""Which entries of the quarantine somebody means, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bridge.core.errors import BadInputError
from bridge.ports.store import Store
from bridge.ports.store.records import Quarantined

BATCH: Final = 100
BATCH_BYTES: Final = 8 * 1024 * 1024
NAMED: Final = 5  # of many ids that are not there
CAME_WITHOUT_BYTES: Final = "its bytes were not kept, the quarantine was full when it came"

Progress = Callable[[int], None]  # how many more are done


class Fate(Enum):
    """What became of one entry of the quarantine."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    HANDED_ON = "handed_on"
    HELD = "held"
    REFUSED = "refused"
    RETURNED = "returned"
    DROPPED = "dropped"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one entry.

    Attributes:
        id: the entry's.
        fate: what became of it; `IMPOSSIBLE` leaves it as it was.
        code: why it is refused again or held, with what it was returned, or what made it impossible.
        detail: a sentence, where there is something to say.
    """

    id: str
    fate: Fate
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is meant: these ids, or everything with this code and these holders (`None` in `holders`: the router)."""

    ids: Sequence[str] | None = None
    code: str | None = None
    holders: Collection[str | None] | None = None


async def pick(store: Store, selection: Selection) -> Sequence[Quarantined]:
    """The entries that are meant, without their bytes, oldest first.

    Raises:
        BadInputError: `E_UNKNOWN_REFUSAL`, one of the ids is not there; then nothing is to be done for the others.
    """
    async with store.reading() as unit:
        found = await unit.refusals.pick(ids=selection.ids, code=selection.code, holders=selection.holders)
    if selection.ids is not None:
        there = {one.id for one in found}
        missing = [own for own in dict.fromkeys(selection.ids) if own not in there]
        if missing:
            named = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
            sentence = f"nothing with id {named} is in quarantine; quarantine list shows what is"
            raise BadInputError("E_UNKNOWN_REFUSAL", sentence)
    return found


def codes_of(items: Iterable[Quarantined]) -> Mapping[str, int]:
    """How many there are of each code, the most frequent first."""
    return dict(Counter(one.code for one in items).most_common())


def batches(items: Sequence[Quarantined]) -> Iterator[Sequence[Quarantined]]:
    """The items in order, cut by number and by size, so that no batch takes much memory or time."""
    batch: list[Quarantined] = []
    for item in items:
        if batch and (len(batch) == BATCH or sum(one.size for one in batch) + item.size > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def is_gone(item: Quarantined) -> Done:
    """The answer for what somebody else took out in the meantime."""
    return Done(item.id, Fate.IMPOSSIBLE, "E_UNKNOWN_REFUSAL", "it is no longer in quarantine")
