"""`./scripts/demo`: figures that hold, and nothing left behind, however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from demo_runs import PATIENCE_SECONDS, DemoRun

pytestmark = [pytest.mark.demo, pytest.mark.broker]

KEYS = {
    *("countries", "published", "recipients", "delivered", "receipts", "acknowledged"),
    *("refused", "lost", "duplicates", "seconds"),
}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def run_demo(temporary: Path) -> Iterator[Callable[..., DemoRun]]:
    """Starts a run; one that a failed test leaves behind is ended."""
    started: list[DemoRun] = []

    def run(*options: str | Path) -> DemoRun:
        started.append(DemoRun(temporary, *options))
        return started[-1]

    yield run
    for one in started:
        one.process.kill()  # its broker and its countries end with it
        one.process.wait()


def figures_of(run: DemoRun) -> dict[str, Any]:
    """The one object that a whole run prints."""
    status = run.process.wait(PATIENCE_SECONDS)
    assert status == 0, run.story
    (line,) = run.out.splitlines()
    figures: dict[str, Any] = json.loads(line)
    return figures


@pytest.mark.alone  # it tells how long a whole network takes
def test_everything_arrives_once_nothing_forged_is_let_in_and_anyone_with_sql_finds_the_same(
    temporary: Path, tmp_path: Path, run_demo: Callable[..., DemoRun]
) -> None:
    # when
    kept = tmp_path / "kept"
    run = run_demo("--exit", "--json", "--keep", kept)
    figures = figures_of(run)

    # then
    assert figures.keys() >= KEYS
    assert figures["countries"] == 14
    assert figures["published"] >= 24
    assert figures["recipients"] >= 48
    assert figures["delivered"] == figures["receipts"] == figures["acknowledged"] == figures["recipients"]
    assert (figures["lost"], figures["duplicates"]) == (0, 0)
    assert len(figures["refused"]) >= 10
    assert all(code.startswith("E_") and count > 0 for code, count in figures["refused"].items())
    assert figures["seconds"] < 60
    assert "published" in run.story
    assert "refused" in run.story

    # and the kept databases say the same
    databases = sorted(kept.glob("*/node.db"))
    recipients = rows(databases, "SELECT message_id, recipient FROM v_recipients WHERE kind LIKE '%alert%'")
    arrived = rows(databases, "SELECT message_id, contact_point FROM v_inbox WHERE kind LIKE '%alert%'")
    receipts = rows(
        databases, "SELECT message_id, recipient FROM v_receipts WHERE kind LIKE '%alert%' AND state = 'delivered'"
    )
    answered = rows(databases, "SELECT message_id FROM v_recipients WHERE kind LIKE '%alert%' AND acknowledged_at > ''")
    refused = rows(databases, "SELECT code FROM quarantine")
    assert len(databases) == figures["countries"] == 14
    assert len({message for message, _ in recipients}) == figures["published"]
    assert len(set(recipients)) == len(recipients) == figures["recipients"]
    assert set(receipts) == set(recipients)
    assert sorted(set(arrived) & set(recipients)) == sorted(recipients)
    assert len([pair for pair in arrived if pair in recipients]) == figures["delivered"]
    assert len(answered) == figures["acknowledged"]
    assert {code: len([1 for (found,) in refused if found == code]) for (code,) in refused} == figures["refused"]

    # and only that folder is left
    assert run.left_processes() == []
    assert list(temporary.iterdir()) == []
    assert not list(kept.rglob("broker-admin.url"))


@pytest.mark.parametrize(
    ("moment", "number", "to_all"),
    [
        ("RabbitMQ: starting", signal.SIGTERM, False),
        ("setting up the countries", signal.SIGINT, True),  # Ctrl-C in a terminal is for the whole process group
        ("starting 14 countries", signal.SIGTERM, False),
        ("published", signal.SIGTERM, False),
    ],
    ids=["while-the-broker-starts", "while-setting-up", "while-countries-start", "while-sending"],
)
def test_a_signal_at_any_moment_leaves_no_process_and_no_folder(
    run_demo: Callable[..., DemoRun], moment: str, number: signal.Signals, *, to_all: bool
) -> None:
    # given
    run = run_demo("--json")
    run.wait_for(moment)

    # when
    if to_all:
        os.killpg(run.process.pid, number)
    else:
        run.process.send_signal(number)
    status = run.process.wait(PATIENCE_SECONDS)

    # then
    assert_nothing_is_left(run, status)
    assert run.out == ""


def test_whoever_visits_signs_in_where_the_guide_says_and_ctrl_c_ends_it_all(run_demo: Callable[..., DemoRun]) -> None:
    # given
    run = run_demo("--json")
    run.wait_for("In two minutes")

    # when
    line = re.search(r"\(destination\) +(http\S+) +duty officer +(\S+) +(\S+)$", run.story, re.MULTILINE)
    assert line is not None, run.story
    address, login, password = line.groups()
    with httpx.Client(base_url=address, headers={"Origin": address}) as browser:
        page = browser.get("/", follow_redirects=True)
        before = browser.post("/sign-in", data={"login": login, "password": "something else"})
        after = browser.post("/sign-in", data={"login": login, "password": password})

    # then
    assert 'name="password"' in page.text
    assert (before.status_code, after.status_code) == (422, 303)
    assert password not in run.out

    # when it is stopped, while somebody is still signed in
    os.killpg(run.process.pid, signal.SIGINT)
    status = run.process.wait(PATIENCE_SECONDS)

    # then
    assert_nothing_is_left(run, status)
    assert json.loads(run.out)["lost"] == 0


def test_a_folder_that_holds_something_is_not_written_into(
    temporary: Path, tmp_path: Path, run_demo: Callable[..., DemoRun]
) -> None:
    # given
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "node.db").write_text("somebody's")

    # when
    run = run_demo("--exit", "--json", "--keep", kept)
    status = run.process.wait(PATIENCE_SECONDS)

    # then
    assert status == 2
    assert json.loads(run.out)["error"]["code"] == "E_USAGE"
    assert [file.name for file in kept.iterdir()] == ["node.db"]
    assert list(temporary.iterdir()) == []


def assert_nothing_is_left(run: DemoRun, status: int) -> None:
    """No process, no folder, no traceback after a run was stopped."""
    assert status == 130, run.story
    assert run.left_processes() == []
    assert list(run.temporary.iterdir()) == []
    assert "Traceback" not in run.story
    assert "stopped; every process is gone" in run.story


def rows(databases: list[Path], query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for path in databases:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            found += database.execute(query).fetchall()
    return found
