"""`interchange`: the page's commands, as they stand there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_commands import ALERT, ROOT, Nodes, ask, carry, say

from bridge.adapters.system import RandomIds
from bridge.cli.options import on_node
from bridge.compose.node import Node

PAGE = (ROOT / "docs" / "integrate" / "interchange.md").read_text("utf-8")
COMMANDS = [line for block in PAGE.split("```")[1::2] for line in block.strip().splitlines()]


def test_the_commands_of_the_page_run(nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "node.toml").symlink_to(nodes.at)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        words = command.split()[1:]
        words = [str(nodes.at) if word == "node.toml" else word for word in words]
        assert say(*words).status == 0, command
    original = ROOT / "examples" / "alerts" / "02-al-it-sexual-ferry.json"
    assert json.loads((tmp_path / "alert.json").read_text("utf-8")) == json.loads(original.read_text("utf-8"))
    assert (tmp_path / "corridors.csv").read_bytes().startswith(b"quarter,form,from,to,count,withheld")
    assert json.loads((tmp_path / "corridors.json").read_text("utf-8"))["k"] == 11
    assert (tmp_path / "htcds.csv").read_bytes().startswith(b"list,field,ours,theirs,match,seen_in,note")


def test_codes_of_one_list() -> None:
    answer = ask("interchange", "htcds-tables", "--list", "victim_status")
    assert [row["theirs"] for row in answer["rows"]] == [
        "PossibleVictimOfTrafficking",
        "ActualVictimOfTrafficking",
        "NotAVictimOfTrafficking",
    ]
    assert "CC BY 4.0" in answer["attribution"]
    assert say("interchange", "htcds-tables", "--list", "control").out.startswith("list,field,")
    refused = say("interchange", "htcds-tables", "--list", "tlp")
    assert (refused.status, refused.out) == (2, "")


def test_answers_for_machines_and_faults(nodes: Nodes, tmp_path: Path) -> None:
    exported = ask("interchange", "cap-export", ALERT, "--from", "rs.ncp")
    assert exported["sender"] == "rs.ncp"
    (tmp_path / "cap.xml").write_text(exported["text"], "utf-8")
    imported = ask("interchange", "cap-import", tmp_path / "cap.xml")
    assert imported["alert"] == json.loads(ALERT.read_text("utf-8"))
    assert imported["losses"] == []
    (tmp_path / "cap.xml").write_text("<alert/>", "utf-8")
    for refused in (
        say("interchange", "cap-import", tmp_path / "cap.xml"),
        say("interchange", "cap-export", ALERT, "--from", "serbia"),
        say("interchange", "statistics", "--config", nodes.at, "--quarter", "1999Q1"),
    ):
        assert (refused.status, refused.out) == (2, "")


def test_a_quarter_is_refused_where_none_was_counted_yet(nodes: Nodes) -> None:
    refused = say("interchange", "statistics", "--config", nodes.at, "--quarter", "1999Q1")
    assert refused.status == 2
    assert refused.err.strip().endswith("found '1999Q1', there is none yet")


def test_a_stored_message_goes_out_as_cap_and_back_into_a_valid_file(nodes: Nodes, tmp_path: Path) -> None:
    sent = ask("alert", "submit", ALERT, "--from", "rs.ncp", "--config", nodes.rs)["id"]
    carry(nodes.rs, nodes.at, sent)
    original = json.loads(ALERT.read_text("utf-8"))
    recipients = ask("outbox", "show", sent, "--config", nodes.rs)["recipients"]
    addresses = f"<addresses>{' '.join(one['id'] for one in recipients)}</addresses>"
    for config, scope in ((nodes.rs, "Private"), (nodes.at, "Restricted")):
        options = ("--message", sent, "--config", config, "--officer", "B. Officer")
        exported = ask("interchange", "cap-export", *options)
        assert (exported["identifier"], exported["sender"]) == (sent, "rs.ncp")
        assert f"<scope>{scope}</scope>" in exported["text"]
        assert (addresses in exported["text"]) == (scope == "Private")
        (tmp_path / "cap.xml").write_text(exported["text"], "utf-8")
        ask("interchange", "cap-import", tmp_path / "cap.xml", "--out", tmp_path / "alert.json")
        ask("alert", "validate", tmp_path / "alert.json")
        body = json.loads((tmp_path / "alert.json").read_text("utf-8"))["body"]
        assert "retain_until" in body
        assert body == {**original["body"], "retain_until": body["retain_until"]}
        logged = ask("audit", "list", "--config", config)["items"]
        looks = [one["action"] for one in logged if one["actor"] == "B. Officer"]
        assert looks == ["message.exported", "body.read"]


def test_a_message_is_handed_out_in_a_name_and_only_where_it_is_known(nodes: Nodes) -> None:
    sent = ask("alert", "submit", ALERT, "--from", "rs.ncp", "--config", nodes.rs)["id"]
    on_rs = ("--message", sent, "--config", nodes.rs)
    for wrong, code in (
        ((), "E_USAGE"),
        ((ALERT, *on_rs, "--officer", "B"), "E_USAGE"),
        (on_rs, "E_USAGE"),
        ((*on_rs, "--officer", "B", "--id", sent), "E_USAGE"),
        ((*on_rs, "--officer", "B", "--from", "hu.ncp"), "E_UNKNOWN_MESSAGE"),
        (("--message", sent, "--config", nodes.at, "--officer", "B"), "E_UNKNOWN_MESSAGE"),
    ):
        refused = say("interchange", "cap-export", *wrong, "--json")
        assert (refused.status, refused.json["error"]["code"]) == (2, code)


def test_of_two_with_one_id_from_says_which(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    received = ask("alert", "submit", ALERT, "--from", "rs.ncp", "--config", nodes.rs)["id"]
    carry(nodes.rs, nodes.at, received)
    given, fresh = [received], RandomIds.new
    with monkeypatch.context() as patch:
        patch.setattr(RandomIds, "new", lambda ids, at: given.pop() if given else fresh(ids, at))
        own = ask("alert", "submit", ALERT, "--from", "at.ncp", "--config", nodes.at)["id"]
    assert own == received
    options = ("interchange", "cap-export", "--message", own, "--config", nodes.at, "--officer", "B")
    refused = say(*options, "--json")
    assert (refused.status, refused.json["error"]["code"]) == (2, "E_SENDER")
    for sender in ("at.ncp", "rs.ncp"):
        assert ask(*options, "--from", sender)["sender"] == sender


def test_an_answer_is_no_alert_and_an_erased_body_is_gone(nodes: Nodes) -> None:
    sent = ask("alert", "submit", ALERT, "--from", "rs.ncp", "--config", nodes.rs)["id"]
    carry(nodes.rs, nodes.at, sent)
    given = ("--level", "accepted", "--officer", "B", "--config", nodes.at)
    answer = ask("inbox", "acknowledge", sent, *given)["id"]
    options = ("interchange", "cap-export", "--officer", "B")
    refused = say(*options, "--message", answer, "--config", nodes.at, "--json")
    assert (refused.status, refused.json["error"]["code"]) == (2, "E_NOT_AN_ALERT")

    async def erase(node: Node) -> None:
        async with node.store.writing() as unit:
            await unit.ledger.erase_bodies([sent])

    on_node(nodes.rs, erase)
    refused = say(*options, "--message", sent, "--config", nodes.rs, "--json")
    assert (refused.status, refused.json["error"]["code"]) == (3, "E_NO_BODY")
