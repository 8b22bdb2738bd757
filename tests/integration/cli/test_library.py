"""The library over the same nodes as the commands: submit, follow the inbox, open, answer, see what became of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from cli_commands import ALERT, ROOT, Nodes, ask, carry, wire_bytes_of

import bridge
from bridge import (
    BadInputError,
    Client,
    InboxItem,
    RefusedError,
    UnavailableError,
    verify,
)

CONSUMER = '''
"""What a program of somebody else looks like to a type checker."""
from pathlib import Path

from bridge import Client, verify


async def work(config: Path) -> None:
    async with Client.open(config, contact_point="rs.ncp") as client:
        reveal_type(client)
        reveal_type(await client.preview(config))
        reveal_type(await client.submit({"kind": "route_alert"}, officer="M. Huber"))
        async for item in client.inbox(after=None, wait=True):
            reveal_type(item)
            reveal_type(item.acknowledge_by)
            reveal_type(await client.read(item, officer="M. Huber"))
            reveal_type(await client.acknowledge(item, level="accepted", officer="M. Huber"))
        reveal_type(await client.state("0193"))
    reveal_type(verify(b"", network="network"))
'''
REVEALED = [
    "Client",
    "Preview",
    "Submitted",
    "InboxItem",
    "datetime.datetime | None",
    "Message",
    "Submitted",
    "Sequence[bridge.client.records.RecipientState]",
    "Verdict",
]


async def all_of(client: Client, after: str | None = None) -> list[InboxItem]:
    return [item async for item in client.inbox(after=after)]


async def test_an_alert_goes_out_is_opened_and_its_answer_comes_back(nodes: Nodes) -> None:
    # given an alert that a program at the origin submits in an officer's name
    async with Client.open(nodes.rs) as origin:
        preview = await origin.preview(ALERT)
        submitted = await origin.submit(ALERT, officer="D. Petrović")
    assert {one.id for one in preview.recipients} == set(submitted.recipients) >= {"at.ncp", "hu.ncp"}
    entry = (await asyncio.to_thread(ask, "audit", "list", "--config", nodes.rs))["items"][0]
    assert (entry["actor"], entry["action"]) == ("D. Petrović", "message.submitted")

    # when it has arrived, it is in the inbox behind what was there, sealed
    async with Client.open(nodes.at) as destination:
        before = await all_of(destination)
        await asyncio.to_thread(carry, nodes.rs, nodes.at, submitted.id)
        (item,) = await all_of(destination, after=before[-1].cursor)
        assert (item.id, item.sender, item.state) == (submitted.id, "rs.ncp", "new")

        # then it can be opened, which is logged, and answered
        message = await destination.read(item, officer="M. Huber")
        assert message.item.state == "read"
        assert message.body["title"] == json.loads(ALERT.read_text("utf-8"))["body"]["title"]
        assert message.envelope["from"] == "rs.ncp"
        answer = await destination.acknowledge(item, level="accepted", officer="M. Huber", note="on it")
    await asyncio.to_thread(carry, nodes.at, nodes.rs, answer.id)
    async with Client.open(nodes.rs) as origin:
        states = {one.id: one for one in await origin.state(submitted.id)}
        assert (states["at.ncp"].level, states["hu.ncp"].level) == ("accepted", None)
        assert states["at.ncp"].acknowledged_at is not None
        (arrived,) = await all_of(origin)
        assert (arrived.kind, arrived.of) == ("acknowledgement", submitted.id)


async def test_who_waits_hears_of_what_arrives(nodes: Nodes, sent: str) -> None:
    async with Client.open(nodes.at) as client, asyncio.timeout(30):
        items = client.inbox(wait=True)
        assert (await anext(items)).id == sent
        waiting = asyncio.ensure_future(anext(items))
        async with Client.open(nodes.rs) as origin:
            submitted = await origin.submit(ALERT.read_bytes(), officer="D. Petrović")
        await asyncio.to_thread(carry, nodes.rs, nodes.at, submitted.id)
        assert (await waiting).id == submitted.id
        await items.aclose()


async def test_faults_have_their_codes(nodes: Nodes, sent: str, tmp_path: Path) -> None:
    members = json.loads(ALERT.read_text("utf-8"))
    async with Client.open(nodes.rs) as client:
        personal = {
            **members,
            "body": {**members["body"], "narrative": {"en": "call +381641234567"}},
        }
        for alert, code in (
            (b"{", "E_JSON"),
            ({"kind": {1, 2}}, "E_JSON"),
            (tmp_path / "nowhere.json", "E_FILE"),
            ({**members, "status": "draft"}, "E_DRAFT"),
        ):
            with pytest.raises((BadInputError, RefusedError, UnavailableError)) as failed:
                await client.submit(alert, officer="D. Petrović")
            assert failed.value.code == code
        with pytest.raises(BadInputError, match="officer") as nobody:
            await client.submit(members, officer=" ")
        assert nobody.value.code == "E_OFFICER"
        with pytest.raises(RefusedError) as found:
            await client.submit(personal, officer="D. Petrović")
        assert (found.value.code, found.value.path) == ("E_PERSONAL_DATA", "$.body.narrative.en")
        assert (await client.submit(personal, officer="D. Petrović", is_impersonal=True)).recipients
        with pytest.raises(BadInputError) as elsewhere:
            await client.state("0193b0a0-89ab-7000-8000-0123456789ab")
        assert elsewhere.value.code == "E_UNKNOWN_MESSAGE"
        with pytest.raises(BadInputError) as cursor:
            await all_of(client, after="rs.ncp/x/y")
        assert cursor.value.code == "E_CURSOR"
        assert [one.id for one in await client.state(sent)]


async def test_a_node_with_several_contact_points_wants_to_know_which(nodes: Nodes) -> None:
    with pytest.raises(BadInputError, match=r"expected hu\.border-police or hu\.ncp"):
        async with Client.open(nodes.hu):
            pass
    with pytest.raises(BadInputError, match="not hosted here"):
        async with Client.open(nodes.hu, contact_point="at.ncp"):
            pass
    async with Client.open(str(nodes.hu), contact_point="hu.ncp") as client:
        assert {item.contact_point for item in await all_of(client)} == {"hu.ncp"}


def test_a_message_is_verified_without_a_node(nodes: Nodes, sent: str) -> None:
    wire_bytes = wire_bytes_of(nodes.rs, sent)
    verdict = verify(wire_bytes, network=nodes.network, recipient="at.ncp", keys=nodes.at.parent / "keys" / "at.ncp")
    assert (verdict.ok, verdict.step) == (True, 17)
    changed = verify(wire_bytes.replace(b'"payload":"e', b'"payload":"f'), network=str(nodes.network))
    assert (changed.ok, changed.step, changed.code) == (False, 7, "E_SIGNATURE")
    with pytest.raises(BadInputError, match="time zone"):
        verify(wire_bytes, network=nodes.network, at=datetime(2026, 11, 28))  # noqa: DTZ001 - that is the fault
    with pytest.raises(UnavailableError, match="nowhere"):
        verify(wire_bytes, network=nodes.network, recipient="at.ncp", keys=nodes.at.parent / "nowhere")


def test_a_type_checker_sees_what_the_documentation_says(tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER, "utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "consumer.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    notes = [line.partition("Revealed type is ")[2].strip('"') for line in checked.stdout.splitlines()]
    assert len(notes) == len(REVEALED), checked.stdout
    for note, expected in zip(notes, REVEALED, strict=True):
        assert note.endswith(expected), checked.stdout
    assert checked.returncode == 0, checked.stdout


def test_importing_the_package_loads_nothing_of_it() -> None:
    loaded = "import sys, bridge; print(sorted(name for name in sys.modules if name.startswith('bridge')))"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own interpreter
    assert said.stdout.strip() == "['bridge']"


def test_the_public_names_are_there_and_no_others() -> None:
    assert sorted(bridge.__all__) == bridge.__all__
    assert sorted(bridge.client.__all__) == bridge.__all__
    assert all(getattr(bridge, name) is not None for name in bridge.__all__)
    with pytest.raises(AttributeError, match="Node"):
        _ = bridge.Node


def test_the_program_of_the_documentation_runs(nodes: Nodes, sent: str) -> None:
    # given the page's program, beside a node at which an alert waits, and an alert to be sent
    page = (ROOT / "docs" / "integrate" / "python.md").read_text("utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    folder = nodes.at.parent
    (folder / "program.py").write_text(program, "utf-8")
    (folder / "alert.json").write_bytes(ALERT.read_bytes())

    # when
    said = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )

    # then what waited was answered, and the alert is on its way
    assert said.returncode == 0, said.stderr
    assert json.loads(ALERT.read_text("utf-8"))["body"]["title"] in said.stdout
    (item,) = ask("inbox", "list", "--config", nodes.at)["items"]
    assert (item["id"], item["state"]) == (sent, "acknowledged")
    assert len(ask("outbox", "list", "--config", nodes.at)["items"]) == 2
