"""Where the outbox waits, named: each country, and each contact point of our own, with what stands in the way.

A full queue, one that was deleted, a broker that does not answer: whoever sees only "12 rows wait" cannot tell whom to
call. It reads the outbox and asks nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks.check_node import Check
from bridge.app.checks.durations import span_in_words
from bridge.app.receiving.route_message import RELAY as ROUTER
from bridge.ports.broker import PublishOutcome
from bridge.ports.store import Store
from bridge.ports.store.records import Waiting

ALARM_AGE: Final = timedelta(minutes=10)
MOST_NAMED: Final = 20

# In this order: where rows of one destination failed in several ways, the first of these is what somebody must act on.
# The codes were written by programs of revision 0001; a row keeps one until it is tried again.
_REASONS: Final = {
    PublishOutcome.UNROUTABLE.value: "no such queue: unroutable",
    PublishOutcome.REFUSED.value: "the queue is full, or this account may not write there",
    "E_BROKER_BLOCKED": "the broker takes no messages: an alarm of its memory or disk",
    "E_BROKER_CREDENTIALS": "the broker refuses this node's account",
    PublishOutcome.UNKNOWN.value: "the broker does not answer",
    "E_BROKER_UNREACHABLE": "the broker does not answer",
    "E_BROKER_LOST": "the connection to the broker was lost",
    "E_NO_SIGNING_KEY": "no key of ours can sign",
}


async def check_destinations(store: Store, *, now: datetime) -> Check:
    """One finding on everything that waits; the oldest destinations first, a bounded list of them.

    It fails for a queue that is not there at once, for anything else from `ALARM_AGE` on: until then a broker may
    restart and a full queue may drain.
    """
    async with store.reading() as unit:
        waiting = await unit.outbox.waiting()
    together: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for one in waiting:
        together[_destination(one), one.lane].append(one)
    ordered = sorted(together.items(), key=lambda item: (min(one.oldest for one in item[1]), item[0]))
    sentences = [_sentence(*key, rows, now=now) for key, rows in ordered[:MOST_NAMED]]
    if len(ordered) > MOST_NAMED:
        sentences.append(f"and {len(ordered) - MOST_NAMED} more destinations")
    is_alarm = any(_is_alarm(one, now) for one in waiting)
    return Check("destinations", ok=not is_alarm, detail="; ".join(sentences) or "nothing waits")


def _destination(waiting: Waiting) -> str:
    """A country's prefix, or one of our contact points, behind whose inbox the router waits."""
    if waiting.relay == ROUTER:
        return waiting.routing_key.removesuffix(f".{waiting.lane}")
    return waiting.country


def _is_alarm(waiting: Waiting, now: datetime) -> bool:
    return waiting.last_error == PublishOutcome.UNROUTABLE.value or now - waiting.oldest >= ALARM_AGE


def _sentence(destination: str, lane: str, rows: Sequence[Waiting], *, now: datetime) -> str:
    count, oldest = sum(one.count for one in rows), min(one.oldest for one in rows)
    reason = _reason({one.last_error for one in rows} - {None})
    return f"{destination}: {count} {lane} waiting, the oldest for {span_in_words(now - oldest)}{reason}"


def _reason(errors: set[str | None]) -> str:
    for code, words in _REASONS.items():
        if code in errors:
            return f" ({words})"
    return f" ({', '.join(sorted(filter(None, errors)))})" if errors else ""
