"""A replay that is killed in the middle has done each message wholly or not at all; the next one does the rest."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from cli_commands import ALERT, ROOT, Nodes, ask, hints_of

from bridge.app.receiving.refusing import quarantine, refusal_of
from bridge.compose.node import open_node
from bridge.core.errors import VerificationError
from bridge.core.messages import read_alert_file
from bridge.ports.broker import Delivery
from bridge.settings import load_settings

MANY = 250
SECONDS = 60.0


async def given_refused_alerts(origin: Path, destination: Path) -> None:
    """Alerts that Austria refused when it did not know the key."""
    alert = read_alert_file(ALERT.read_bytes())
    assert not isinstance(alert, tuple)
    wires = []
    async with open_node(load_settings(origin)) as node:
        submitting = await node.submitting()
        draft = await submitting.prepare(alert, sender="rs.ncp")
        for _ in range(MANY):
            sent = await submitting.sending.send(draft, sender="rs.ncp")
            async with node.store.reading() as unit:
                message = await unit.ledger.get(sent.id)
            assert message is not None
            wires.append(message.wire_bytes)
    error = VerificationError(6, "E_KEY_UNKNOWN", "no such key then")
    async with open_node(load_settings(destination)) as node, node.store.writing() as unit:
        deliveries = [Delivery(1, "inbox.at.ncp.normal", wire, hints_of(wire), redelivered=False) for wire in wires]
        now = node.clock.now()
        refusals = [refusal_of(one, error, contact_point="at.ncp", at=now, ids=node.ids) for one in deliveries]
        await quarantine(unit, refusals)


def count(config: Path, what: str) -> int:
    with contextlib.closing(sqlite3.connect(config.parent / "node.db", timeout=SECONDS)) as database:
        (found,) = database.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608 - our own words
    return int(found)


def test_a_replay_killed_in_the_middle_loses_and_doubles_nothing(nodes: Nodes) -> None:
    # given
    asyncio.run(given_refused_alerts(nodes.rs, nodes.at))
    before, receipts = count(nodes.at, "inbox"), count(nodes.at, "outbox WHERE kind = 'receipt'")
    replay = ["quarantine", "replay", "--all", "--reason", "E_KEY_UNKNOWN", "--yes", "--config", str(nodes.at)]

    # when
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "bridge", *replay], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + SECONDS
    while count(nodes.at, "inbox") == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()

    # then
    done = count(nodes.at, "inbox") - before
    assert 0 < done < MANY
    assert count(nodes.at, "quarantine WHERE code = 'E_KEY_UNKNOWN'") == MANY - done
    assert count(nodes.at, "outbox WHERE kind = 'receipt'") - receipts == done

    assert ask(*replay)["counts"] == {"accepted": MANY - done}
    assert count(nodes.at, "inbox") - before == MANY
    assert count(nodes.at, "outbox WHERE kind = 'receipt'") - receipts == MANY
    assert count(nodes.at, "quarantine_total WHERE kept_bytes = (SELECT sum(size) FROM quarantine)") == 1
