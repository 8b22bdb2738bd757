"""Who would receive what is being written: asked while it is incomplete, so it takes what is there and never refuses.

Unusual recipients are named by two rules that anybody can check: a contact point to which this one never wrote, and
more recipients than any of its last alerts had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bridge.core.directory import Directory
from bridge.core.messages import Leg
from bridge.core.routing import RoutePlan, corridor_of, plan_route
from bridge.core.times import to_milliseconds
from bridge.core.vocabulary import ALERT_CANCEL, CHILD_AGE_BANDS, CODE_LISTS, ROUTE_ALERT
from bridge.ports.clock import Clock
from bridge.ports.store import Store

LAST_ALERTS: Final = 50
FEWEST_TO_COMPARE: Final = 10
_OF_A_LEG: Final = ("from", "to", "crossing_point")


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would receive it by what is written so far.

    Attributes:
        never_written_to: recipients to whom this contact point never sent anything.
        most_so_far: how many received any of its last alerts at most, where that is fewer than now; else `None`.
    """

    plan: RoutePlan
    never_written_to: frozenset[str]
    most_so_far: int | None


@dataclass(frozen=True, slots=True)
class _Travelled:
    legs: Sequence[Leg]
    exploitation: Sequence[str]
    child_involved: bool


@dataclass(frozen=True, slots=True)
class PreviewRecipients:
    """Previews for the contact points of one node."""

    store: Store
    clock: Clock

    async def preview(self, document: Mapping[str, object], directory: Directory, *, sender: str) -> Preview:
        """The plan for what is written, and what is unusual about it."""
        kind, status, supersedes = (document.get(name) for name in ("kind", "status", "supersedes"))
        kind = kind if isinstance(kind, str) else ROUTE_ALERT
        earlier: Sequence[str] = ()
        async with self.store.reading() as unit:
            if isinstance(supersedes, str):
                message = await unit.ledger.get(supersedes)
                if message is not None and message.sender == sender:
                    earlier = await unit.ledger.recipients_of_thread(message.thread, sender=sender)
            plan = plan_route(
                corridor_of(None if kind == ALERT_CANCEL else _travelled(document.get("body"))),
                directory,
                kind=kind,
                status=status if isinstance(status, str) else "actual",
                sender=sender,
                at=to_milliseconds(self.clock.now()),
                earlier=earlier,
            )
            recipients = [recipient.id for recipient in plan.recipients]
            known = await unit.sent_alerts.written_to(sender, recipients) if recipients else frozenset()
            alerts, most = await unit.sent_alerts.usual_number(sender, last=LAST_ALERTS)
        is_more = alerts >= FEWEST_TO_COMPARE and len(recipients) > most
        return Preview(plan, frozenset(recipients) - known, most if is_more else None)


def _travelled(body: object) -> _Travelled:
    members = body if isinstance(body, dict) else {}
    forms = [form for form in _list(members.get("exploitation")) if isinstance(form, str)]
    known = frozenset(CODE_LISTS["exploitation"])
    bands = [group.get("age_band") for group in _list(members.get("victims")) if isinstance(group, dict)]
    is_child = any(isinstance(band, str) and band in CHILD_AGE_BANDS for band in bands)
    return _Travelled(tuple(_legs(members.get("legs"))), [form for form in forms if form in known], is_child)


def _legs(legs: object) -> Iterator[Leg]:
    """The legs of which both countries are known; what else is wrong with one does not matter here."""
    for leg in _list(legs):
        if not isinstance(leg, dict):
            continue
        for names in (_OF_A_LEG, _OF_A_LEG[:2]):
            members = {name: leg[name] for name in names if name in leg}
            ends = {
                name: {"country": end.get("country")}
                for name in _OF_A_LEG[:2]
                if isinstance(end := members.get(name), dict)
            }
            try:
                yield Leg.model_validate({**members, **ends, "confirmed": False})
            except ValidationError:
                continue
            break


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
