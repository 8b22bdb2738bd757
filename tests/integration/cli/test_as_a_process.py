"""What only a process of its own shows: both names, streams, locales, pipes and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_commands import ALERTS, BAD, ROOT, Nodes, ask, carry

PATIENCE_SECONDS = 30.0
COMMAND = [sys.executable, "-m", "bridge"]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_the_module_and_the_installed_command_are_the_same() -> None:
    # given
    installed = Path(sys.executable).with_name("ncp-bridge")
    if not installed.exists():
        pytest.skip("ncp-bridge is not installed beside this Python")
    file = BAD / "01-near-miss-exploitation.json"

    # when
    by_name = subprocess.run(  # noqa: S603 - our own command
        [installed, "alert", "validate", file, "--json"], capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )
    as_module = run("alert", "validate", file, "--json")

    # then
    assert by_name.returncode == as_module.returncode == 2
    assert by_name.stdout == as_module.stdout


def test_nothing_is_coloured_whatever_the_terminal_says() -> None:
    coloured = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}
    for arguments, environment in (
        (("--help",), coloured),
        (("inbox", "shwo"), coloured),
        (("-h",), {"NO_COLOR": "1"}),
    ):
        said = run(*arguments, **environment)

        assert b"\x1b" not in said.stdout + said.stderr


def test_every_script_is_printed_as_utf_8_whatever_the_locale_says(nodes: Nodes) -> None:
    # given an alert in Cyrillic
    cancel = ("alert", "submit", ALERTS / "33-bg-it-sexual-unfounded.json", "--supersedes", first_of(nodes))
    sent = ask(*cancel, "--config", nodes.rs)["id"]
    carry(nodes.rs, nodes.at, sent)

    # when
    said = run("inbox", "show", sent, "--config", nodes.at, PYTHONIOENCODING="ascii", LC_ALL="C")

    # then
    assert said.returncode == 0, said.stderr
    assert "Отмяна: сигналът" in said.stdout.decode("utf-8")


def test_a_reader_that_wants_no_more_is_no_fault(nodes: Nodes) -> None:
    # given nobody who reads
    read, write = os.pipe()
    os.close(read)

    # when
    try:
        said = subprocess.run(  # noqa: S603 - our own command
            [*COMMAND, "inbox", "list", "--config", str(nodes.at), "--json"],
            cwd=ROOT,
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    finally:
        os.close(write)

    # then
    assert said.returncode == 1
    assert said.stderr == b""


def test_ctrl_c_ends_a_watch_with_130_and_no_word_more(nodes: Nodes) -> None:
    # given
    command = [*COMMAND, "inbox", "watch", "--since-start", "--json", "--config", str(nodes.at)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, **pipes) as process:  # noqa: S603 - ours
        try:
            assert process.stdout is not None
            first = process.stdout.readline()

            # when
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()

    # then
    assert first.startswith(b'{"id": ')
    assert process.returncode == 130
    assert rest == b""
    assert errors == b"stopped\n"


def test_help_is_there_without_what_only_other_commands_need() -> None:
    # given a list of everything that was imported for it
    program = (
        "import sys; from bridge.cli.main import main_status; main_status(['--help']); "
        "print(*sorted(sys.modules), sep=' ', file=sys.stderr)"
    )

    # when
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - ours

    # then
    imported = set(said.stderr.decode().split())
    assert "typer" in imported
    assert not imported & {"aio_pika", "sqlalchemy", "alembic", "tuf", "cryptography", "pydantic"}


def first_of(nodes: Nodes) -> str:
    sent: str = ask("outbox", "list", "--config", nodes.rs)["items"][-1]["id"]
    return sent
