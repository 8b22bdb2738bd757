"""`quarantine replay`, `return`, `drop`: a count first, then a question, then one answer that names every item."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from cli_commands import Nodes, Said, ask, deliver, say, wire_bytes_of
from test_asking_before_sending import Terminal

from bridge.app.checks.check_node import Check
from bridge.app.checks.node_states import CLOCK_STEPPED
from bridge.app.receiving.refusing import quarantine, refusal_of
from bridge.compose.node import open_node
from bridge.core.errors import VerificationError
from bridge.core.verification import Hints
from bridge.health.asking import CLOCK
from bridge.ports.broker import Delivery
from bridge.settings import load_settings

DOING = ("replay", "return", "drop")
DONE = {"items", "counts", "codes", "dry_run"}


def given_refused(config: Path, wire_bytes: bytes, *, step: int, code: str, by: str | None) -> str:
    """In quarantine as if it had been refused so; its id."""

    async def keep() -> str:
        async with open_node(load_settings(config)) as node, node.store.writing() as unit:
            delivery = Delivery(1, "country.at.normal", wire_bytes, Hints(None, None, None), redelivered=False)
            error = VerificationError(step, code, "as it was then")
            refusal = refusal_of(delivery, error, contact_point=by, at=node.clock.now(), ids=node.ids)
            (new,) = await quarantine(unit, [refusal])
            return new

    return asyncio.run(keep())


def given_forgotten(config: Path, message_id: str) -> None:
    """As if the message had never arrived at this node."""
    with contextlib.closing(sqlite3.connect(config.parent / "node.db")) as database, database:
        database.execute("DELETE FROM inbox WHERE id = ?", (message_id,))
        database.execute("DELETE FROM replay WHERE message_id = ?", (message_id,))
        database.execute("DELETE FROM body WHERE message_id = ?", (message_id,))


def listed(config: Path) -> dict[str, dict[str, object]]:
    return {item["id"]: item for item in ask("quarantine", "list", "--config", config)["items"]}


def audited(config: Path, action: str) -> list[tuple[str, str, str]]:
    """(who, what, how) of these entries of the audit log."""
    with contextlib.closing(sqlite3.connect(config.parent / "node.db")) as database:
        return list(database.execute("SELECT actor, subject, detail FROM audit WHERE action = ?", (action,)))


def do(verb: str, *arguments: object, config: Path) -> Said:
    return say("quarantine", verb, *arguments, "--config", config, "--json")


@pytest.mark.parametrize("verb", ["replay", "return"])
def test_nothing_is_judged_or_signed_by_a_clock_that_was_set(
    verb: str, nodes: Nodes, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a running process says so
    async def tell(_: Path, path: str) -> list[Check]:
        assert path == CLOCK
        return [Check("all: clock", ok=False, detail="this clock was set", state=CLOCK_STEPPED)]

    monkeypatch.setattr("bridge.compose.node.ask_processes", tell)
    before = listed(nodes.at)

    # when
    said = do(verb, refused, "--yes", config=nodes.at)

    # then
    assert (said.status, said.json["error"]["code"]) == (4, "E_CLOCK")
    assert listed(nodes.at) == before


@pytest.mark.parametrize("verb", DOING)
@pytest.mark.parametrize("how", [[], ["--dry-run"]])
def test_without_a_terminal_and_without_yes_it_only_says_what_it_would_do(
    verb: str, how: list[str], nodes: Nodes, refused: str
) -> None:
    before = listed(nodes.at)

    said = do(verb, "--all", *how, config=nodes.at)

    assert said.status == 0
    assert said.json == {
        "items": [{"id": refused, "outcome": f"would_{verb}", "code": "E_JSON"}],
        "counts": {f"would_{verb}": 1},
        "codes": {"E_JSON": 1},
        "dry_run": True,
    }
    assert f"would {verb} 1: E_JSON 1" in said.err
    assert ("nothing was done" in said.err) == (not how)
    assert listed(nodes.at) == before


def test_what_is_refused_again_stays_with_one_replay_more(nodes: Nodes, refused: str) -> None:
    said = do("replay", refused, "--yes", "--officer", "Ana Anić", config=nodes.at)

    assert said.status == 0
    assert said.json.keys() == DONE
    (item,) = said.json["items"]
    assert (item["id"], item["outcome"], item["code"]) == (refused, "refused", "E_JSON")
    assert (said.json["counts"], said.json["dry_run"]) == ({"refused": 1}, False)
    assert listed(nodes.at)[refused]["replays"] == 1
    assert [entry[:2] for entry in audited(nodes.at, "quarantine.replayed")] == [("Ana Anić", refused)]


def test_what_verifies_by_now_is_in_the_inbox_and_its_receipt_in_the_outbox(nodes: Nodes, sent: str) -> None:
    # given: what Austria refused once, when it did not know the key
    wire_bytes = wire_bytes_of(nodes.rs, sent)
    given_forgotten(nodes.at, sent)
    deliver(nodes.at, wire_bytes[:-10])
    own = given_refused(nodes.at, wire_bytes, step=6, code="E_KEY_UNKNOWN", by="at.ncp")
    with contextlib.closing(sqlite3.connect(nodes.at.parent / "node.db")) as database, database:
        said = '{"correlation_id": "%s", "type": "route_alert", "app_id": "rs.ncp"}'
        database.execute("UPDATE quarantine SET properties = ? WHERE id = ?", (said % sent, own))

    # when
    said_all = do("replay", "--all", "--reason", "E_KEY_UNKNOWN", "--holder", "at.ncp", "--yes", config=nodes.at)

    # then
    assert said_all.status == 0, said_all
    assert said_all.json["items"] == [{"id": own, "outcome": "accepted"}]
    assert [item["id"] for item in ask("inbox", "list", "--config", nodes.at)["items"]] == [sent]
    assert own not in listed(nodes.at)
    assert len(listed(nodes.at)) == 2


def test_what_the_router_refused_needs_the_broker(nodes: Nodes, sent: str) -> None:
    own = given_refused(nodes.at, wire_bytes_of(nodes.rs, sent), step=6, code="E_KEY_UNKNOWN", by=None)

    said = do("replay", "--all", "--holder", "router", "--yes", config=nodes.at)

    assert said.status == 4
    assert said.json["error"]["code"].startswith("E_BROKER")
    assert listed(nodes.at)[own]["replays"] == 0


def test_what_nothing_proves_cannot_be_returned_and_the_others_are(nodes: Nodes, sent: str, refused: str) -> None:
    given_forgotten(nodes.at, sent)
    own = given_refused(nodes.at, wire_bytes_of(nodes.rs, sent), step=11, code="E_STATUS", by=None)

    said = do("return", refused, own, "--yes", config=nodes.at)

    assert said.status == 3
    impossible, returned = said.json["items"]
    assert (impossible["id"], impossible["outcome"], impossible["code"]) == (refused, "impossible", "E_NOT_PROVEN")
    assert "step 2" in impossible["detail"]
    assert returned == {"id": own, "outcome": "returned", "code": "E_STATUS"}
    assert listed(nodes.at)[own]["returned_at"] is not None
    assert listed(nodes.at)[refused]["returned_at"] is None
    assert "told so by hand" in say("quarantine", "show", own, "--config", nodes.at).out

    again = do("return", own, "--yes", config=nodes.at)
    assert (again.status, again.json["items"][0]["code"]) == (3, "E_RETURNED_LATELY")
    assert len(audited(nodes.at, "quarantine.returned")) == 1


def test_what_is_dropped_is_in_no_file_and_the_log_says_who_did_it(nodes: Nodes, refused: str) -> None:
    folder = nodes.at.parent
    assert b"no message at all" in _bytes_in(folder)

    said = do("drop", refused, "--officer", "Ana Anić", "--why", "a joke", "--yes", config=nodes.at)

    assert (said.status, said.json["items"]) == (0, [{"id": refused, "outcome": "dropped", "code": "E_JSON"}])
    assert listed(nodes.at) == {}
    assert b"no message at all" not in _bytes_in(folder)
    ((actor, subject, detail),) = audited(nodes.at, "quarantine.dropped")
    assert (actor, subject) == ("Ana Anić", refused)
    assert '"why": "a joke"' in detail
    assert do("drop", "--all", "--yes", config=nodes.at).json == {
        "items": [], "counts": {}, "codes": {}, "dry_run": False,
    }  # fmt: skip


@pytest.mark.parametrize("verb", DOING)
def test_one_id_that_is_not_there_leaves_the_others_alone(verb: str, nodes: Nodes, refused: str) -> None:
    before = listed(nodes.at)

    said = do(verb, refused, "no-such-id", "--yes", config=nodes.at)

    assert (said.status, said.json["error"]["code"]) == (2, "E_UNKNOWN_REFUSAL")
    assert "no-such-id" in said.json["error"]["message"]
    assert listed(nodes.at) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "E_USAGE"),
        (["x", "--all"], "E_USAGE"),
        (["x", "--reason", "E_JSON"], "E_USAGE"),
        (["--all", "--yes", "--dry-run"], "E_USAGE"),
        (["--all", "--holder", "at.nobody"], "E_CONTACT_POINT"),
    ],
)
def test_what_is_meant_has_to_be_said(arguments: list[str], code: str, nodes: Nodes) -> None:
    said = do("drop", *arguments, config=nodes.at)

    assert (said.status, said.json["error"]["code"]) == (2, code)


def test_a_list_names_the_holder_and_how_often_it_came(nodes: Nodes, refused: str) -> None:
    deliver(nodes.at, b"no message at all")
    own = given_refused(nodes.at, b"{}", step=3, code="E_ENVELOPE", by=None)

    items = listed(nodes.at)

    assert (items[refused]["holder"], items[refused]["seen"], items[refused]["returned_at"]) == ("at.ncp", 2, None)
    assert (items[own]["holder"], items[own]["seen"]) == ("router", 1)


@pytest.mark.parametrize(("answer", "status", "left"), [("1\n", 0, 0), ("y\n", 3, 1), ("2\n", 3, 1)])
def test_at_a_terminal_everything_is_destroyed_only_for_who_types_the_number(
    answer: str, status: int, left: int, nodes: Nodes
) -> None:
    with contextlib.closing(Terminal("quarantine", "drop", "--all", "--config", nodes.at)) as terminal:
        terminal.read_until("would drop 1: E_JSON 1")
        terminal.read_until("Type their number")
        terminal.type(answer)
        assert terminal.wait() == status

    assert len(listed(nodes.at)) == left


@pytest.mark.parametrize(("answer", "status", "replays"), [("y\n", 0, 1), ("n\n", 3, 0)])
def test_at_a_terminal_it_asks(answer: str, status: int, replays: int, nodes: Nodes, refused: str) -> None:
    with contextlib.closing(Terminal("quarantine", "replay", refused, "--config", nodes.at)) as terminal:
        terminal.read_until("Replay 1?")
        terminal.type(answer)
        assert terminal.wait() == status

    assert listed(nodes.at)[refused]["replays"] == replays


def test_people_are_told_what_became_of_each_and_why(nodes: Nodes, refused: str) -> None:
    said = say("quarantine", "return", refused, "--yes", "--config", nodes.at)

    assert said.status == 3
    assert "not possible: 1" in said.out
    assert refused in said.out
    assert "E_NOT_PROVEN" in said.out


def _bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("node.db*"))
