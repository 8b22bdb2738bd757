"""Whatever goes wrong: one clear sentence, one error object with `--json`, the right exit status, never a traceback."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cli_commands import ALERT, ALERTS, BAD, Nodes, Said, say

from bridge.core.errors import UnavailableError

Arguments = Callable[[Nodes, Path, str], list[object]]

CASES: dict[str, tuple[Arguments, int, str]] = {
    "an unknown command": (lambda *_: ["alerts"], 2, "E_USAGE"),
    "an unknown option": (lambda *_: ["status", "--colour"], 2, "E_USAGE"),
    "a required option left out": (lambda *_: ["inbox", "acknowledge", "x"], 2, "E_USAGE"),
    "an argument that is no text": (lambda nodes, *_: ["inbox", "show", "\udcff", "--config", nodes.at], 2, "E_USAGE"),
    "a word too many": (lambda nodes, *_: ["status", "now", "--config", nodes.rs], 2, "E_USAGE"),
    "a limit that is no number": (
        lambda nodes, *_: ["outbox", "list", "--limit", "all", "--config", nodes.rs],
        2, "E_USAGE",
    ),
    "settings that are not there": (lambda _, tmp, __: ["status", "--config", tmp / "none.toml"], 4, "E_CONFIG_FILE"),
    "settings that are a folder": (lambda _, tmp, __: ["status", "--config", tmp], 4, "E_CONFIG_FILE"),
    "settings that are not TOML": (lambda _, tmp, __: ["status", "--config", written(tmp, "= 1")], 2, "E_CONFIG"),
    "settings that are not text": (lambda _, tmp, __: ["status", "--config", written(tmp, b"\xff")], 2, "E_CONFIG"),
    "settings with a member missing": (
        lambda _, tmp, __: ["status", "--config", written(tmp, 'country = "RS"')], 2, "E_CONFIG",
    ),
    "a database that is not there": (lambda nodes, *_: without(nodes.rs, "node.db", "status"), 4, "E_DATABASE"),
    "a database that is none": (lambda nodes, *_: damaged(nodes.rs, "node.db", "status"), 4, "E_DATABASE"),
    "a database of an older schema": (
        lambda nodes, *_: [*of_schema("0001", nodes.rs, "alert", "submit"), ALERT], 4, "E_DATABASE_SCHEMA",
    ),
    "a key file that is not there": (
        lambda nodes, *_: [*without(nodes.rs, "keys/rs.ncp/sig-2026a.pem", "alert", "submit"), ALERT], 4, "E_KEY_FILE",
    ),
    "a machine secret that is not there": (
        lambda nodes, *_: [*without(nodes.rs, "secrets/machine.key", "alert", "submit"), ALERT], 4, "E_KEY_FILE",
    ),
    "a key file that is no key": (
        lambda nodes, _, sent: [*damaged(nodes.at, "keys/at.ncp/enc-2026a.pem", "inbox", "show"), sent],
        4, "E_KEY_FILE",
    ),
    "an alert file that is not there": (lambda *_: ["alert", "validate", "/nowhere.json"], 4, "E_FILE"),
    "an alert file larger than any message": (
        lambda _, tmp, __: ["alert", "validate", written(tmp, " " * (1024**2 + 1))], 2, "E_SIZE",
    ),
    "an alert file that is a folder": (lambda _, tmp, __: ["alert", "validate", tmp], 4, "E_FILE"),
    "an alert that is not valid": (
        lambda nodes, *_: ["alert", "submit", BAD / "04-missing-title.json", "--config", nodes.rs], 2, "E_MISSING",
    ),
    "countries without a contact point": (
        lambda nodes, *_: ["alert", "submit", ALERTS / "02-al-it-sexual-ferry.json", "--config", nodes.rs],
        3, "E_UNREACHABLE_COUNTRY",
    ),
    "a sender that is not hosted": (
        lambda nodes, *_: ["alert", "preview", ALERT, "--from", "at.ncp", "--config", nodes.rs], 2, "E_CONTACT_POINT",
    ),
    "a sender not named where there are two": (
        lambda nodes, *_: ["alert", "submit", ALERT, "--config", nodes.hu], 2, "E_CONTACT_POINT",
    ),
    "an update of a message that was never sent": (
        lambda nodes, *_: [
            *("alert", "submit", ALERTS / "32-rs-me-hospitality-disrupted.json", "--config", nodes.rs),
            *("--supersedes", "0193e4ac-86b2-7cc0-8000-000000000001"),
        ], 3, "E_UNKNOWN_MESSAGE",
    ),
    "an inbox that is not here": (
        lambda nodes, *_: ["inbox", "list", "--contact-point", "at.nbc", "--config", nodes.at], 2, "E_CONTACT_POINT",
    ),
    "a state that is none": (
        lambda nodes, *_: ["inbox", "list", "--state", "unread", "--config", nodes.at],
        2, "E_USAGE",
    ),
    "a message that did not arrive": (
        lambda nodes, *_: ["inbox", "show", "x", "--config", nodes.at],
        2, "E_UNKNOWN_MESSAGE",
    ),
    "an inbox that is meant by nobody": (
        lambda nodes, _, sent: ["inbox", "show", sent, "--config", nodes.hu], 2, "E_CONTACT_POINT",
    ),
    "a level that is none": (
        lambda nodes, _, sent: [
            *("inbox", "acknowledge", sent, "--level", "acepted", "--officer", "A", "--config", nodes.at),
        ], 2, "E_CODE",
    ),
    "an officer without a name": (
        lambda nodes, _, sent: [
            *("inbox", "acknowledge", sent, "--level", "read", "--officer", "", "--config", nodes.at),
        ], 2, "E_FORMAT",
    ),
    "somebody else who is competent, from who accepted": (
        lambda nodes, _, sent: [
            *("inbox", "acknowledge", sent, "--level", "accepted", "--officer", "A", "--config", nodes.at),
            *("--redirect-to", "hu.ncp"),
        ], 2, "E_REDIRECT",
    ),
    "a message that was not sent": (
        lambda nodes, *_: ["outbox", "show", "x", "--config", nodes.rs],
        2, "E_UNKNOWN_MESSAGE",
    ),
    "nothing of that id in quarantine": (
        lambda nodes, *_: ["quarantine", "show", "x", "--config", nodes.at], 2, "E_UNKNOWN_REFUSAL",
    ),
    "a network that is not there": (lambda _, tmp, __: ["network", "show", tmp / "none"], 4, "E_NETWORK_FOLDER"),
    "a network that is there already": (
        lambda nodes, tmp, _: [*("network", "init", nodes.network, "--config"), written(tmp, network_file())],
        3, "E_NETWORK_EXISTS",
    ),
    "a network file that is none": (
        lambda _, tmp, __: ["network", "init", tmp / "n", "--config", written(tmp, "network = 1")], 2, "",
    ),
    "a country that is not in the network": (
        lambda nodes, tmp, _: ["node", "init", tmp / "x", "--country", "SI", "--network", nodes.network], 2, "",
    ),
    "a node that is there already": (
        lambda nodes, *_: ["node", "init", nodes.rs.parent, "--country", "RS", "--network", nodes.network],
        3, "E_NODE_EXISTS",
    ),
    "a broker that nobody may configure": (
        lambda nodes, *_: ["topology", "apply", "--config", nodes.rs], 4, "E_SECRET_FILE",
    ),
    "a message for a network that is not there": (
        lambda _, tmp, __: ["message", "verify", ALERT, "--network", tmp], 4, "E_NETWORK_FOLDER",
    ),
    "keys that are nobody's": (
        lambda nodes, *_: ["message", "verify", ALERT, "--network", nodes.network, "--keys", nodes.rs.parent],
        2, "E_USAGE",
    ),
    "a time that is none": (
        lambda nodes, *_: ["message", "verify", ALERT, "--network", nodes.network, "--at", "today"], 2, "E_USAGE",
    ),
    "a time beyond the calendar": (
        lambda nodes, *_: [
            *("message", "verify", ALERT, "--network", nodes.network, "--at", "0001-01-01T00:00:00+14:00"),
        ], 2, "E_USAGE",
    ),
    "a role that is none": (lambda nodes, *_: ["run", "router", "--config", nodes.rs], 2, "E_USAGE"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_sentence_with_the_right_status(case: str, nodes: Nodes, sent: str, tmp_path: Path) -> None:
    # given
    arguments, status, code = CASES[case]
    command = arguments(nodes, tmp_path, sent)

    # when
    for_machines, for_people = say(*command, "--json"), say(*command)

    # then
    error = for_machines.json["error"]
    assert (for_machines.status, for_people.status) == (status, status), for_people
    assert error["code"] == code if code else error["code"].startswith("E_")
    assert {"code", "message"} <= error.keys() <= {"code", "message", "path"}
    assert for_people.out == ""
    assert_is_a_sentence(for_people, error["code"])


def assert_is_a_sentence(said: Said, code: str) -> None:
    last = said.err.splitlines()[-1]
    assert last.startswith(f"{code}: ")
    assert len(last) > len(code) + 15
    assert "Traceback" not in said.err
    assert "Error(" not in said.err


def test_a_fault_of_our_own_is_named_without_a_traceback(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a text of somebody's")

    monkeypatch.setattr("bridge.cli.health._answer", fail)

    # when
    for_machines, for_people = say("status", "--config", nodes.rs, "--json"), say("status", "--config", nodes.rs)

    # then
    assert for_machines.status == for_people.status == 1
    assert for_machines.json["error"]["code"] == "E_INTERNAL"
    assert "ZeroDivisionError" in for_people.err
    assert "somebody's" not in for_people.err + for_machines.out
    assert "Traceback" not in for_people.err


def test_a_service_that_ends_for_a_known_reason_says_that_reason(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    def fail(*_: object, **__: object) -> None:
        raise ExceptionGroup("services", [ExceptionGroup("one", [UnavailableError("E_DATABASE", "the disk is full")])])

    monkeypatch.setattr("bridge.cli.health._answer", fail)

    # when
    said = say("status", "--config", nodes.rs, "--json")

    # then
    assert said.status == 4
    assert said.json == {"error": {"code": "E_DATABASE", "message": "the disk is full"}}


def test_ctrl_c_is_130_for_people_and_machines(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bridge.cli.health._answer", interrupt)

    # when
    for_machines, for_people = say("status", "--config", nodes.rs, "--json"), say("status", "--config", nodes.rs)

    # then
    assert for_machines.status == for_people.status == 130
    assert for_machines.json["error"]["code"] == "E_INTERRUPTED"
    assert for_people.out == ""


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "written.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def network_file() -> str:
    return (ALERT.parents[2] / "config" / "demo-network.toml").read_text("utf-8")


def without(config: Path, file: str, *command: str) -> list[object]:
    (config.parent / file).unlink(missing_ok=True)
    return [*command, "--config", config]


def of_schema(revision: str, config: Path, *command: str) -> list[object]:
    """The command, in a node whose database a migration left at this revision."""
    with closing(sqlite3.connect(config.parent / "node.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    return [*command, "--config", config]


def damaged(config: Path, file: str, *command: str) -> list[object]:
    (config.parent / file).write_bytes(b"something else, of some length, that is neither a database nor a key " * 40)
    return [*command, "--config", config]
