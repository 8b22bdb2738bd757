"""Ids are unique per sender only: two senders may have used one, and `--from` says which message is meant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from cli_commands import ALERT, Nodes, ask, carry, say

from bridge.adapters.system import RandomIds


@pytest.fixture
def shared_id(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id that Serbia and Hungary have both used for an alert to Austria."""
    used = submit_with_id(nodes.rs, "rs.ncp", None, monkeypatch)
    submit_with_id(nodes.hu, "hu.ncp", used, monkeypatch)
    for origin in (nodes.rs, nodes.hu):
        carry(origin, nodes.at, used)
    return used


def submit_with_id(config: Path, sender: str, wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Submits the alert; the first id that is asked for, the message's, is the wanted one."""
    given = [] if wanted is None else [wanted]
    fresh = RandomIds.new

    def new(ids: RandomIds, at: datetime) -> str:
        return given.pop() if given else fresh(ids, at)

    with monkeypatch.context() as patch:
        patch.setattr(RandomIds, "new", new)
        message_id: str = ask("alert", "submit", ALERT, "--from", sender, "--config", config)["id"]
    return message_id


def test_both_are_in_the_inbox_and_none_is_shown_by_guessing(nodes: Nodes, shared_id: str) -> None:
    # when
    items = ask("inbox", "list", "--config", nodes.at)["items"]
    shown = say("inbox", "show", shared_id, "--config", nodes.at, "--json")
    answered = say(
        *("inbox", "acknowledge", shared_id, "--level", "read", "--officer", "A", "--config", nodes.at, "--json")
    )

    # then
    assert [item["from"] for item in items if item["id"] == shared_id] == ["rs.ncp", "hu.ncp"]
    for said in (shown, answered):
        assert (said.status, said.json["error"]["code"]) == (2, "E_SENDER")
        assert "--from" in said.json["error"]["message"]
        assert "hu.ncp or rs.ncp" in said.json["error"]["message"]


def test_from_says_which_is_meant(nodes: Nodes, shared_id: str) -> None:
    # when
    shown = ask("inbox", "show", shared_id, "--from", "hu.ncp", "--config", nodes.at)
    ask(
        *("inbox", "acknowledge", shared_id, "--from", "hu.ncp", "--level", "accepted"),
        *("--officer", "A", "--config", nodes.at),
    )

    # then
    assert shown["envelope"]["from"] == "hu.ncp"
    states = {
        item["from"]: item["state"]
        for item in ask("inbox", "list", "--config", nodes.at)["items"]
        if item["id"] == shared_id
    }
    assert states == {"rs.ncp": "new", "hu.ncp": "acknowledged"}
