"""A sandbox as a process: each counterpart as our node sees it, a client of one's own, its end, and its next start."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.missing import server_is_missing

from bridge.adapters.trust.governance.reading import read_repository
from bridge.core.errors import UnavailableError
from bridge.counterparts.counterpart import Counterpart
from bridge.counterparts.identity import desk_from
from bridge.counterparts.line import Accounts, open_line
from bridge.counterparts.making import Maker
from bridge.counterparts.scripts import Never
from bridge.sandbox import alert
from bridge.settings import load_settings
from broker.installation import broker_programs
from broker.ports import is_free

pytestmark = pytest.mark.broker

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "integrate" / "sandbox.md").read_text("utf-8")
STAYS = "   # stays"
SECONDS = 120.0
SILENT = {"hr.ncp", "mk.ncp", "bg.ncp"}
ANSWERING = {"at.ncp", "at.labour", "hu.ncp", "ro.ncp", "al.ncp", "it.ncp"}


@dataclass
class Running:
    """A sandbox's process, what it said of itself, and what it tells."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def config(self) -> str:
        return str(self.facts["files"]["settings"])

    def told(self, **members: object) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if members.items() <= event.items()]

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - our own command


def ask(*arguments: object) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)


def on_page(heading: str, folder: Path) -> list[list[str]]:
    """The commands under a heading of the page without the program's name; `play` and `mine` are `folder` there."""
    part = PAGE.partition(f"\n## {heading}\n" if heading else "# A sandbox\n")[2].partition("\n## ")[0]
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    lines = [line.removesuffix(STAYS) for block in blocks for line in block.splitlines()]
    return [[re.sub(r"^(play|mine)(?=/|$)", str(folder), word) for word in shlex.split(line)[1:]] for line in lines]


