"""The client in JavaScript without a broker: a disk full for a moment, a fault behind it, a key past its time."""

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
STATION = """
const { Station } = await import('./src/station.mjs')
const { wire_base64url, at, properties } = JSON.parse(fs.readFileSync(`${folder}/message.json`))
Date.now = () => Date.parse(at)
const wire = Buffer.from(wire_base64url, 'base64url')
const { correlation_id: correlationId, app_id: appId, user_id: userId, routing_key: routingKey, ...same } = properties
const message = { fields: { routingKey }, properties: { correlationId, appId, userId, ...same } }
const begun = async (onMessage) => {
  const station = new Station(folder, onMessage)
  await station.begin()
  void station.list // its version is noted, too
  return station
}
const states = ({ journal }) => [...journal.sent.values()].map(({ payload }) => payload.control.state)
"""
FULL_DISK = """
const told = []
const station = await begun(({ what }) => told.push(what))
console.log(await fails(() => station.take(wire, message)))
await station.take(wire, message)
console.log(JSON.stringify({ told, sent: states(station) }))
"""
FAULT_BEHIND = """
const station = await begun(() => { throw new Error('a fault of whoever is told') })
await station.take(wire, message)
console.log(JSON.stringify({ received: station.journal.received.size, sent: states(station) }))
"""
OLD_KEY = """
const station = await begun(() => {})
Date.now = () => Date.parse('2099-01-01T00:00:00Z')
console.log(JSON.stringify(await station.connected().catch(({ code }) => code)))
"""


@pytest.fixture(scope="module", autouse=True)
def node_is_here() -> None:
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)
    ensure_node_modules(CLIENT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a wire vector's recipient, and the vector in message.json."""
    vector = VECTORS / "00-a-route-alert-to-two-countries.json"
    network = json.loads(vector.read_text("utf-8"))["network"]
    for file, name in ((vector, "message.json"), (VECTORS / "keys.json", "keys.json"), (VECTORS / network, network)):
        shutil.copyfile(file, tmp_path / name)
    (tmp_path / "client.json").write_text(json.dumps({"id": "at.ncp", "network": network}), "utf-8")
    return tmp_path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [find_node().program, *map(str, arguments)],
        cwd=CLIENT, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False,
    )  # fmt: skip


def said(script: str, folder: Path) -> list[object]:
    """What a script says: a text as it stands for a write that failed, JSON at last."""
    done = run("--input-type=module", "--eval", FULL_ONCE + script, folder)
    assert done.returncode == 0, done.stderr
    *failures, last = done.stdout.splitlines()
    return [*failures, json.loads(last)]


def test_half_a_line_of_a_write_that_failed_does_not_stay_in_the_journal(tmp_path: Path) -> None:
    assert said(TWO_ENTRIES, tmp_path) == ["ENOSPC", ["second"]]


def test_a_message_that_could_not_be_stored_at_first_gets_its_receipt(folder: Path) -> None:
    assert said(STATION + FULL_DISK, folder) == ["ENOSPC", {"told": ["received"], "sent": ["delivered"]}]


def test_a_fault_of_whoever_is_told_undoes_nothing(folder: Path) -> None:
    assert said(STATION + FAULT_BEHIND, folder) == [{"received": 1, "sent": ["delivered"]}]


def test_nothing_is_taken_without_a_key_to_answer_with(folder: Path) -> None:
    assert said(STATION + OLD_KEY, folder) == ["E_KEY"]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "lisen {}",
        "listen",
        "listen {} --acknowledge accepted",
        "listen {} --acknowledge perhaps --officer A",
        "listen {} --loud",
        "publish {} --to rs.ncp",
        "publish {} message.json",
        "publish {} message.json --to rs.ncp --wait soon",
        "enrol {}/new --id rs.ncp",
    ],
)
def test_what_is_not_a_command_is_said_in_one_line_and_does_nothing(words: str, folder: Path) -> None:
    before = sorted(folder.iterdir())
    done = run("client.mjs", *words.format(folder).split())
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert sorted(folder.iterdir()) == before
