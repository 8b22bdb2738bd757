"""`backup` and `restore` as commands: what they answer, what they refuse, and that no key is in a backup."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_commands import ALERT, Nodes, ask, say
from test_asking_before_sending import Terminal


@pytest.fixture
def backup(nodes: Nodes, tmp_path: Path) -> Path:
    """Serbia's."""
    file = tmp_path / "serbia.tar"
    ask("backup", file, "--config", nodes.rs)
    return file


def sent_by(config: Path) -> list[str]:
    return [item["id"] for item in ask("outbox", "list", "--config", config)["items"]]


def audited(config: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(config.parent / "node.db")) as database:
        return database.execute("SELECT action, detail FROM audit WHERE action LIKE 'database.%'").fetchall()


def test_a_backup_answers_what_is_in_it_and_is_audited(nodes: Nodes, tmp_path: Path, sent: str) -> None:
    # when
    answer = ask("backup", tmp_path / "serbia.tar", "--config", nodes.rs)

    # then
    assert answer.keys() >= {"file", "bytes", "sha256", "messages", "inbox", "epoch", "seconds"}
    assert (answer["messages"], answer["inbox"], answer["epoch"]) == (1, 0, 1)
    assert answer["bytes"] == (tmp_path / "serbia.tar").stat().st_size
    assert (answer["manifest"]["country"], answer["manifest"]["network"]) == ("RS", "lone")
    ((action, detail),) = audited(nodes.rs)
    assert action == "database.backed_up"
    assert answer["sha256"] in detail
    assert sent_by(nodes.rs) == [sent]


def test_a_backup_is_verified_without_any_node(backup: Path) -> None:
    # when
    answer, text = ask("backup", backup, "--verify"), say("backup", backup, "--verify")

    # then
    assert answer["manifest"]["country"] == "RS"
    assert "whole" in text.out
    assert answer["sha256"] in text.out


def test_no_key_and_no_secret_is_in_a_backup(nodes: Nodes, backup: Path) -> None:
    # given every private file of the node
    folder = nodes.rs.parent
    private = [file for place in ("keys", "secrets") for file in (folder / place).rglob("*") if file.is_file()]
    assert len(private) >= 5

    # then
    data = backup.read_bytes()
    for file in private:
        for line in file.read_bytes().split(b"\n"):
            assert len(line) < 16 or line not in data, file


def test_a_restore_answers_what_it_brought_and_where_the_rest_is(nodes: Nodes, backup: Path, sent: str) -> None:
    # given
    later = ask("alert", "submit", ALERT, "--config", nodes.rs)["id"]

    # when
    answer = ask("restore", backup, "--config", nodes.rs, "--yes")

    # then
    assert answer.keys() == {"epoch", "previous", "messages", "inbox", "kept_aside"}
    assert (answer["previous"], answer["messages"], answer["inbox"]) == (1, 1, 0)
    assert answer["epoch"] > 1_700_000_000
    assert sent_by(nodes.rs) == [sent]
    with closing(sqlite3.connect(answer["kept_aside"])) as kept:
        assert later in {row[0] for row in kept.execute("SELECT id FROM message")}
    assert [action for action, _ in audited(nodes.rs)] == ["database.restored"]


def test_the_restored_node_sends_in_its_new_epoch(nodes: Nodes, backup: Path) -> None:
    # given
    epoch = ask("restore", backup, "--config", nodes.rs, "--yes")["epoch"]

    # when
    later = ask("alert", "submit", ALERT, "--config", nodes.rs)["id"]

    # then
    with closing(sqlite3.connect(nodes.rs.parent / "node.db")) as database:
        epochs = database.execute("SELECT DISTINCT epoch FROM recipient WHERE message_id = ?", (later,)).fetchall()
    assert epochs == [(epoch,)]


def test_what_is_not_this_nodes_is_refused_and_nothing_changes(nodes: Nodes, backup: Path, tmp_path: Path) -> None:
    # given
    damaged = tmp_path / "damaged.tar"
    data = bytearray(backup.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    cases = (
        (("restore", backup, "--config", nodes.at, "--yes"), 3, "E_BACKUP_OTHER"),
        (("restore", damaged, "--config", nodes.rs, "--yes"), 3, "E_BACKUP_DAMAGED"),
        (("backup", damaged, "--verify"), 3, "E_BACKUP_DAMAGED"),
        (("backup", backup, "--config", nodes.rs), 3, "E_BACKUP_EXISTS"),
        (("restore", tmp_path / "none.tar", "--config", nodes.rs, "--yes"), 4, "E_FILE"),
        (("backup", tmp_path / "no" / "where.tar", "--config", nodes.rs), 4, "E_FILE"),
        (("restore", backup, "--config", nodes.rs), 2, "E_USAGE"),  # nobody can be asked
        (("backup", "-", "--config", nodes.rs), 2, "E_USAGE"),
        (("backup", tmp_path / "new.tar"), 2, "E_USAGE"),
    )
    before = [(config.parent / "node.db").read_bytes() for config in (nodes.rs, nodes.at)]

    for arguments, status, code in cases:
        # when
        said = say(*arguments, "--json")

        # then
        assert (said.status, said.json["error"]["code"]) == (status, code), arguments
        assert len(said.json["error"]["message"]) > 20
    assert [(config.parent / "node.db").read_bytes() for config in (nodes.rs, nodes.at)] == before


def test_another_networks_backup_of_the_same_country_is_refused(
    nodes: Nodes, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the same country in another network
    from bridge.compose import backing_up  # noqa: PLC0415 - a command's own module, imported when it is used

    made = backing_up.NodeIdentity
    monkeypatch.setattr(backing_up, "NodeIdentity", lambda country, _network, points: made(country, "other", points))

    # when
    said = say("restore", backup, "--config", nodes.rs, "--yes", "--json")

    # then
    assert (said.status, said.json["error"]["code"]) == (3, "E_BACKUP_OTHER")
    assert "network: found lone, expected other" in said.json["error"]["message"]


def test_a_node_without_a_membership_list_is_backed_up_all_the_same(nodes: Nodes, tmp_path: Path) -> None:
    # given neither mirror nor cache
    text = nodes.rs.read_text("utf-8")
    mirror = next(line for line in text.splitlines() if line.startswith("mirror = "))
    nodes.rs.write_text(text.replace(mirror, 'mirror = "nowhere"').replace("trust/cache", "trust/no-cache"), "utf-8")

    # when
    said = say("backup", tmp_path / "serbia.tar", "--config", nodes.rs, "--json")

    # then
    assert said.status == 0
    assert said.json["manifest"]["network"] is None
    assert "without network" in said.err


@pytest.mark.parametrize(("answer", "status", "restored"), [("n\n", 3, 0), ("y\n", 0, 1)], ids=["no", "yes"])
def test_a_person_at_a_terminal_is_asked_before_a_restore(
    nodes: Nodes, backup: Path, answer: str, status: int, restored: int
) -> None:
    # given
    with closing(Terminal("restore", backup, "--config", nodes.rs)) as terminal:
        terminal.read_until("[y/N]")

        # when
        terminal.type(answer)

        # then
        assert terminal.wait() == status
    assert "Restore RS's database as of" in terminal.seen
    assert len(list(nodes.rs.parent.glob("node.db.kept-*"))) == restored
