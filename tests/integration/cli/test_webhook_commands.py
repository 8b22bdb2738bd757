"""Webhooks by command and over HTTP, from adding one to what its receiver verifies; no broker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cli_commands import ROOT, Nodes, ask, say
from http_world import code, interface
from servers.webhook_receiver import WebhookReceiver, receiving
from standardwebhooks.webhooks import Webhook

from bridge.adapters.notices.events import EventPoster
from bridge.adapters.system import SystemClock
from bridge.app.integrating.deliver_webhooks import LEASE, DeliverWebhooks
from bridge.compose.node import Node, open_node
from bridge.compose.webhooks import webhook_service
from bridge.settings import load_settings

BOUND_SECONDS = 30
HOSTS = '\n[api]\nwebhook_hosts = ["127.0.0.1"]\n'


@dataclass(frozen=True)
class AheadClock:
    """As late as a test says."""

    ahead: timedelta

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead


@asynccontextmanager
async def posting(config: Path) -> AsyncIterator[Node]:
    """What the process of the contact points runs for webhooks."""
    settings, stop = load_settings(config), asyncio.Event()
    async with open_node(settings) as node:
        service, _ = webhook_service(
            settings, contact_points=node.hosted, store=node.store, vault=node.vault, clock=node.clock
        )
        running = asyncio.create_task(service.run(stop))
        yield node
        stop.set()
        await asyncio.wait_for(running, BOUND_SECONDS)


async def until_posted(receiver: WebhookReceiver, count: int) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while len(receiver.posted) < count:  # noqa: ASYNC110 - a counter, not an event
            await asyncio.sleep(0.02)


async def asked(*arguments: object) -> Mapping[str, object]:
    return await asyncio.to_thread(ask, "webhooks", *arguments)


def allow_loopback(config: Path) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(HOSTS)


async def test_from_adding_to_replaying(nodes: Nodes) -> None:
    at = ("--config", nodes.at)
    allow_loopback(nodes.at)
    async with receiving() as receiver:
        made = await asked("add", receiver.url, "--contact-point", "at.ncp", *at)
        assert (await asked("list", *at))["items"][0].keys() == made.keys() - {"secret"}
        await asked("test", made["id"], *at)
        async with posting(nodes.at):
            await until_posted(receiver, 1)
            (first,) = receiver.posted
            event = Webhook(made["secret"]).verify(first.body_bytes.decode(), first.headers)
            assert (event["type"], event["data"]) == ("webhook.test", {"contact_point": "at.ncp"})

            newest = (await asked("rotate-secret", made["id"], *at))["secret"]
            await asked("test", made["id"], *at)
            await until_posted(receiver, 2)
            for secret in (made["secret"], newest):
                Webhook(secret).verify(receiver.posted[1].body_bytes.decode(), receiver.posted[1].headers)

            async with asyncio.timeout(BOUND_SECONDS):
                while any(one["result"] != "delivered" for one in await delivered(made, at)):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.02)
            again = (await delivered(made, at))[0]["id"]
            assert (await asked("replay", made["id"], again, *at))["replayed"] == 1
            await until_posted(receiver, 3)
            assert receiver.posted[2].headers["webhook-id"] == again
            assert (await asked("replay", made["id"], "--since", "2020-01-01T00:00:00Z", *at))["replayed"] == 2
            await until_posted(receiver, 5)
        await asked("remove", made["id"], *at)
        assert (await asked("list", *at))["items"] == []


async def delivered(made: Mapping[str, object], at: tuple[str, Path]) -> list[dict[str, object]]:
    return (await asked("deliveries", made["id"], *at))["items"]  # type: ignore[return-value]


def test_what_cannot_be_is_said_in_a_sentence(nodes: Nodes) -> None:
    at = ("--config", nodes.at, "--json")
    for arguments, expected in (
        (("add", "http://127.0.0.1:9/"), "E_WEBHOOK_ADDRESS"),
        (("add", "https://a.example/", "--events", "message.body"), "E_EVENT"),
        (("add", "https://a.example/", "--contact-point", "rs.ncp"), "E_CONTACT_POINT"),
        (("test", "wh_none"), "E_UNKNOWN_WEBHOOK"),
        (("replay", "wh_none"), "E_REPLAY"),
        (("replay", "wh_none", "--since", "yesterday"), "E_TIME"),
    ):
        said = say("webhooks", *arguments, *at)
        assert (said.status, said.json["error"]["code"]) == (2, expected)


async def test_a_system_manages_those_of_its_contact_point(nodes: Nodes) -> None:
    async with interface(nodes.hu) as hungary:
        own = await hungary.system("webhooks:manage", contact_point="hu.ncp")
        other = await hungary.system("webhooks:manage", contact_point="hu.border-police")
        given = {"url": "https://cases.example/hook", "events": ["message.received"]}
        answer = await own.post("/webhooks", json=given)
        made = answer.json()
        assert (answer.status_code, made["contact_point"], made["secret"][:6]) == (201, "hu.ncp", "whsec_")
        (listed,) = (await own.get("/webhooks")).json()["items"]
        assert listed == {name: value for name, value in made.items() if name != "secret"}
        assert (await other.get("/webhooks")).json()["items"] == []

        path = f"/webhooks/{made['id']}"
        assert code(await other.delete(path)) == (404, "E_UNKNOWN_WEBHOOK")
        assert code(await other.get(f"{path}/deliveries")) == (404, "E_UNKNOWN_WEBHOOK")
        queued = (await own.post(f"{path}/test")).json()
        (row,) = (await own.get(f"{path}/deliveries")).json()["items"]
        assert (row["id"], row["event"], row["result"]) == (queued["delivery"], "webhook.test", "waiting")
        again = await own.post(f"{path}/replay", json={"delivery": queued["delivery"]})
        assert again.json() == {"id": made["id"], "replayed": 1}
        since = await own.post(f"{path}/replay", json={"since": "2020-01-01T00:00:00Z"})
        assert since.json()["replayed"] == 1
        assert (await own.post(f"{path}/secret")).json()["secret"] != made["secret"]
        assert (await own.post(f"{path}/enable")).status_code == 204
        refused = await own.post("/webhooks", json={**given, "url": "http://127.0.0.1:9/"})
        assert code(refused) == (422, "E_WEBHOOK_ADDRESS")
        assert (await own.delete(path)).status_code == 204
        assert code(await own.delete(path)) == (404, "E_UNKNOWN_WEBHOOK")


DELIVER = """
import asyncio, sys
from pathlib import Path
from bridge.compose.node import open_node
from bridge.compose.webhooks import webhook_service
from bridge.settings import load_settings

