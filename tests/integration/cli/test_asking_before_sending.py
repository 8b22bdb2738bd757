"""`alert submit` shows who would receive it and asks; it asks on a terminal only."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from cli_commands import ALERT, ROOT, Nodes, ask, say

PATIENCE_SECONDS = 30.0


class Terminal:
    """A command at a terminal, and the person who sits there."""

    def __init__(self, *arguments: object) -> None:
        self.seen = ""
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "bridge", *map(str, arguments)]
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def read_until(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            ready, _, _ = select.select([self._master], [], [], 1)
            if ready:
                self.seen += os.read(self._master, 65536).decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


def sent_from(config: Path) -> int:
    return len(ask("outbox", "list", "--config", config)["items"])


@pytest.mark.parametrize(
    ("answer", "status", "more"), [("y\n", 0, 1), ("n\n", 3, 0), ("\x04", 130, 0)],
    ids=["yes", "no", "end-of-input"],
)  # fmt: skip
def test_a_person_at_a_terminal_is_asked(nodes: Nodes, answer: str, status: int, more: int) -> None:
    # given
    before = sent_from(nodes.rs)
    with closing(Terminal("alert", "submit", ALERT, "--config", nodes.rs)) as terminal:
        # when
        terminal.read_until("[y/N]")
        terminal.type(answer)

        # then
        assert terminal.wait() == status
    assert sent_from(nodes.rs) == before + more
    assert "hu.border-police  Hungary" in terminal.seen
    assert "Send this route_alert to 3 contact points?" in terminal.seen
    assert "Traceback" not in terminal.seen


def test_without_a_terminal_nobody_is_asked_and_the_plan_is_shown_on_the_side(nodes: Nodes) -> None:
    said = say("alert", "submit", ALERT, "--config", nodes.rs, "--json")

    assert said.status == 0
    assert said.json["recipients"] == ["at.ncp", "hu.border-police", "hu.ncp"]
    assert "national desk of Austria, destination on this route" in said.err


def test_an_alert_from_standard_input_is_sent_as_it_is(nodes: Nodes) -> None:
    said = say("alert", "submit", "-", "--config", nodes.rs, "--json", stdin_bytes=ALERT.read_bytes())

    assert said.status == 0
    assert said.json["id"] == said.json["thread"]


def test_what_looks_like_personal_data_is_not_sent_without_somebody_who_says_yes(nodes: Nodes) -> None:
    # given
    alert = json.loads(ALERT.read_text("utf-8"))
    alert["body"]["request"] = "Pozovite +381 11 123 4567"
    stdin_bytes = json.dumps(alert).encode()
    command = ("alert", "submit", "-", "--config", nodes.rs)
    before = sent_from(nodes.rs)

    # when
    refused = say(*command, "--json", stdin_bytes=stdin_bytes)

    # then
    assert (refused.status, refused.json["error"]["code"]) == (3, "E_PERSONAL_DATA")
    assert refused.json["error"]["path"] == "$.body.request"
    assert "123 4567" not in refused.out + refused.err
    assert sent_from(nodes.rs) == before

    # when somebody confirms it
    assert say(*command, "--yes", stdin_bytes=stdin_bytes).status == 0

    # then
    assert sent_from(nodes.rs) == before + 1
