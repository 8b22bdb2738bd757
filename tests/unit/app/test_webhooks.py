"""Webhooks: one delivery of each event, whatever fails; whoever hangs or is away harms nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest
from bridge_node import Node
from bridge_world import START, acknowledgement_body, alert, receipt_for, route_body

from bridge.app.checks.check_webhooks import check_webhooks
from bridge.app.integrating.deliver_webhooks import DeliverWebhooks
from bridge.app.integrating.follow_webhooks import FollowWebhooks
from bridge.app.integrating.webhook_events import CHOSEN
from bridge.app.integrating.webhook_schedule import JITTER, PAUSES, pause_after
from bridge.app.integrating.webhooks import MOST, ManageWebhooks
from bridge.core.errors import BadInputError, BridgeError, RefusedError, UnavailableError
from bridge.core.times import format_time
from bridge.core.webhook_signing import key_of, signed_headers
from bridge.ports.store.webhooks import DeliveryRecord
from bridge.services import webhooks as service
from bridge.services.webhooks import WebhookService

URL = "https://hook.example/"
DAY = 86400.0


@dataclass
class Poster:
    """Answers statuses one after the other, the last for ever; 0 is no answer."""

    statuses: list[int] = field(default_factory=lambda: [204])
    posted: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    hanging: dict[str, asyncio.Event] = field(default_factory=dict)
    while_posting: Callable[[], object] | None = None

    async def post(self, url: str, body_bytes: bytes, headers: Mapping[str, str]) -> int:
        self.posted.append((url, body_bytes, headers))
        if url in self.hanging:
            await self.hanging[url].wait()
        if self.while_posting is not None:
            await self.while_posting()  # type: ignore[misc]
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise UnavailableError("E_WEBHOOK_UNREACHABLE", "it did not answer in time")
        return status

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body, _ in self.posted]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, _, headers in self.posted]


@dataclass
class Hooks:
    """The use cases over one node."""

    node: Node
    poster: Poster = field(default_factory=Poster)

    def __post_init__(self) -> None:
        node = self.node
        self.managing = ManageWebhooks(node.store, lambda: node.vault, node.clock, node.ids, lambda _: None)
        self.following = FollowWebhooks(["at.ncp", "rs.ncp"], node.store, node.clock)
        self.delivering = self.deliverer(self.poster)

    def deliverer(self, poster: Poster) -> DeliverWebhooks:
        return DeliverWebhooks(self.node.store, self.node.vault, self.node.clock, poster, lambda: 0.0)

    async def add(self, url: str = URL, *, point: str = "at.ncp") -> str:
        _, record = await self.managing.add(url, contact_point=point, events=CHOSEN, by="admin")
        return record.id

    async def arrive(self, count: int = 1) -> None:
        for _ in range(count):
            await self.node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    async def deliver(self) -> None:
        await self.following.follow()
        for webhook_id, _ in await self.delivering.ready():
            await self.delivering.serve(webhook_id)

    async def rows(self, webhook_id: str) -> list[DeliveryRecord]:
        return list(await self.managing.deliveries(webhook_id, contact_point=None, limit=100))


@pytest.fixture
def hooks(node: Node) -> Hooks:
    return Hooks(node)


async def test_what_arrives_is_told_once_by_what_its_envelope_says(hooks: Hooks) -> None:
    await hooks.arrive()  # before there was a webhook
    await hooks.add()
    await hooks.arrive()
    for _ in range(3):
        await hooks.deliver()

    (event,) = hooks.poster.events
    *_, newest = await hooks.node.inbox()
    assert event == {
        "type": "message.received",
        "timestamp": format_time(START),
        "data": {
            "contact_point": "at.ncp",
            "id": newest.id,
            "from": "rs.ncp",
            "kind": "route_alert",
            "status": newest.status,
            "urgency": newest.urgency,
        },
    }


async def test_no_word_of_a_body_gets_out(hooks: Hooks) -> None:
    await hooks.add()
    await hooks.arrive()
    await hooks.deliver()
    ((_, body, headers),) = hooks.poster.posted
    assert set(json.loads(body)["data"]) == {"contact_point", "id", "from", "kind", "status", "urgency"}
    words = {word for text in _texts(route_body()) for word in text.split() if len(word) > 4}
    assert len(words) > 5
    told = body.decode() + json.dumps(dict(headers))
    assert [word for word in words if word in told] == []


def _texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return {text for one in value.values() for text in _texts(one)}
    if isinstance(value, list):
        return {text for one in value for text in _texts(one)}
    return {value} if isinstance(value, str) else set()


async def test_a_receiver_verifies_it_with_the_secret_that_was_shown(hooks: Hooks) -> None:
    secret, _ = await hooks.managing.add(URL, contact_point="at.ncp", events=CHOSEN, by="admin")
    await hooks.arrive()
    await hooks.deliver()
    ((_, body, headers),) = hooks.poster.posted
    assert dict(headers) == dict(signed_headers(headers["webhook-id"], START, body, [key_of(secret)]))


async def test_both_secrets_sign_for_a_day_after_a_rotation(hooks: Hooks) -> None:
    before, record = await hooks.managing.add(URL, contact_point="at.ncp", events=CHOSEN, by="admin")
    newest, until = await hooks.managing.rotate(record.id, contact_point="at.ncp", by="admin")
    assert (newest != before, until) == (True, START + timedelta(days=1))
    for seconds, count in ((0, 2), (DAY - 1, 2), (1, 1)):
        hooks.node.clock.advance(seconds)
        await hooks.managing.test(record.id, contact_point="at.ncp", by="admin")
        await hooks.deliver()
        _, body, headers = hooks.poster.posted[-1]
        keys = [key_of(newest), key_of(before)][:count]
        assert dict(headers) == dict(signed_headers(headers["webhook-id"], hooks.node.clock.now(), body, keys))


async def test_ten_answers_of_500_and_then_it_is_taken_under_the_same_id(hooks: Hooks) -> None:
    hooks.poster.statuses = [500] * 9 + [200]
    webhook = await hooks.add()
    await hooks.arrive()
    for pause in (*PAUSES[1:], timedelta(0)):
        await hooks.deliver()
        await hooks.deliver()  # nothing is due yet
        hooks.node.clock.advance(max(pause.total_seconds(), 5))
    (row,) = await hooks.rows(webhook)
    assert (row.attempts, row.last_status, row.due_at, row.given_up_at) == (10, 200, None, None)
    assert len(set(hooks.poster.ids)) == 1
    times = [int(headers["webhook-timestamp"]) for _, _, headers in hooks.poster.posted]
    assert [timedelta(seconds=later - before) for before, later in pairwise(times)] == list(PAUSES[1:])


@pytest.mark.parametrize("status", [0, 301, 302, 400, 401, 404, 429, 500, 503])
async def test_nothing_but_2xx_is_taken(hooks: Hooks, status: int) -> None:
    hooks.poster.statuses = [status]
    webhook = await hooks.add()
    await hooks.arrive()
    await hooks.deliver()
    (row,) = await hooks.rows(webhook)
    assert (row.answered_at, row.due_at) == (None, START + PAUSES[1])
    assert (row.last_status or 0) == status


def test_the_schedule_is_that_of_standard_webhooks_with_a_little_jitter() -> None:
    assert [pause_after(n, lambda: 0.0) for n in range(1, 11)] == [*PAUSES[1:], None]
    assert pause_after(4, lambda: 1.0) == PAUSES[4] * (1 + JITTER)
    assert sum(PAUSES, timedelta(0)) > timedelta(days=3)


async def test_410_disables_at_once_and_status_says_so_until_somebody_enables_it(hooks: Hooks) -> None:
    hooks.poster.statuses = [410, 204]
    webhook = await hooks.add()
    await hooks.arrive(3)
    await hooks.deliver()
    hooks.node.clock.advance(DAY)
    await hooks.deliver()
    assert len(hooks.poster.posted) == 1
    (check,) = await check_webhooks(hooks.node.store, contact_points=["at.ncp"])
    assert (check.ok, check.state) == (False, "webhook_disabled")
    assert "410" in check.detail
    with pytest.raises(RefusedError) as caught:
        await hooks.managing.test(webhook, contact_point="at.ncp", by="admin")
    assert caught.value.code == "E_WEBHOOK_DISABLED"

    await hooks.managing.enable(webhook, contact_point="at.ncp", by="admin")
    await hooks.deliver()
    (check,) = await check_webhooks(hooks.node.store, contact_points=["at.ncp"])
    assert check.ok
    assert len(hooks.poster.posted) == 3  # the two that waited; the one that met 410 was given up


async def test_five_days_without_one_success_disable_it(hooks: Hooks) -> None:
    hooks.poster.statuses = [500]
    webhook = await hooks.add()
    await hooks.arrive()
    for _ in range(200):
        await hooks.deliver()
        hooks.node.clock.advance(3600)
        if (await hooks.rows(webhook))[0].given_up_at is not None:
            break
    await hooks.arrive()
    await hooks.deliver()
    (check,) = await check_webhooks(hooks.node.store, contact_points=["at.ncp"])
    assert check.ok  # not yet: some three days
    hooks.node.clock.advance(2 * DAY)
    await hooks.deliver()
    (check,) = await check_webhooks(hooks.node.store, contact_points=["at.ncp"])
    assert (check.ok, "5 days" in check.detail) == (False, True)
    assert len(await hooks.node.audit("webhook.disabled")) == 1


async def test_what_becomes_of_a_message_of_ours_is_told_state_by_state(hooks: Hooks) -> None:
    await hooks.add(point="rs.ncp")
    await hooks.add()  # another contact point's is told nothing of it
    sent = alert()
    await hooks.node.given_sent(sent)
    async with hooks.node.store.writing() as unit:
        await unit.ledger.mark_sent([(sent.id, "at")], START)
    await hooks.deliver()
    await hooks.node.receiver("rs.ncp").receive([receipt_for(sent).delivery(to="rs.ncp")] * 2)
    await hooks.deliver()
    await hooks.deliver()
    about = {"contact_point": "rs.ncp", "id": sent.id, "from": "rs.ncp", "recipient": "at.ncp"}
    envelope = {"kind": "route_alert", "status": "actual", "urgency": "immediate"}
    assert [event["data"] for event in hooks.poster.events] == [
        {**about, **envelope, "state": "sent"},
        {**about, **envelope, "state": "delivered"},
    ]
    assert {event["type"] for event in hooks.poster.events} == {"message.state"}


@pytest.mark.parametrize("way", ["removed", "disabled"])
async def test_what_became_of_a_message_before_is_not_told_to_a_webhook_of_today(hooks: Hooks, way: str) -> None:
    before = await hooks.add(point="rs.ncp")
    others = await hooks.add()
    sent = alert()
    await hooks.node.given_sent(sent)
    async with hooks.node.store.writing() as unit:
        await unit.ledger.mark_sent([(sent.id, "at")], START)
        if way == "disabled":
            await unit.webhooks.disable(before, START, reason="it answered 410: gone")
    if way == "removed":
        await hooks.managing.remove(before, contact_point="rs.ncp", by="admin")
        await hooks.add(point="rs.ncp")
    else:
        await hooks.managing.enable(before, contact_point="rs.ncp", by="admin")
    await hooks.deliver()
    assert hooks.poster.events == []
    await hooks.node.receiver("rs.ncp").receive([receipt_for(sent).delivery(to="rs.ncp")])
    await hooks.managing.remove(others, contact_point="at.ncp", by="admin")
    await hooks.add()  # another contact point's takes nothing from it
    await hooks.deliver()
    assert [event["data"]["state"] for event in hooks.poster.events] == ["delivered"]


async def test_a_persons_answer_is_an_event_of_its_own(hooks: Hooks) -> None:
    await hooks.add(point="rs.ncp")
    sent = alert()
    await hooks.node.given_sent(sent)
    body = acknowledgement_body(sent.reference)
    answer = alert(kind="acknowledgement", sender="at.ncp", to=["rs.ncp"], body=body, thread=sent.id)
    await hooks.node.receiver("rs.ncp").receive([answer.delivery(to="rs.ncp")])
    await hooks.deliver()
    (event,) = hooks.poster.events
    assert event["type"] == "message.acknowledged"
    assert event["data"]["id"] == answer.id
    assert sent.id not in json.dumps(event)


async def test_killed_between_post_and_note_it_is_delivered_again_under_the_same_id(hooks: Hooks) -> None:
    await hooks.add()
    await hooks.arrive()
    await hooks.following.follow()
    (webhook_id, _), *_ = await hooks.delivering.ready()

    async def killed() -> None:
        raise KeyboardInterrupt

    hooks.poster.while_posting = killed
    with pytest.raises(KeyboardInterrupt):
        await hooks.delivering.serve(webhook_id)
    hooks.poster.while_posting = None
    await hooks.deliver()
    assert len(hooks.poster.posted) == 1  # the lease still stands
    hooks.node.clock.advance(31)
    await hooks.deliver()
    assert len(hooks.poster.ids) == 2
    assert len(set(hooks.poster.ids)) == 1


async def test_two_processes_post_each_event_once(hooks: Hooks) -> None:
    await hooks.add()
    await hooks.arrive(10)
    other, poster = FollowWebhooks(["at.ncp"], hooks.node.store, hooks.node.clock), Poster()
    await asyncio.gather(hooks.following.follow(), other.follow())
    (webhook_id, _), *_ = await hooks.delivering.ready()
    await asyncio.gather(hooks.delivering.serve(webhook_id), hooks.deliverer(poster).serve(webhook_id))
    ids = hooks.poster.ids + poster.ids
    assert (len(ids), len(set(ids))) == (10, 10)


async def test_one_that_is_removed_in_flight_is_posted_to_no_more(hooks: Hooks) -> None:
    webhook = await hooks.add()
    await hooks.arrive(3)

    async def remove() -> None:
        await hooks.managing.remove(webhook, contact_point="at.ncp", by="admin")

    hooks.poster.while_posting = remove
    await hooks.deliver()
    assert len(hooks.poster.posted) == 1
    assert await hooks.managing.list(["at.ncp"]) == []


async def test_replayed_are_one_or_all_since_a_time_under_the_same_ids(hooks: Hooks) -> None:
    webhook = await hooks.add()
    await hooks.arrive()
    await hooks.deliver()
    hooks.node.clock.advance(60)
    await hooks.arrive(2)
    await hooks.deliver()
    first, *others = hooks.poster.ids
    who = {"contact_point": "at.ncp", "by": "admin"}
    assert await hooks.managing.replay(webhook, **who, since=START + timedelta(seconds=30)) == 2
    await hooks.deliver()
    assert sorted(hooks.poster.ids[3:]) == sorted(others)
    assert await hooks.managing.replay(webhook, **who, delivery_id=first) == 1
    await hooks.deliver()
    assert hooks.poster.ids[5:] == [first]
    for wrong in ({}, {"delivery_id": "evt_none"}, {"delivery_id": first, "since": START}):
        with pytest.raises(BadInputError):
            await hooks.managing.replay(webhook, **who, **wrong)


async def test_a_clock_that_was_ahead_holds_nothing_up(hooks: Hooks) -> None:
    hooks.poster.statuses = [500, 204]
    await hooks.add()
    await hooks.arrive()
    hooks.node.clock.advance(300 * DAY)
    await hooks.deliver()
    hooks.node.clock.advance(-300 * DAY)
    await hooks.deliver()
    assert len(set(hooks.poster.ids)) == 1
    assert len(hooks.poster.ids) == 2


async def test_somebody_elses_webhook_is_unknown_in_the_same_words(hooks: Hooks) -> None:
    webhook, managing = await hooks.add(), hooks.managing
    said = set()
    for one, point in ((webhook, "rs.ncp"), ("wh_none", "rs.ncp")):
        for call in (
            managing.remove(one, contact_point=point, by="x"),
            managing.rotate(one, contact_point=point, by="x"),
            managing.deliveries(one, contact_point=point, limit=1),
            managing.test(one, contact_point=point, by="x"),
            managing.enable(one, contact_point=point, by="x"),
            managing.replay(one, contact_point=point, by="x", since=START),
        ):
            with pytest.raises(BridgeError) as caught:
                await call
            said.add((caught.value.code, caught.value.message.replace(one, "")))
    assert said == {("E_UNKNOWN_WEBHOOK", "there is no webhook ")}


async def test_events_and_their_number_are_checked(hooks: Hooks) -> None:
    for events in ([], ["message.body"]):
        with pytest.raises(BadInputError) as caught:
            await hooks.managing.add(URL, contact_point="at.ncp", events=events, by="admin")
        assert caught.value.code == "E_EVENT"
    for _ in range(MOST):
        await hooks.add()
    with pytest.raises(RefusedError) as refused:
        await hooks.add()
    assert refused.value.code == "E_WEBHOOKS_FULL"


async def test_one_that_hangs_delays_no_other(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.01)
    hanging = [f"https://hangs.example/{number}" for number in range(service.MOST_AT_ONCE - 1)]
    hooks.poster.hanging = {url: asyncio.Event() for url in hanging}
    for url in (*hanging, URL):
        await hooks.add(url)
    stop = asyncio.Event()
    running = asyncio.create_task(WebhookService(hooks.following, hooks.delivering).run(stop))
    await hooks.arrive(5)
    async with asyncio.timeout(30):
        while sum(url == URL for url, _, _ in hooks.poster.posted) < 5:  # noqa: ASYNC110 - a counter, not an event
            await asyncio.sleep(0.01)
    assert all(sum(url == one for url, _, _ in hooks.poster.posted) == 1 for one in hanging)
    for event in hooks.poster.hanging.values():
        event.set()
    stop.set()
    await asyncio.wait_for(running, 30)
