"""`keys` on the command line: seen, rolled, revoked, published at once or by a file; interrupted, it goes on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from trust_network import Run

from bridge.adapters.jose.key_files import read_secret
from bridge.adapters.store.schema import migrate
from bridge.adapters.trust.governance.member_key import make_member_key
from bridge.adapters.trust.governance.reading import read_repository
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.cli.main import main_status
from bridge.cli.output import INTERRUPTED
from bridge.compose.node import load_desks
from bridge.core.times import parse_time
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings

DEMO = Path("config/demo-network.toml")
YEAR = datetime.now(UTC).year
SIG_A, SIG_B, ENC_A, ENC_B = f"sig-{YEAR}a", f"sig-{YEAR}b", f"enc-{YEAR}a", f"enc-{YEAR}b"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network and Serbia's node, whose database is there; to be copied."""
    folder = tmp_path_factory.mktemp("keys")
    found_network(folder / "network", DEMO)
    found_nodes([NodeOrder(folder / "rs", "RS")], network=folder / "network")
    asyncio.run(migrate(f"sqlite:///{folder / 'rs' / 'node.db'}"))
    return folder


class Serbia:
    """Serbia's node with the network's folder beside it."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.network, self.config = folder / "network", folder / "rs" / "node.toml"
        self.keys_folder, self._run = folder / "rs" / "keys" / "rs.ncp", run

    def keys(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        return self._run("keys", *arguments, "--config", self.config)

    def states(self) -> Mapping[str, str]:
        """Key id -> state, of the national desk."""
        status, listed = self.keys("list", "--contact-point", "rs.ncp")
        assert status == 0, listed
        ((point),) = listed["contact_points"]
        return {key["kid"].partition("#")[2]: key["state"] for key in point["keys"]}

    def audited(self) -> list[tuple[str, str]]:
        with sqlite3.connect(self.config.parent / "node.db") as database:
            return database.execute("SELECT action, subject FROM audit ORDER BY position").fetchall()


@pytest.fixture
def serbia(founded: Path, run: Run, tmp_path: Path) -> Serbia:
    shutil.copytree(founded, tmp_path / "here", symlinks=True)
    config = tmp_path / "here" / "rs" / "node.toml"
    config.write_text(config.read_text("utf-8").replace(str(founded), str(tmp_path / "here")), "utf-8")
    return Serbia(tmp_path / "here", run)


def test_a_roll_is_published_at_once_with_an_hour_of_overlap(serbia: Serbia) -> None:
    assert serbia.states() == {SIG_A: "in_use", ENC_A: "in_use"}

    status, rolled = serbia.keys("roll", "--contact-point", "rs.ncp", "--network", serbia.network)

    assert (status, rolled["version"], rolled["publication"]) == (0, 3, None)
    assert [key["kid"] for key in rolled["made"]] == [f"rs.ncp#{SIG_B}", f"rs.ncp#{ENC_B}"]
    assert serbia.states() == {SIG_A: "in_use", SIG_B: "next", ENC_A: "kept", ENC_B: "in_use"}
    (old,) = [key for key in rolled["keys"] if key["kid"] == f"rs.ncp#{SIG_A}"]
    left = parse_time(old["use_until"]) - datetime.now(UTC)
    assert timedelta(minutes=50) < left <= timedelta(hours=1)
    assert parse_time(old["verify_until"]) - parse_time(old["use_until"]) == timedelta(days=31)
    assert serbia.audited() == [("key.made", f"rs.ncp#{SIG_B}"), ("key.made", f"rs.ncp#{ENC_B}")]


def test_a_roll_without_the_network_at_hand_is_a_file_and_made_twice_it_is_the_same_key(
    serbia: Serbia, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    for _ in range(2):
        status, rolled = serbia.keys("roll", "--signing", "--contact-point", "rs.ncp", "--out", file)
        assert (status, rolled["version"], rolled["publication"]) == (0, None, str(file))
        assert [key["kid"] for key in rolled["made"]] == [f"rs.ncp#{SIG_B}"]
    assert serbia.states() == {SIG_A: "in_use", SIG_B: "unlisted", ENC_A: "in_use"}

    assert run("network", "publish", serbia.network, file)[0] == 0
    assert serbia.states() == {SIG_A: "in_use", SIG_B: "next", ENC_A: "in_use"}


def test_a_roll_that_dies_before_it_publishes_goes_on_with_its_key(
    serbia: Serbia, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll = [
        "keys",
        "roll",
        "--contact-point",
        "rs.ncp",
        "--network",
        str(serbia.network),
        "--config",
        str(serbia.config),
    ]
    with monkeypatch.context() as patched:
        patched.setattr(TufRepository, "_publish", _dies)
        assert main_status(roll) == INTERRUPTED
    assert serbia.states() == {SIG_A: "in_use", SIG_B: "unlisted", ENC_A: "in_use", ENC_B: "unlisted"}

    assert main_status(roll) == 0
    assert serbia.states() == {SIG_A: "in_use", SIG_B: "next", ENC_A: "kept", ENC_B: "in_use"}


def test_a_revoked_key_has_a_successor_in_the_same_step_and_is_revoked_for_everybody(serbia: Serbia) -> None:
    status, answer = serbia.keys(
        "revoke", f"rs.ncp#{SIG_A}", "--reason", "a stolen laptop", "--network", serbia.network
    )

    assert (status, answer["revoked"], answer["version"]) == (0, f"rs.ncp#{SIG_A}", 3)
    assert [key["kid"] for key in answer["made"]] == [f"rs.ncp#{SIG_B}"]
    assert serbia.states() == {SIG_A: "revoked", SIG_B: "in_use", ENC_A: "in_use"}
    listed = read_repository(serbia.network).signing_keys
    assert listed[f"rs.ncp#{SIG_A}"].revoked_at is not None
    assert serbia.audited() == [("key.revoked", f"rs.ncp#{SIG_A}"), ("key.made", f"rs.ncp#{SIG_B}")]

    # and once more changes nothing but the version
    again = serbia.keys("revoke", f"rs.ncp#{SIG_A}", "--reason", "again", "--network", serbia.network)[1]
    assert (again["version"], again["made"]) == (4, [])
    assert read_repository(serbia.network).signing_keys == listed


def test_a_running_process_signs_with_a_key_that_was_made_after_its_start(serbia: Serbia) -> None:
    settings = load_settings(serbia.config)
    desks, _ = load_desks(settings)
    desk = desks["rs.ncp"]
    assert desk.signer(f"rs.ncp#{SIG_B}") is None

    serbia.keys("roll", "--network", serbia.network)

    signer = desk.signer(f"rs.ncp#{SIG_B}")
    assert signer is not None
    assert len(signer.sign(b"input")) == 64
    assert desk.opening_keys.holds(f"rs.ncp#{ENC_B}")
    desk.keys.destroy(f"rs.ncp#{SIG_B}")
    assert not (serbia.keys_folder / f"{SIG_B}.pem").exists()
    assert desk.signer(f"rs.ncp#{SIG_B}") is None


def test_what_ends_soon_fails_the_check_unless_something_follows_on_it(serbia: Serbia) -> None:
    assert serbia.keys("check", "--within", "30d") == (0, {"ok": True, "within": "30d", "ends": []})

    status, found = serbia.keys("check", "--within", "91d", "--contact-point", "rs.ncp")
    assert (status, [end["name"] for end in found["ends"]]) == (1, [f"rs.ncp#{ENC_A}"])
    assert found["ends"][0]["days_left"] in {89, 90}

    assert [end["what"] for end in serbia.keys("check", "--within", "800d")[1]["ends"]][-1] == "member role"
    (serbia.keys_folder / f"{SIG_A}.pem").unlink()
    status, found = serbia.keys("check", "--contact-point", "rs.ncp")
    assert status == 1
    assert found["ends"] == [{"what": "signing key", "name": "rs.ncp", "ends": None, "days_left": None}]


def test_certificates_for_the_broker_end_too(run: Run, tmp_path: Path) -> None:
    # given a node that signs in by certificate, one of which is gone
    found_network(tmp_path / "network", DEMO)
    place = BrokerPlace(scheme="amqps", host="broker.example.org", port=5671)
    (node,) = found_nodes([NodeOrder(tmp_path / "al", "AL", place)], network=tmp_path / "network")
    (tmp_path / "al" / "certificates" / "al-router.pem").unlink()

    # when
    status, found = run("keys", "check", "--within", "90d", "--config", node.config)

    # then
    assert status == 1
    ends = {end["name"]: end["days_left"] for end in found["ends"] if end["what"] == "certificate"}
    assert ends.keys() == {"al-relay", "al-router", "al-inbox-ncp"}
    assert ends["al-router"] is None
    assert 80 < ends["al-relay"] <= 90


def test_a_contact_point_without_keys_gets_its_first_ones(serbia: Serbia, run: Run, tmp_path: Path) -> None:
    # given a contact point that governance admits later, and the node's settings name
    file = tmp_path / "network.toml"
    added = '[[contact_points]]\nid = "rs.new"\nname = "New desk"\n'
    file.write_text(f"{DEMO.read_text('utf-8')}\n{added}", "utf-8")
    assert run("network", "propose", serbia.network, "--config", file, "--out", tmp_path / "change.json")[0] == 0
    keys = [option for pem in sorted((serbia.network / "keys").glob("governance-*.pem")) for option in ("--key", pem)]
    signed = run("network", "sign", tmp_path / "change.json", *keys, "--mirror", serbia.network / "mirror", "--yes")
    assert signed[0] == 0, signed
    assert run("network", "publish", serbia.network, tmp_path / "change.json")[0] == 0
    text = serbia.config.read_text("utf-8")
    point = 'account = { user = "rs-inbox-new", password_file = "secrets/rs-relay.password" }'
    serbia.config.write_text(f'{text}\n[[contact_points]]\nid = "rs.new"\nkeys = "keys/rs.new"\n{point}\n', "utf-8")

    # when
    status, rolled = serbia.keys("roll", "--contact-point", "rs.new", "--network", serbia.network)

    # then
    assert status == 0, rolled
    assert [key["kid"] for key in rolled["made"]] == [f"rs.new#{SIG_A}", f"rs.new#{ENC_A}"]
    assert "rs.new" in load_desks(load_settings(serbia.config))[0]


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("roll",), 2, "E_USAGE"),
        (("roll", "--network", "NETWORK", "--out", "x.json"), 2, "E_USAGE"),
        (("roll", "--network", "NETWORK", "--overlap", "soon"), 2, "E_USAGE"),
        (("roll", "--network", "NETWORK", "--contact-point", "at.ncp"), 2, "E_CONTACT_POINT"),
        (("revoke", "at.ncp#sig-1", "--reason", "r", "--network", "NETWORK"), 3, "E_KEY_UNKNOWN"),
        (("revoke", "rs.ncp#sig-1", "--reason", "r", "--network", "NETWORK"), 3, "E_KEY_UNKNOWN"),
        (("check", "--within", "a month"), 2, "E_USAGE"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_changes_nothing(
    serbia: Serbia, arguments: tuple[str, ...], status: int, code: str
) -> None:
    given = [serbia.network if argument == "NETWORK" else argument for argument in arguments]

    found, answer = serbia.keys(*given)

    assert (found, answer["error"]["code"]) == (status, code)
    assert read_repository(serbia.network).version == 2
    assert serbia.states() == {SIG_A: "in_use", ENC_A: "in_use"}


def test_with_another_member_key_than_the_network_knows_nothing_is_published(serbia: Serbia) -> None:
    member_key = serbia.config.parent / "secrets" / "member.pem"
    secret = read_secret(serbia.config.parent / "secrets" / "machine.key")
    member_key.unlink()
    make_member_key(member_key, machine_secret=secret)

    status, answer = serbia.keys("roll", "--network", serbia.network)

    assert (status, answer["error"]["code"]) == (3, "E_MEMBER_KEY")
    assert read_repository(serbia.network).version == 2


def _dies(*_: object) -> None:
    raise KeyboardInterrupt
