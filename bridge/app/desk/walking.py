"""Going through what arrived and what was sent, some at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import product
from typing import Final

from bridge.ports.store.search import Source

MOST_BATCHES: Final = 20  # of a backlog, a second or two: whoever is asked to stop waits for them


async def walk(contact_points: Sequence[str], some: Callable[[str, Source], Awaitable[int]], *, batch: int) -> int:
    """Goes on everywhere in turn, a batch each, and leaves the rest of a backlog for the next time.

    Args:
        contact_points: whose messages.
        some: goes on with a batch; answers how many messages that were.
        batch: the most that it goes through; fewer: there are no more.

    Returns:
        How many messages that were.
    """
    waiting = deque(product(contact_points, Source))
    done, further = 0, MOST_BATCHES
    while waiting:
        contact_point, source = waiting.popleft()
        count = await some(contact_point, source)
        done += count
        if count == batch and further:
            further -= 1
            waiting.append((contact_point, source))
    return done
