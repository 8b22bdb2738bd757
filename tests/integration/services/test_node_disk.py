"""The client in JavaScript while a write to its journal fails half-way, as on a full disk, and then succeeds again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, ensure_node_modules, find_node

pytestmark = pytest.mark.node

ROOT = Path(__file__).resolve().parents[3]
CLIENT = ROOT / "clients" / "node"
VECTORS = ROOT / "schemas" / "vectors"
SECONDS = 60.0
FULL_ONCE = """
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const real = fs.writeFileSync
let isFull = false
fs.writeFileSync = (file, text) => {
  real(file, isFull ? text.slice(0, 20) : text)
  if (isFull) throw new Error('ENOSPC')
}
syncBuiltinESMExports()
const fails = (work) => (
  Promise.resolve(isFull = true).then(work).catch(({ message }) => message).finally(() => isFull = false)
)
const [folder] = process.argv.slice(1)
"""
TWO_ENTRIES = """
const { Journal } = await import('./src/journal.mjs')
const journal = new Journal(`${folder}/journal.jsonl`)
console.log(await fails(() => journal.note({ what: 'held', wire: 'first' })))
journal.note({ what: 'held', wire: 'second' })
console.log(JSON.stringify([...new Journal(`${folder}/journal.jsonl`).held.keys()]))
"""
ONE_MESSAGE = """
const { Station } = await import('./src/station.mjs')
const { wire_base64url, at, properties } = JSON.parse(fs.readFileSync(`${folder}/message.json`))
Date.now = () => Date.parse(at)
const [wire, told] = [Buffer.from(wire_base64url, 'base64url'), []]
const station = new Station(folder, ({ what }) => told.push(what))
await station.begin()
void station.list // its version is noted, too
const { correlation_id: correlationId, app_id: appId, user_id: userId, routing_key: routingKey, ...same } = properties
const message = { fields: { routingKey }, properties: { correlationId, appId, userId, ...same } }
console.log(await fails(() => station.take(wire, message)))
await station.take(wire, message)
const sent = [...station.journal.sent.values()].map(({ payload }) => payload.control.state)
console.log(JSON.stringify({ told, sent }))
"""


@pytest.fixture(scope="module", autouse=True)
def node_is_here() -> None:
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)
    ensure_node_modules(CLIENT)


def fails_and_says(script: str, folder: Path) -> object:
    """What a script, in which a write fails once, says at last."""
    done = subprocess.run(  # noqa: S603 - our own script
        [find_node().program, "--input-type=module", "--eval", FULL_ONCE + script, folder],
        cwd=CLIENT, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    failure, said = done.stdout.splitlines()
    assert failure == "ENOSPC"
    answer: object = json.loads(said)
    return answer


def test_half_a_line_of_a_write_that_failed_does_not_stay_in_the_journal(tmp_path: Path) -> None:
    assert fails_and_says(TWO_ENTRIES, tmp_path) == ["second"]


def test_a_message_that_could_not_be_stored_at_first_gets_its_receipt(tmp_path: Path) -> None:
    # given a wire vector and its recipient's folder
    vector = VECTORS / "00-a-route-alert-to-two-countries.json"
    network = json.loads(vector.read_text("utf-8"))["network"]
    for file, name in ((vector, "message.json"), (VECTORS / "keys.json", "keys.json"), (VECTORS / network, network)):
        shutil.copyfile(file, tmp_path / name)
    (tmp_path / "client.json").write_text(json.dumps({"id": "at.ncp", "network": network}), "utf-8")

    # then it is told of once, and answered once
    assert fails_and_says(ONE_MESSAGE, tmp_path) == {"told": ["received"], "sent": ["delivered"]}
