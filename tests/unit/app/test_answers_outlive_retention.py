"""An officer can answer whatever has arrived; the answer is kept as long, and a fortnight at least."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, StillClock, alert, route_body

from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.core.times import format_time

LATER = timedelta(minutes=20)


@pytest.mark.parametrize(
    ("retained", "kept"),
    [
        (timedelta(minutes=10), LATER + timedelta(days=14)),  # passed before the officer came
        (timedelta(days=13), LATER + timedelta(days=14)),
        (timedelta(days=90), timedelta(days=90)),
        (timedelta(days=180), timedelta(days=180)),
    ],
)
async def test_the_answer_is_kept_as_long_as_the_alert_and_fourteen_days_at_least(
    node: Node, clock: StillClock, retained: timedelta, kept: timedelta
) -> None:
    message = alert(body={**route_body(), "retain_until": format_time(START + retained)})
    await node.receiver("at.ncp").receive([message.delivery(to="at.ncp")])
    item = await node.reader().item(message.id, contact_point="at.ncp")
    clock.advance(LATER.total_seconds())

    answer = await AcknowledgeMessages(node.sending()).acknowledge(item, level="accepted", officer="Ana Anić")

    sent = await node.sent(answer.id)
    assert sent.body is not None
    body = json.loads(node.vault.get("at.ncp", sent.body, context=f"at.ncp/at.ncp/{answer.id}"))
    assert body["retain_until"] == format_time(START + kept)


async def test_the_answer_to_a_sender_whose_clock_is_ahead_stays_within_180_days(node: Node) -> None:
    ahead = START + timedelta(seconds=100)
    body = {**route_body(ahead), "retain_until": format_time(ahead + timedelta(days=180))}
    message = alert(at=ahead, body=body)
    await node.receiver("at.ncp").receive([message.delivery(to="at.ncp")])
    item = await node.reader().item(message.id, contact_point="at.ncp")

    await AcknowledgeMessages(node.sending()).acknowledge(item, level="accepted", officer="Ana Anić")

    assert [item.state for item in await node.inbox()] == ["acknowledged"]
