"""Whether this machine's clock agrees with others: the membership list, the database's server, our peers' messages.

A clock that is wrong from the start cannot be told from one that is right; these three can show it. Nothing stops for
them: what seems to come from the future is held and judged again, and whoever confirms the list, or a single peer, must
not be able to stop a country by a wrong clock of his own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.checks.durations import span_in_words
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.core.times import format_time
from bridge.ports.store import Store

TOLERANCE: Final = timedelta(seconds=120)  # wire-format, step 12
ENOUGH_COUNTRIES: Final = 2
FUTURE: Final = "E_FUTURE"


def check_clock(directory: Directory, *, now: datetime, server_time: datetime | None = None) -> Check:
    """One finding on the clock by the membership list, and by the clock of the database's server where there is one."""
    behind = directory.signed_at - now
    if behind > TOLERANCE:
        detail = (
            f"this clock is {span_in_words(behind)} behind the membership list of {format_time(directory.signed_at)}"
        )
        return Check("clock", ok=False, detail=detail, state=states.CLOCK_BEHIND)
    ahead = timedelta(0) if server_time is None else now - server_time
    if abs(ahead) > TOLERANCE:
        state, direction = (states.CLOCK_AHEAD, "ahead of") if ahead > TOLERANCE else (states.CLOCK_BEHIND, "behind")
        detail = (
            f"this clock is {span_in_words(abs(ahead))} {direction} that of the database's server: one of them is wrong"
        )
        return Check("clock", ok=False, detail=detail, state=state)
    compared = "the membership list" if server_time is None else "the membership list and the database's server"
    return Check("clock", ok=True, detail=f"agrees with {compared}")


async def check_peer_clocks(store: Store) -> Check:
    """One finding on the messages that are held because they seem to come from the future.

    From one country they say no more than that its clock or ours is wrong; from two, ours is.
    """
    async with store.reading() as unit:
        senders = await unit.refusals.held_from(FUTURE)
    countries = sorted({prefix_of(sender) for sender in senders})
    if not countries:
        return Check("clocks of peers", ok=True, detail="no message is held as from the future")
    detail = f"messages of {', '.join(countries)} seem to come from the future"
    if len(countries) < ENOUGH_COUNTRIES:
        return Check("clocks of peers", ok=True, detail=f"{detail}: its clock is ahead, or this one behind")
    return Check("clocks of peers", ok=False, detail=f"{detail}: this clock is behind", state=states.CLOCK_BEHIND)
