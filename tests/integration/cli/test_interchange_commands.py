"""`interchange`: the page's commands, as they stand there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_commands import ALERT, ROOT, Nodes, ask, say

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