async def main():
    settings = load_settings(Path(sys.argv[1]))
    async with open_node(settings) as node:
        about = {"contact_points": node.hosted, "store": node.store, "vault": node.vault, "clock": node.clock}
        service, _ = webhook_service(settings, **about)
        await service.run(asyncio.Event())

asyncio.run(main())
"""


async def test_killed_between_post_and_note_it_comes_again_under_the_same_id(nodes: Nodes) -> None:
    # given a process that has posted, and waits for the answer
    allow_loopback(nodes.at)
    async with receiving(hangs=True) as receiver:
        made = await asked("add", receiver.url, "--config", nodes.at)
        await asked("test", made["id"], "--config", nodes.at)
        process = subprocess.Popen([sys.executable, "-c", DELIVER, nodes.at], cwd=ROOT)  # noqa: ASYNC220, S603 - our own
        try:
            await until_posted(receiver, 1)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(BOUND_SECONDS)

        # when the next one comes, after the lease
        receiver.hangs = False
        async with open_node(load_settings(nodes.at)) as node:
            poster = EventPoster(["127.0.0.1"])
            early = DeliverWebhooks(node.store, node.vault, node.clock, poster)
            assert await early.ready() == []
            late = DeliverWebhooks(node.store, node.vault, AheadClock(LEASE + timedelta(seconds=1)), poster)
            await late.serve(made["id"])

    # then
    first, second = receiver.posted
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body_bytes == second.body_bytes
