"""Notices: one for each occasion, tried until it is sent or a day old, and never a word of a message in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert

from bridge.app.checks.check_notices import check_notices
from bridge.app.desk.deadlines import WatchDeadlines
from bridge.app.desk.notices import OCCASIONS, Addressee, DeliverNotices, QueueNotices
from bridge.core.errors import UnavailableError
from bridge.ports.notices import Notice
from bridge.ports.store.records import AuditEntry

HOUR = 3600.0


@dataclass
class Channel:
    """Takes notices, or fails."""

    fails: bool = False
    sent: list[Notice] = field(default_factory=list)
    tries: int = 0

    async def send(self, notice: Notice) -> None:
        self.tries += 1
        if self.fails:
            raise UnavailableError("E_NOTICE_EMAIL", "away")
        self.sent.append(notice)


def queueing(node: Node, *, points: tuple[str, ...] = ("at.ncp",), to: str = "mail") -> QueueNotices:
    return QueueNotices([Addressee(to, points, OCCASIONS)], node.store, node.clock, node.ids)


def delivering(node: Node, channel: Channel) -> DeliverNotices:
    return DeliverNotices("mail", channel, node.store, node.clock, "https://console.example")


@pytest.fixture
def channel() -> Channel:
    return Channel()


async def arrive(node: Node, count: int = 1) -> None:
    for _ in range(count):
        await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])


async def test_fifty_alerts_are_one_mail_that_says_nothing_of_them(node: Node, channel: Channel) -> None:
    following = queueing(node)
    await following.follow()
    await arrive(node, 50)
    for _ in range(2):
        await following.follow()
        await delivering(node, channel).deliver()

    (notice,) = channel.sent
    assert (notice.contact_point, notice.occasion, notice.link) == ("at.ncp", "new", "https://console.example")
    assert notice.sentence == "A new message waits at at.ncp."


async def test_who_begins_to_send_notices_begins_with_what_is_to_come(node: Node, channel: Channel) -> None:
    await arrive(node)
    following = queueing(node)
    await following.follow()
    async with node.store.writing() as unit:
        await unit.audit.add([AuditEntry(START, "somebody", "body.read", "at.ncp", "some")])
    await following.follow()
    await delivering(node, channel).deliver()
    assert channel.sent == []


async def test_a_restart_tells_nothing_twice_and_leaves_out_nothing(node: Node, channel: Channel) -> None:
    await queueing(node).follow()
    await arrive(node)
    for _ in range(2):
        restarted = queueing(node)
        for _ in range(2):
            await restarted.follow()
            await delivering(node, channel).deliver()
            async with node.store.writing() as unit:
                await unit.audit.add([AuditEntry(START, "somebody", "body.read", "at.ncp", "some")])
    assert len(channel.sent) == 1


async def test_each_occasion_reaches_its_contact_points_channels(node: Node, channel: Channel) -> None:
    following = queueing(node)
    await following.follow()
    await arrive(node)
    for minutes in (45, 61):
        node.clock.time = START + timedelta(minutes=minutes)
        await WatchDeadlines(["at.ncp"], node.store, node.clock).watch()
    actions = ("peer.silent", "draft.released_in_emergency", "draft.submitted", "body.read")
    async with node.store.writing() as unit:
        await unit.audit.add([AuditEntry(START, "somebody", action, "at.ncp", "some") for action in actions])
        await unit.audit.add([AuditEntry(START, "somebody", "peer.silent", "hu.ncp", "some")])
    await following.follow()
    await delivering(node, channel).deliver()

    assert sorted(notice.occasion for notice in channel.sent) == ["due", "new", "overdue", "released", "silent"]
    assert {notice.contact_point for notice in channel.sent} == {"at.ncp"}


@pytest.mark.parametrize("whose", ["at.ncp", None])
async def test_a_password_for_emergencies_that_is_used_is_told(node: Node, channel: Channel, whose: str | None) -> None:
    following = queueing(node)
    await following.follow()
    async with node.store.writing() as unit:
        await unit.audit.add([AuditEntry(START, "admin", "account.broke_glass", whose, "admin")])
    await following.follow()
    await delivering(node, channel).deliver()
    assert [(notice.contact_point, notice.occasion) for notice in channel.sent] == [("at.ncp", "broke_glass")]
    assert "admin" not in channel.sent[0].sentence


async def test_what_fails_is_tried_at_growing_pauses_and_given_up_after_a_day(node: Node, channel: Channel) -> None:
    channel.fails = True
    following, delivery = queueing(node), delivering(node, channel)
    await following.follow()
    await arrive(node)
    await following.follow()
    tries = []
    for minute in range(26 * 60):
        node.clock.time = START + timedelta(minutes=minute)
        before = channel.tries
        await delivery.deliver()
        if channel.tries > before:
            tries.append(minute)

    assert tries[:7] == [0, 1, 2, 4, 8, 16, 32]
    assert 24 * 60 <= tries[-1] < 25 * 60 + 1
    check = await check_notices(node.store, channels=["mail"], now=node.clock.time)
    assert (check.ok, check.state, check.detail) == (False, "notices_unsent", "mail: 0 waiting, 1 given up")


async def test_one_that_is_sent_later_keeps_its_id(node: Node, channel: Channel) -> None:
    channel.fails = True
    following, delivery = queueing(node), delivering(node, channel)
    await following.follow()
    await arrive(node)
    await following.follow()
    await delivery.deliver()
    channel.fails = False
    await delivery.deliver()
    assert channel.sent == []

    node.clock.advance(31)
    await delivery.deliver()
    await delivery.deliver()
    assert len(channel.sent) == 1
    check = await check_notices(node.store, channels=["mail"], now=node.clock.time)
    assert (check.ok, check.detail) == (True, "mail: 0 waiting, 0 given up")
