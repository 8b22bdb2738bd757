"""A country with the client in JavaScript and keys of its own, beside ours with this software: both ways."""

from __future__ import annotations

import asyncio
import json
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aio_pika
import httpx
import pytest
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, ensure_node_modules, find_node
from service_world import ALERT, ROOT, World, eventually

from bridge.adapters.store import gaps
from bridge.cli.main import main_status
from bridge.compose import peer_chores
from bridge.core.messages import read_alert_file
from bridge.core.times import format_time
from bridge.core.wire import base64url
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes

if TYPE_CHECKING:
    from servers.broker_fixtures import MakeVirtualHost

pytestmark = [pytest.mark.node, pytest.mark.broker]

CLIENT = ROOT / "clients" / "node"
PASSWORD = "of a throw-away broker"
SECONDS = 60.0
MOST_LINES = 460  # without blank ones and comments: see decision 0041
LONGEST_LINE = 130
NETWORK = """
network = "test"
countries = ["RS", "AT"]

[defaults]
statuses = ["actual"]

[[transfers]]
from = ["RS", "AT"]
to = ["RS", "AT"]
basis = "agreement"

[[contact_points]]
id = "rs.ncp"
name = "National contact point, Serbia"
national_desk = true

[[contact_points]]
id = "at.ncp"
name = "National contact point, Austria"
national_desk = true
"""


