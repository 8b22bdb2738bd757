"""With `--json` every command prints one object with the keys that its readers rely on, and nothing else.

The table is written from the contract by hand, not from the program.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_commands import ALERT, BAD, NETWORK, Nodes, say, wire_bytes_of

ANSWERS = {
    "network show": {"network", "version", "countries", "contact_points"},
    "network verify": {"network", "version", "countries", "contact_points"},
    "alert validate": {"ok", "errors"},
    "alert preview": {"recipients", "excluded", "unreachable"},
    "alert submit": {"id", "thread", "recipients", "payload_sha256"},
    "inbox list": {"items"},
    "inbox show": {"id", "envelope", "body", "signature", "receipts"},
    "inbox acknowledge": {"id", "of", "level"},
    "outbox list": {"items"},
    "outbox show": {"recipients"},
    "quarantine list": {"items"},
    "quarantine show": {"id", "code", "step", "at", "queue", "size", "replays"},
    "message verify": {"ok", "step", "code", "detail", "skipped"},
    "status": {"ok", "checks"},
    "doctor": {"ok", "checks"},
}
ENTRIES = {
    ("alert preview", "recipients"): {"id", "country", "roles", "rule", "reason"},
    ("inbox list", "items"): {
        *("id", "from", "kind", "urgency", "status", "received_at", "state", "acknowledge_by"),
    },
    ("outbox show", "recipients"): {"id", "state", "sent_at", "delivered_at", "acknowledged_at", "code"},
    ("quarantine list", "items"): {"id", "code", "step", "at", "queue", "size", "replays"},
    ("status", "checks"): {"name", "ok", "detail"},
    ("doctor", "checks"): {"name", "ok", "detail"},
}


def arguments_of(command: str, nodes: Nodes, *, sent: str, refused: str, wire: Path) -> list[object]:
    """How each command is called here, apart from its own words."""
    return {
        "network show": [nodes.network],
        "network verify": [nodes.network],
        "alert validate": [ALERT],
        "alert preview": [ALERT, "--config", nodes.rs, "--from", "rs.ncp"],
        "alert submit": [ALERT, "--config", nodes.rs, "--from", "rs.ncp", "--partial", "--yes"],
        "inbox list": ["--config", nodes.at, "--contact-point", "at.ncp", "--state", "new"],
        "inbox show": [sent, "--config", nodes.at],
        "inbox acknowledge": [
            *(sent, "--level", "not_competent", "--note", "Not here", "--redirect-to", "hu.ncp"),
            *("--officer", "Duty", "--config", nodes.at),
        ],
        "outbox list": ["--config", nodes.rs],
        "outbox show": [sent, "--config", nodes.rs],
        "quarantine list": ["--config", nodes.at],
        "quarantine show": [refused, "--config", nodes.at],
        "message verify": [wire, "--network", nodes.network],
        "status": ["--config", nodes.rs],
        "doctor": ["--config", nodes.rs],
    }[command]


@pytest.mark.parametrize("command", ANSWERS)
def test_a_command_answers_one_object_with_its_keys(
    command: str, nodes: Nodes, sent: str, refused: str, tmp_path: Path
) -> None:
    # given
    wire = tmp_path / "message.json"
    wire.write_bytes(wire_bytes_of(nodes.rs, sent))

    # when
    arguments = arguments_of(command, nodes, sent=sent, refused=refused, wire=wire)
    said = say(*command.split(), *arguments, "--json")

    # then
    assert said.status == (1 if command == "doctor" else 0), said  # there is no broker for doctor to find
    assert said.json.keys() >= ANSWERS[command]
    for (of, name), keys in ENTRIES.items():
        if of == command:
            assert said.json[name]
            assert all(entry.keys() >= keys for entry in said.json[name])


def test_founding_answers_what_was_founded(tmp_path: Path) -> None:
    (tmp_path / "network.toml").write_text(NETWORK, "utf-8")

    network = say("network", "init", tmp_path / "network", "--config", tmp_path / "network.toml", "--json")
    node = say("node", "init", tmp_path / "hu", "--country", "HU", "--network", tmp_path / "network", "--json")

    assert network.json["network"] == "lone"
    assert network.json["countries"] == ["AT", "HU", "RS"]
    assert network.json["contact_points"] == ["at.ncp", "hu.border-police", "hu.ncp", "rs.ncp"]
    assert network.json.keys() >= {"network", "version", "countries", "contact_points"}
    assert node.json.keys() >= {"config", "contact_points"}
    assert Path(node.json["config"]).is_file()
    assert {point["id"] for point in node.json["contact_points"]} == {"hu.ncp", "hu.border-police"}
    assert all(point["kids"] for point in node.json["contact_points"])


def test_a_problem_has_path_found_expected_code_and_where_there_is_one_a_suggestion() -> None:
    said = say("alert", "validate", BAD / "01-near-miss-exploitation.json", "--json")

    assert said.status == 2
    assert said.json["ok"] is False
    assert said.json["errors"][0].keys() == {"path", "found", "expected", "suggestion", "code"}


def test_what_an_outbox_shows_of_a_message_that_has_only_been_submitted(nodes: Nodes, sent: str) -> None:
    recipients = say("outbox", "show", sent, "--config", nodes.rs, "--json").json["recipients"]

    assert [recipient["id"] for recipient in recipients] == ["at.ncp", "hu.border-police", "hu.ncp"]
    for recipient in recipients:
        assert recipient["state"] == "pending"
        assert recipient["sent_at"] is recipient["delivered_at"] is recipient["acknowledged_at"] is None


def test_texts_stay_readable_in_json(nodes: Nodes, sent: str) -> None:
    said = say("inbox", "show", sent, "--config", nodes.at, "--json")

    assert "gradilištima" in said.out