@contextmanager
def sandbox(*words: object) -> Iterator[Running]:
    """Runs one; whatever happens, it is ended."""
    command = [sys.executable, "-m", "bridge", *map(str, words), "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    assert process.stdout is not None
    try:
        first = json.loads(process.stdout.readline() or "{}")
        assert first.get("sandbox") == 1, first
        running = Running(process, first, [])
        lines = process.stdout
        reader = threading.Thread(target=lambda: running.events.extend(map(json.loads, lines)), daemon=True)
        reader.start()
        yield running
        if process.poll() is None:
            running.end()
        reader.join(SECONDS)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def below(pid: int) -> Sequence[int]:
    """All processes that a process started, and those that these did."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


@pytest.fixture(scope="module", autouse=True)
def rabbitmq_is_here() -> None:
    try:
        broker_programs()
    except UnavailableError as error:
        server_is_missing(error)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    (words,) = on_page("", tmp_path_factory.mktemp("played") / "s")
    with sandbox(*words, "--script", "hu.ncp=late:2", "--every", "1") as running:
        yield running
    assert running.process.returncode == 0
    assert not Path(running.config).parents[1].exists()


@pytest.fixture(scope="module")
def alerts(played: Running) -> list[str]:
    """Two alerts to all, and everything that comes of them has come."""
    file = played.facts["files"]["alert"]
    ids = [ask("alert", "submit", file, "--config", played.config)["id"] for _ in range(2)]
    for message_id in ids:
        eventually(lambda of=message_id: ask("outbox", "show", of, "--config", played.config)["acknowledged"] == 6)
        eventually(lambda of=message_id: all(played.told(id=of, contact_point=one) for one in SILENT))
    return ids


def quarantined(played: Running) -> list[str]:
    return sorted(one["code"] for one in ask("quarantine", "list", "--config", played.config)["items"])


def test_those_who_answer_have_answered_and_the_others_have_not(played: Running, alerts: list[str]) -> None:
    for message_id in alerts:
        recipients = ask("outbox", "show", message_id, "--config", played.config)["recipients"]
        assert {one["id"] for one in recipients if one["level"] == "accepted"} == ANSWERING
        assert {one["id"] for one in recipients if one["delivered_at"] is None} == SILENT
        late = next(one for one in recipients if one["id"] == "hu.ncp")
        assert late["delivered_at"] > late["sent_at"]


def test_a_bad_signature_and_an_oversized_message_are_in_quarantine(played: Running, alerts: list[str]) -> None:
    expected = sorted(["E_SIGNATURE", "E_SIZE"] * len(alerts))
    eventually(lambda: quarantined(played) == expected)


def test_duplicates_are_in_the_inbox_once(played: Running, alerts: list[str]) -> None:
    sent = played.told(event="answered", contact_point="al.ncp", kind="acknowledgement")
    items = ask("inbox", "list", "--config", played.config)["items"]
    came = [one["id"] for one in items if one["from"] == "al.ncp" and one["kind"] == "acknowledgement"]
    assert len(sent) == 3 * len(alerts)
    assert sorted(came) == sorted({one["id"] for one in sent})


def test_a_number_that_was_left_out_is_missed(played: Running, alerts: list[str]) -> None:
    # given the answers to two alerts
    assert len(alerts) == 2

    # then of the one who leaves numbers out some are missed, and of nobody else
    database = sqlite3.connect(Path(played.config).with_name("node.db"))
    query = "SELECT sender FROM sequence_gap JOIN sequence_stream ON stream_id = id"
    eventually(lambda: {sender for (sender,) in database.execute(query)} == {"it.ncp"})
    database.close()


def test_counterparts_send_exercises_of_their_own(played: Running) -> None:
    eventually(lambda: len({event["contact_point"] for event in played.told(event="sent", kind="route_alert")}) == 8)
    eventually(
        lambda: (
            {
                (one["from"], one["status"])
                for one in ask("inbox", "list", "--config", played.config)["items"]
                if one["kind"] == alert.KIND
            }
            == {(event["contact_point"], "exercise") for event in played.told(event="sent")}
        )
    )


def test_nobody_counts_as_silent_within_a_day(played: Running) -> None:
    assert load_settings(Path(played.config)).heartbeat.seconds == 86400


def test_the_http_interface_takes_the_token(played: Running) -> None:
    api = played.facts["api"]
    answer = httpx.get(f"{api['url']}/inbox", headers={"Authorization": f"Bearer {api['token']}"})
    assert answer.status_code == 200
    assert httpx.get(f"{api['url']}/inbox").status_code == 401


def test_an_alert_that_is_meant_is_refused(played: Running, tmp_path: Path) -> None:
    file = Path(played.facts["files"]["alert"])
    meant = tmp_path / "meant.json"
    meant.write_text(json.dumps(json.loads(file.read_bytes()) | {"status": "actual"}))
    assert run("alert", "submit", meant, "--config", played.config).returncode in {2, 3}


def test_the_page_says_what_each_does_and_its_commands_work(played: Running) -> None:
    listed = re.findall(r"^\| (`[^|]+`) \| `([^|]+)` \|", PAGE, re.MULTILINE)
    said = {one.strip("` "): script for points, script in listed for one in points.split(",")}
    assert said == played.facts["scripts"] | {"hu.ncp": "late:20"}
    for words in on_page("With a node of this software", Path(played.config).parents[1]):
        done = run(*words)
        assert done.returncode == 0, done.stderr


def test_a_client_of_ones_own_is_admitted_while_it_runs(tmp_path: Path) -> None:
    folder, own, request = tmp_path / "s", tmp_path / "own", tmp_path / "request.json"
    start, admit = on_page("With a client of your own", folder)
    with sandbox(*start, "--keep") as running:
        # given a client that made keys of its own
        mirror = folder / "network" / "mirror"
        ask("node", "enroll", own, "--country", "RS", "--mirror", mirror, "--out", request)

        # when its request is admitted
        assert admit[-1] == request.name
        assert ask(*admit[:-1], request) == {"admitted": ["rs.ncp"]}
        listed = json.loads((folder / "network.json").read_bytes())["contact_points"]
        assert next(one for one in listed if one["id"] == "rs.ncp")["keys"]

        # then with the accounts in client.json it sends an alert at once and gets a receipt and an answer
        file = json.loads((folder / "you" / "client.json").read_bytes())
        assert (folder / "you" / file["network"]).resolve() == folder / "network.json"
        kinds = asyncio.run(exchange(file, own, folder))
        assert kinds == ["receipt", "acknowledgement"]
        eventually(lambda: running.told(event="list"))
        started = below(running.process.pid)
        assert started

        # and Ctrl-C leaves nothing running, but the folder
        assert running.end() == 0
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []

    # and another start goes on with it: the same accounts and ports, the list with the client in it
    with sandbox("sandbox", folder) as running:
        assert f":{running.facts['broker_port']}/" in file["relay"]
        assert asyncio.run(exchange(file, own, folder)) == kinds

        # while its port is taken another one is told so
        second = run("sandbox", folder, "--json")
        assert (second.returncode, json.loads(second.stdout)["error"]["code"]) == (4, "E_BROKER_START")
        assert folder.exists()
    assert is_free(running.facts["broker_port"])
    assert folder.exists()


async def exchange(file: dict[str, str], own: Path, folder: Path) -> list[str]:
    """What a client gets back for an exercise alert to Austria."""
    async with asyncio.timeout(SECONDS), open_line(Accounts(file["relay"], file["router"]), "rs") as line:
        maker = Maker(
            desk_from(own / "keys" / "rs.ncp", "rs.ncp"), read_repository(folder / "network"), int(time.time())
        )
        client = Counterpart(maker, line, Never())
        payload = maker.payload(alert.KIND, "at.ncp", status=alert.STATUS)
        body = {"thread": payload["id"], "references": [], **alert.body("RS", "AT")}
        await client.send(maker.sealed(payload, body))
        kinds = []
        for _ in range(2):
            arrival = await line.arrivals.get()
            judged = client.judge(arrival)
            await arrival.acknowledge()
            assert judged.code is None
            assert judged.message is not None
            kinds.append(judged.message.payload.kind)
        return kinds


def test_where_no_rabbitmq_is_to_be_had_it_says_so(tmp_path: Path) -> None:
    # given a machine without package sources, and a cache that is empty
    program = (
        "import broker.installation as i, sys\n"
        "from bridge.core.errors import UnavailableError\n"
        "def none(_): raise UnavailableError('E_PACKAGES', 'there is no RabbitMQ to be had')\n"
        "i.ensure_installation = none\n"
        "from bridge.cli.main import main_status\n"
        "sys.exit(main_status(['sandbox', sys.argv[1], '--json']))\n"
    )
    said = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, tmp_path / "s"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    # then one sentence says it, and nothing is left
    assert (said.returncode, json.loads(said.stdout)["error"]["code"]) == (4, "E_PACKAGES")
    assert not (tmp_path / "s").exists()
