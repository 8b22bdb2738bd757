"""The operator's first page: one row a peer, what waits, what was refused, keys that end, how long delivery takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.checks.check_destinations import ALARM_AGE
from bridge.app.keys.key_states import End
from bridge.app.operating.overview import OBJECTIVE_SECONDS, Overview
from bridge.app.operating.reasons import class_of
from bridge.console.access import Page
from bridge.console.charts import delivery_chart, sparkline
from bridge.console.language import Words, marked
from bridge.console.visit import Visit
from bridge.core.errors import UnavailableError

ENDS_SOON: Final = timedelta(days=30)
CLASSES: Final = {"security": marked("security"), "data": marked("data"), "delivery": marked("delivery")}


async def _operations(visit: Visit) -> Response:
    overview = await visit.parts.traffic.look()
    ends: Sequence[End] = ()
    ends_fault = None
    try:
        ends = (await visit.parts.key_report()).ends
    except UnavailableError as error:
        ends_fault = error
    soon = [end for end in ends if end.ends is None or end.ends - overview.at < ENDS_SOON]
    return visit.show(
        "operations.html",
        overview=overview,
        ends=ends,
        ends_fault=ends_fault,
        soon=soon,
        objective=OBJECTIVE_SECONDS,
        silent=[peer for peer in overview.peers if peer.is_silent],
        heard=[peer for peer in overview.peers if peer.heard_at is not None],
        chart=_chart(overview, visit.words),
        spark=_spark(visit.words),
        class_of=class_of,
        classes=CLASSES,
        ends_soon=ENDS_SOON,
        alarm_age=ALARM_AGE,
    )


async def _queues(visit: Visit) -> Response:
    return visit.show("queues.html", seen=await visit.parts.queues.look())


async def _checks(visit: Visit) -> Response:
    return visit.show("checks.html", checks=None)


async def _check_now(visit: Visit) -> Response:
    checks = [*await visit.parts.doctor(), *await visit.parts.status()]
    return visit.show("checks.html", checks=sorted(checks, key=lambda check: check.ok))


def _spark(words: Words) -> object:
    def draw(hourly: list[int], name: str) -> object:
        label = words.text(
            "{name}: {n} messages in 24 hours, {most} in the busiest hour", name=name, n=sum(hourly), most=max(hourly)
        )
        return sparkline(hourly, label=label)

    return draw


def _chart(overview: Overview, words: Words) -> object:
    known = [hour.p95 for hour in overview.hours if hour.p95 is not None]
    label = (
        words.text(
            "Delivery time by hour; the slowest hour had a 95th percentile of {n} s",
            n=words.number(round(max(known), 1)),
        )
        if known
        else words.text("Nothing was delivered in the last 24 hours")
    )
    return delivery_chart(
        [hour.p50 for hour in overview.hours],
        [hour.p95 for hour in overview.hours],
        objective=OBJECTIVE_SECONDS,
        label=label,
        hours=[words.clock(hour.begins) for hour in overview.hours[::6]],
    )


PAGES: Final = (
    Page("/operations", "operations", _operations, Permission.WATCH_NODE, tab="operations"),
    Page("/operations/queues", "queues", _queues, Permission.WATCH_NODE, tab="operations"),
    Page("/operations/checks", "checks", _checks, Permission.WATCH_NODE, tab="operations"),
    Page("/operations/checks", "check_now", _check_now, Permission.WORK_ON_NODE, "POST", tab="operations"),
)
