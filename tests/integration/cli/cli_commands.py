"""Runs commands of `ncp-bridge` in this process, and carries messages by hand between nodes without a broker."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bridge.adapters.jose.signatures import is_signature
from bridge.app.receiving.authenticating import Authenticator
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.cli.main import main_status
from bridge.compose.node import Node, open_node
from bridge.core.errors import VerificationError
from bridge.core.verification import Hints, Receiver
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.broker import Delivery
from bridge.settings import load_settings

Answer = TypeVar("Answer")

ROOT = Path(__file__).resolve().parents[3]
ALERTS = ROOT / "examples" / "alerts"
BAD = ROOT / "examples" / "bad"
ALERT = ALERTS / "01-rs-at-construction-recruitment-agency.json"  # Serbia, Hungary, Austria


NETWORK = """
network = "lone"
countries = ["RS", "HU", "AT"]
[[contact_points]]
id = "rs.ncp"
name = "National contact point, Serbia"
national_desk = true
[[contact_points]]
id = "hu.ncp"
name = "National contact point, Hungary"
national_desk = true
[[contact_points]]
id = "hu.border-police"
name = "Border police, Hungary"
[[contact_points]]
id = "at.ncp"
name = "National contact point, Austria"
national_desk = true
"""


@dataclass(frozen=True)
class Nodes:
    """The network's folder and the settings files of its nodes."""

    network: Path
    rs: Path
    hu: Path
    at: Path


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        assert self.out.count("\n") == 1, self.out
        answer: dict[str, Any] = json.loads(self.out)
        return answer


def say(*arguments: object, stdin_bytes: bytes = b"") -> Said:
    """Runs a command; its input is no terminal."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin_bytes))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main_status([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    return Said(status, out.getvalue(), err.getvalue())


def ask(*arguments: object) -> dict[str, Any]:
    """The JSON answer of a command that is expected to succeed."""
    said = say(*arguments, "--json")
    assert said.status == 0, said
    return said.json


def wire_bytes_of(config: Path, message_id: str) -> bytes:
    """The bytes that a node sends for a message."""

    async def read(node: Node) -> bytes:
        async with node.store.reading() as unit:
            message = await unit.ledger.get(message_id)
        assert message is not None
        return message.wire_bytes

    return asyncio.run(_on(config, read))


def carry(origin: Path, destination: Path, message_id: str) -> None:
    """What the broker does: a message from one node's ledger to every contact point of another."""
    deliver(destination, wire_bytes_of(origin, message_id))


def deliver(destination: Path, wire_bytes: bytes) -> None:
    """These bytes, as they would arrive in the inbox queues of a node."""

    async def receive(node: Node) -> None:
        await node.trust.refresh()
        for contact_point in node.hosted:
            delivery = Delivery(
                tag=1,
                queue=f"inbox.{contact_point}.normal",
                wire_bytes=wire_bytes,
                hints=hints_of(wire_bytes),
                redelivered=False,
            )
            await _receiver(node, contact_point).receive([delivery])

    asyncio.run(_on(destination, receive))


def hints_of(wire_bytes: bytes) -> Hints:
    """What an honest relay writes into the AMQP properties; of what cannot be read, a stranger's."""
    try:
        payload = strict_json.parse_object(parse_envelope(wire_bytes).payload_bytes)
    except (VerificationError, strict_json.StrictJsonError):
        return Hints(correlation_id="\x1b[2Jclear", type="route_alert", app_id="xx.nobody")
    named = {"correlation_id": payload["id"], "type": payload["kind"], "app_id": payload["from"]}
    return Hints(**{name: str(value) for name, value in named.items()})


def _receiver(node: Node, contact_point: str) -> ReceiveMessages:
    receiver = Receiver(contact_point[:2], contact_point)
    return ReceiveMessages(
        desk=node.desks()[contact_point],
        authenticator=Authenticator(trust=node.trust, clock=node.clock, receiver=receiver, is_signature=is_signature),
        store=node.store,
        trust=node.trust,
        vault=node.reading.vault,
        clock=node.clock,
        ids=node.ids,
    )


async def _on(config: Path, work: Callable[[Node], Awaitable[Answer]]) -> Answer:
    async with open_node(load_settings(config)) as node:
        return await work(node)
