"""`network revoke` and `network suspend`: right at three in the morning, or not at all."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ceremony_people import words
from trust_network import Run, SetClock, World, contact_point, found, sealing_key, signing_key

from bridge.adapters.trust.governance.reading import read_repository
from bridge.cli.main import main_status
from bridge.founding import revoking
from bridge.founding.ceremony import compare, present_list
from bridge.founding.proposing import Wishes, propose

SIG, ENC = "rs.ncp#sig-2026a", "rs.ncp#enc-2026a"


@pytest.fixture
def now_world(tmp_path: Path) -> World:
    """A network of today, in which rs.ncp has its keys."""
    now = datetime.now(UTC)
    repository = found(tmp_path / "network", contact_point("rs.ncp"), contact_point("at.ncp"), at=now)
    world = World(tmp_path, repository, SetClock(now))
    world.enrol(signing_key(SIG), sealing_key(ENC))
    return world


@pytest.fixture
def network(now_world: World) -> Path:
    """Its folder; the keys of the revocation role are in it."""
    return now_world.folder / "network"


def test_a_key_is_revoked_in_one_step(run: Run, network: Path) -> None:
    status, answer = run("network", "revoke", network, SIG, "--reason", "laptop stolen", "--yes")

    assert (status, answer["version"]) == (0, 3)
    (revoked, silent) = words(answer)
    assert revoked.startswith(f"{SIG}: REVOKED from ")
    assert revoked.endswith("accepted or sealed any more; reason: laptop stolen")
    assert silent == "rs.ncp: is left without a signing key: it can send nothing until it publishes another"
    assert read_repository(network).signing_keys[SIG].revoked_at is not None
    assert read_repository(network).encryption_keys[ENC].revoked_at is None


def test_a_contact_point_stands_for_all_its_keys(run: Run, network: Path) -> None:
    run("network", "revoke", network, SIG, "--reason", "laptop stolen", "--yes")

    status, answer = run("network", "revoke", network, "rs.ncp", "--reason", "the disk too", "--yes")
    again = run("network", "revoke", network, "rs.ncp", "--reason", "once more", "--yes")

    assert status == 0
    assert next(line for line in words(answer) if "REVOKED" in line).startswith(ENC)
    assert (again[0], again[1]["error"]["code"]) == (3, "E_KEY_ID")


def test_a_wrong_kid_is_refused_with_the_near_ones_named(run: Run, network: Path) -> None:
    status, answer = run("network", "revoke", network, "rs.ncp#sig-2026b", "--reason", "stolen", "--yes")

    assert (status, answer["error"]["code"]) == (2, "E_KEY_ID")
    assert f"did you mean {SIG} or" in answer["error"]["message"]
    assert read_repository(network).version == 2


def test_nothing_is_revoked_without_an_answer(
    run: Run, network: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, answer = run("network", "revoke", network, SIG, "--reason", "stolen")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    refused = main_status(["network", "revoke", str(network), SIG, "--reason", "call 0664 123 4567 89"])

    assert (status, answer["error"]["code"]) == (2, "E_USAGE")
    assert refused == 3
    said = capsys.readouterr().err
    assert f"{SIG}\n    REVOKED from" in said
    assert "looks like a telephone number" in said
    assert read_repository(network).version == 2


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_reason_is_one_to_two_hundred_characters(run: Run, network: Path, reason: str) -> None:
    status, answer = run("network", "revoke", network, SIG, "--reason", reason, "--yes")

    assert (status, answer["error"]["code"]) == (2, "E_REASON")


@pytest.mark.parametrize(("who", "stopped"), [("RS", "rs"), ("rs.ncp", "rs.ncp")])
def test_a_member_is_suspended_in_one_step(run: Run, network: Path, who: str, stopped: str) -> None:
    status, answer = run("network", "suspend", network, who, "--reason", "office raided", "--yes")

    assert (status, answer["suspended"]) == (0, {"rs.ncp": "office raided"})
    assert words(answer)[0].startswith(f"{stopped}: SUSPENDED from ")
    assert words(answer)[1] == "rs.ncp: is neither sent to nor listened to from now on"
    again = run("network", "suspend", network, who, "--reason", "office raided", "--yes")
    unknown = run("network", "suspend", network, "rs.npc", "--reason", "office raided", "--yes")
    assert (again[0], again[1]["error"]["code"]) == (3, "E_MEMBER")
    assert (unknown[0], "did you mean rs.ncp" in unknown[1]["error"]["message"]) == (2, True)


def test_a_revocation_is_signed_where_its_holder_is_and_published_elsewhere(
    run: Run, network: Path, tmp_path: Path
) -> None:
    home = tmp_path / "rita"
    home.mkdir()
    shutil.copytree(network / "mirror", home / "mirror")
    key = shutil.move(network / "keys/revocations-1.pem", home / "my.key")
    (network / "keys/revocations-2.pem").unlink()
    order = ("--reason", "stolen", "--yes", "--out", home / "stop.json")

    here = run("network", "revoke", network, SIG, "--reason", "stolen", "--yes")
    status, signed = run("network", "revoke", home / "mirror", SIG, "--key", key, *order)
    published = run("network", "publish", network, home / "stop.json")

    assert (here[0], here[1]["error"]["code"]) == (4, "E_CEREMONY_KEYS")
    assert (status, signed["complete"]) == (0, True)
    assert (published[0], published[1]["version"]) == (0, 3)
    assert run("network", "publish", network, home / "stop.json")[1]["error"]["code"] == "E_PUBLICATION"


def test_governance_alone_reinstates(run: Run, network: Path, tmp_path: Path) -> None:
    run("network", "suspend", network, "RS", "--reason", "office raided", "--yes")
    file, change = tmp_path / "network.toml", tmp_path / "back.json"
    file.write_text(NETWORK_FILE, "utf-8")
    order = ("--config", file, "--out", change)
    keys: list[Any] = []
    for number in (1, 2):
        keys += ["--key", network / f"keys/governance-{number}.pem"]

    wrong = run("network", "propose", network, *order, "--reinstate", "at")
    run("network", "propose", network, *order, "--reinstate", "rs.ncp")
    by_revokers = run(
        "network", "sign", change, "--key", network / "keys/revocations-1.pem", "--mirror", network, "--yes"
    )
    signed = run("network", "sign", change, *keys, "--mirror", network, "--yes")
    status, answer = run("network", "publish", network, change)

    assert (wrong[0], wrong[1]["error"]["code"]) == (2, "E_MEMBER")
    assert by_revokers[1]["error"]["code"] == "E_SIGNER"
    assert signed[1]["complete"] is True
    assert (status, answer["suspended"]) == (0, {})
    assert "rs.ncp: is sent to and listened to again" in words(answer)


def test_a_suspension_by_a_clock_that_is_behind_counts_all_the_same(network: Path, now_world: World) -> None:
    now = datetime.now(UTC)
    now_world.clock.moment = now
    now_world.revoke(suspend="rs")
    now_world.reinstate("rs")

    again = revoking.suspend(network, ["RS"], reason="raided again", at=now - timedelta(hours=3))

    assert again.review.after.suspended == {"rs.ncp": "raided again"}


def test_a_suspension_by_a_clock_that_is_ahead_is_taken_back_all_the_same(network: Path, now_world: World) -> None:
    file = network.parent / "network.toml"
    file.write_text(NETWORK_FILE, "utf-8")
    now_world.clock.moment = datetime.now(UTC) + timedelta(hours=3)
    now_world.revoke(suspend="rs")

    back = propose(network, file, Wishes(reinstate=["rs"]))

    assert compare(back, present_list(network, at=datetime.now(UTC)), at=datetime.now(UTC)).review.after.suspended == {}


NETWORK_FILE = """
network = "see"
countries = ["AT", "RS"]
[defaults]
sends = ["route_alert", "acknowledgement"]
receives = ["route_alert", "acknowledgement"]
statuses = ["actual", "exercise"]
[[contact_points]]
id = "rs.ncp"
name = "Desk rs.ncp"
national_desk = true
[[contact_points]]
id = "at.ncp"
name = "Desk at.ncp"
national_desk = true
"""