class Client:
    """The client's commands in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def start(self, *arguments: object) -> Process:
        return await asyncio.create_subprocess_exec(
            *(str(find_node().program), str(CLIENT / "client.mjs")), *map(str, arguments), stdout=PIPE, limit=2**22
        )

    async def run(self, *arguments: object) -> list[dict[str, Any]]:
        """A command to its end, and what it said."""
        process = await self.start(*arguments)
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
        assert process.returncode == 0
        return [json.loads(line) for line in out.splitlines()]

    @asynccontextmanager
    async def listening(self, *options: str) -> AsyncIterator[Process]:
        """Follows the queues, until SIGTERM."""
        process = await self.start("listen", self.folder, *options)
        try:
            assert (await said(process))["what"] == "listening"
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait_for(process.communicate(), SECONDS)

    def alert(self) -> Path:
        """An alert file for `publish`, which plans nothing: the deadline for erasing stands in it."""
        alert = json.loads(ALERT.read_text("utf-8"))
        alert["body"]["retain_until"] = format_time(datetime.now(UTC) + timedelta(days=60))
        (self.folder / "alert.json").write_text(json.dumps(alert), "utf-8")
        return self.folder / "alert.json"

    def journal(self, what: str) -> list[dict[str, Any]]:
        entries = [json.loads(line) for line in (self.folder / "journal.jsonl").read_text("utf-8").splitlines()]
        return [entry for entry in entries if entry["what"] == what]


async def said(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
    answer: dict[str, Any] = json.loads(line)
    return answer


def command(*arguments: object) -> None:
    assert main_status([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module", autouse=True)
def node_is_here() -> None:
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)
    ensure_node_modules(CLIENT)


@pytest.fixture
def countries(tmp_path: Path, make_vhost: MakeVirtualHost) -> tuple[World, Client]:
    """Austria runs this software; Serbia enrols with the client, is admitted, and reads the list as plain JSON."""
    vhost = make_vhost({})
    description, network = tmp_path / "network.toml", tmp_path / "network"
    description.write_text(NETWORK, "utf-8")
    found_network(network, description)
    place = BrokerPlace(
        host=vhost.broker.host,
        port=vhost.broker.port,
        vhost=vhost.name,
        admin_url_file=Path("secrets/broker-admin.url"),
    )
    (austria,) = found_nodes([NodeOrder(tmp_path / "at", "AT", place)], network=network)
    (tmp_path / "at" / "secrets" / "broker-admin.url").touch(mode=0o600)
    (tmp_path / "at" / "secrets" / "broker-admin.url").write_text(vhost.broker.management_url)

    # keys of its own, a request, governance's signature
    client = Client(tmp_path / "rs")
    title = "National contact point, Serbia"
    asyncio.run(client.run("enrol", client.folder, "--network", "test", "--id", "rs.ncp", "--title", title))
    change, keys = tmp_path / "change.json", sorted((network / "keys").glob("governance*"))
    command(
        "network",
        "propose",
        network,
        "--config",
        description,
        "--admit",
        client.folder / "request.json",
        "--out",
        change,
    )
    signers = [word for key in keys for word in ("--key", key)]
    command("network", "sign", change, *signers, "--mirror", network / "mirror", "--yes")
    command("network", "publish", network, change)
    command("network", "export", network, "--out", client.folder / "network.json")

    # the broker's operator gives it accounts
    command("topology", "apply", "--config", austria.config)
    command("topology", "apply", "--all", "--config", austria.config)
    for account in ("rs-relay", "rs-router"):
        answer = httpx.put(
            f"{vhost.broker.management_url}/api/users/{account}",
            json={"password": PASSWORD, "tags": ""},
            timeout=SECONDS,
        )
        answer.raise_for_status()
    at_broker = f"{vhost.broker.host}:{vhost.broker.port}/{vhost.name}"
    urls = {role: f"amqp://rs-{role}:{PASSWORD.replace(' ', '%20')}@{at_broker}" for role in ("relay", "router")}
    (client.folder / "client.json").write_text(json.dumps({"id": "rs.ncp", "network": "network.json", **urls}), "utf-8")
    return World(vhost, {"at": austria.config}), client


async def submit(world: World) -> str:
    """Austria sends an alert about a route from Serbia."""
    alert = read_alert_file(ALERT.read_bytes())
    assert not isinstance(alert, tuple)
    async with world.node("at") as node:
        submitting = await node.submitting()
        draft = await submitting.prepare(alert, sender="at.ncp")
        return (await submitting.sending.send(draft, sender="at.ncp", partial=True)).id


async def state_at_serbia(world: World, message_id: str) -> tuple[str, str | None]:
    async with world.node("at") as node, node.store.reading() as unit:
        message = await unit.ledger.get(message_id)
    assert message is not None
    (serbia,) = [one for one in message.recipients if one.id == "rs.ncp"]
    return serbia.state, serbia.level


async def test_ours_to_the_client_and_back(countries: tuple[World, Client]) -> None:
    world, client = countries
    async with world.running("at"):
        message_id = await submit(world)
        async with client.listening("--acknowledge", "accepted", "--officer", "D. Petrović") as process:
            received = await heard(process, "received")
            assert received["payload"]["id"] == message_id
            assert received["body"]["title"] == json.loads(ALERT.read_text("utf-8"))["body"]["title"]
            await heard(process, "acknowledged")
            await until(world, message_id, ("delivered", "accepted"))
            assert (await heard(process, "control"))["control"]["state"] == "delivered"  # our receipt for its answer
    assert await world.refused("at") == []


async def test_the_client_to_ours_and_back(countries: tuple[World, Client]) -> None:
    world, client = countries
    async with world.running("at"):
        said_lines = await client.run("publish", client.folder, client.alert(), "--to", "at.ncp", "--wait", "60")
        (published,) = [line["id"] for line in said_lines if line["what"] == "published"]
        (receipt,) = [line["control"] for line in said_lines if "of" in line.get("control", {})]
        assert (receipt["state"], receipt["of"]["id"]) == ("delivered", published)
        async with world.node("at") as node:
            item = await node.reading.item(published, contact_point="at.ncp")
            await (await node.acknowledging()).acknowledge(item, level="accepted", officer="M. Huber")
        async with client.listening() as process:
            answer = await heard(process, "received")
            assert (answer["body"]["level"], answer["body"]["of"]["id"]) == ("accepted", published)


async def test_what_a_crash_left_is_answered_once_when_it_is_back(countries: tuple[World, Client]) -> None:
    # given a program that takes a message and never confirms it, and then a client that is killed when it has stored it
    world, client = countries
    officer = ("--acknowledge", "accepted", "--officer", "D. Petrović")
    async with world.running("at"):
        message_id = await submit(world)
        await take_and_confirm_nothing(client)
        async with client.listening(*officer) as process:
            assert (await heard(process, "received"))["payload"]["id"] == message_id
            process.kill()
            await process.communicate()
        # and half a line, as a crash in the middle of writing leaves it
        with (client.folder / "journal.jsonl").open("a", encoding="utf-8") as journal:
            journal.write('{"what":"rece')

        # then it takes the message once, the sender hears that it is there, and of one acknowledgement
        async with client.listening(*officer):
            await until(world, message_id, ("delivered", "accepted"))
    assert len(client.journal("received")) == 1
    assert [entry["payload"]["kind"] for entry in client.journal("sent")].count("acknowledgement") == 1


async def test_many_at_once_over_a_line_that_breaks_have_a_number_each(countries: tuple[World, Client]) -> None:
    world, client = countries
    async with (
        world.running("at"),
        client.listening("--acknowledge", "accepted", "--officer", "D. Petrović") as process,
    ):
        messages = [await submit(world) for _ in range(10)]
        await heard(process, "received")
        await break_connections(world, "rs-router", "rs-relay")
        messages += [await submit(world) for _ in range(10)]
        for message_id in messages:
            await until(world, message_id, ("delivered", "accepted"))
    numbers = [entry["payload"]["seq"]["n"]["at.ncp"] for entry in client.journal("sent") if "seq" in entry["payload"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(messages)))
    assert len(client.journal("received")) == len(messages)


async def test_what_no_queue_takes_is_not_called_sent_and_goes_out_later(countries: tuple[World, Client]) -> None:
    world, client = countries
    queue = f"/api/queues/{world.vhost.name}/country.at.normal"
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        answer = await http.delete(f"{world.vhost.broker.management_url}{queue}")
        answer.raise_for_status()

    process = await client.start("publish", client.folder, client.alert(), "--to", "at.ncp", "--wait", "3")
    out, _ = await asyncio.wait_for(process.communicate(), SECONDS)

    assert (process.returncode, b"published" in out) == (1, False)
    await asyncio.to_thread(command, "topology", "apply", "--config", world.configs["at"])
    async with world.running("at"), client.listening() as process:
        (message_id,) = [entry["payload"]["id"] for entry in client.journal("sent")]
        while (await heard(process, "control"))["control"].get("state") != "delivered":
            pass
        assert await world.inbox() == [message_id]

        # and nobody else may work in its folder meanwhile
        other = await client.start("publish", client.folder, client.alert(), "--to", "at.ncp")
        await asyncio.wait_for(other.communicate(), SECONDS)
        assert other.returncode == 1


async def test_what_is_lost_in_the_broker_is_published_again_when_it_is_asked_for(
    countries: tuple[World, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client = countries
    monkeypatch.setattr(gaps, "ASK_AGAIN_AFTER", (timedelta(seconds=1), timedelta(seconds=1), timedelta(hours=1)))
    monkeypatch.setattr(peer_chores, "ASK_SECONDS", 0.2)
    publish = ("publish", client.folder, client.alert(), "--to", "at.ncp")
    async with world.running("at"):
        await client.run(*publish, "--wait", "60")
    await client.run(*publish)
    url = f"{world.vhost.broker.management_url}/api/queues/{world.vhost.name}/country.at.normal/contents"
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        (await http.delete(url)).raise_for_status()
    await client.run(*publish)

    async with world.running("at"), client.listening():

        async def are_all_there() -> bool:
            return len(await world.inbox()) == 3

        await eventually(are_all_there, seconds=SECONDS)


async def test_the_client_refuses_what_is_forged_and_goes_on(countries: tuple[World, Client]) -> None:
    world, client = countries
    async with world.running("at"), client.listening() as process:
        good = await submit(world)
        assert (await heard(process, "received"))["payload"]["id"] == good
        envelope = json.loads(await wire_bytes_of(world, good))
        changed = json.loads(base64url.decode(envelope["payload"]))
        changed["urgency"] = "immediate"
        forged = envelope | {"payload": base64url.encode(json.dumps(changed).encode())}
        await inject(world, json.dumps(forged).encode())
        await inject(world, b"nothing that could be read")
        await inject(world, json.dumps(envelope).encode())  # verified, but its properties say nothing
        next_one = await submit(world)
        assert (await heard(process, "received"))["payload"]["id"] == next_one
        await until(world, good, ("delivered", None))
    assert [entry["code"] for entry in client.journal("refused")] == ["E_SIGNATURE", "E_JSON", "E_ROUTE_MISMATCH"]


def test_the_client_has_fewer_lines_of_code_than_it_says() -> None:
    files = [CLIENT / "client.mjs", *(CLIENT / "src").glob("*.mjs")]
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    code = [line for line in lines if line and not line.startswith(("//", "/**", "*"))]
    assert len(code) < MOST_LINES
    assert max(map(len, lines)) <= LONGEST_LINE


async def heard(process: Process, what: str) -> dict[str, Any]:
    """The next line that says this; what comes before it is passed over."""
    while True:
        line = await said(process)
        if line["what"] == what:
            return line


async def until(world: World, message_id: str, state: tuple[str, str | None]) -> None:
    """Waits until Austria knows this of Serbia."""

    async def is_so() -> bool:
        return await state_at_serbia(world, message_id) == state

    await eventually(is_so, seconds=SECONDS)


async def take_and_confirm_nothing(client: Client) -> None:
    url = json.loads((client.folder / "client.json").read_text("utf-8"))["router"]
    async with await aio_pika.connect(url, timeout=SECONDS) as connection:
        queue = await (await connection.channel()).get_queue("country.rs.normal", ensure=False)
        came = asyncio.Event()

        async def take(_: object) -> None:
            came.set()

        await queue.consume(take)
        await asyncio.wait_for(came.wait(), SECONDS)


async def break_connections(world: World, *accounts: str) -> None:
    """The broker closes what these accounts have open."""
    async with httpx.AsyncClient(base_url=world.vhost.broker.management_url, timeout=SECONDS) as http:
        for account in accounts:

            async def are_there(account: str = account) -> bool:
                return bool((await http.get(f"/api/connections/username/{account}")).json())

            await eventually(are_there, seconds=SECONDS)
            (await http.delete(f"/api/connections/username/{account}")).raise_for_status()


async def wire_bytes_of(world: World, message_id: str) -> bytes:
    async with world.node("at") as node, node.store.reading() as unit:
        message = await unit.ledger.get(message_id)
    assert message is not None
    return message.wire_bytes


async def inject(world: World, wire_bytes: bytes) -> None:
    """Publishes with Austria's own relay account, past the bridge."""
    settings = world.settings("at")
    async with await aio_pika.connect(settings.amqp_urls(settings.broker.relay)[0], timeout=SECONDS) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("from.at", ensure=False)
        await exchange.publish(aio_pika.Message(wire_bytes), "at.rs.normal.route_alert", timeout=SECONDS)


# What only the receiver's domain check finds (schemas/rules.json), and a client that goes by the schemas does not.
BEYOND_SCHEMAS = {"17-body-schema-kept-longer-than-180-days", "17-body-schema-legs-that-do-not-join"}


def test_the_client_judges_the_wire_vectors_as_they_say() -> None:
    run = (
        "import { vectors } from './test/vectors.mjs'\n"
        "await vectors(process.argv[1], (line) => console.log(JSON.stringify(line)))"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [find_node().program, "--input-type=module", "--eval", run, ROOT / "schemas" / "vectors"],
        cwd=CLIENT, capture_output=True, encoding="utf-8", timeout=SECONDS, check=True,
    )  # fmt: skip
    judged = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    files = sorted((ROOT / "schemas" / "vectors").glob("[0-9]*.json"))
    assert judged.keys() == {file.stem for file in files}
    for file in files:
        vector = json.loads(file.read_text("utf-8"))
        said = judged[file.stem]
        agrees = all(said[name] == vector[name] for name in ("outcome", "step", "code"))
        assert agrees != (file.stem in BEYOND_SCHEMAS), said
