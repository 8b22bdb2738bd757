"""A network that is founded and governed by people on machines of their own, with files between them."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ceremony_people import Secretariat, words
from trust_network import Run

from bridge.adapters.trust.governance.reading import read_repository
from bridge.cli.main import main_status
from bridge.founding import ceremony
from bridge.founding.holders import open_keys
from bridge.founding.network import write_publication
from bridge.founding.proposing import Wishes, propose


@pytest.fixture
def secretariat(run: Run, tmp_path: Path) -> Secretariat:
    """Nothing is there yet."""
    return Secretariat(tmp_path, run)


@pytest.fixture(scope="module")
def founded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded network of five people, to be copied."""
    folder = tmp_path_factory.mktemp("five")

    def quietly(*arguments: object) -> tuple[int, dict[str, object]]:
        version = {"version": 0} if arguments[1] == "init" else {}
        return main_status([str(argument) for argument in arguments]), version

    Secretariat(folder, quietly).founds()
    return folder


@pytest.fixture
def governed(run: Run, founded_once: Path, tmp_path: Path) -> Secretariat:
    """The network of five people, version 1."""
    shutil.copytree(founded_once, tmp_path / "five")
    return Secretariat(tmp_path / "five", run)


def test_five_people_found_a_network_without_a_key_leaving_its_machine(secretariat: Secretariat) -> None:
    secretariat.founds()

    status, shown = secretariat.run("network", "verify", secretariat.network)
    roles = {role["role"]: role for role in shown["roles"]}
    assert (status, shown["version"], shown["contact_points"]) == (0, 1, ["at.ncp", "rs.ncp"])
    assert (roles["root"]["threshold"], roles["root"]["holders"]) == (3, ["Alice", "Bob", "Carol", "Dan", "Eve"])
    assert roles["revocations"]["holders"] == ["Rita"]
    assert shown["warnings"] == []
    keys = sorted(path.name for path in (secretariat.network / "keys").glob("*.pem"))
    assert keys == ["authority-1.pem", "snapshot-1.pem", "timestamp-1.pem"]
    private = list(secretariat.folder.rglob("my.key"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_what_founds_a_network_is_shown_in_words(secretariat: Secretariat) -> None:
    secretariat.has_keys_of("alice", "bob", "rita")
    secretariat.writes(["alice", "bob"], threshold=2)

    _, answer = secretariat.run("network", "init", secretariat.network, "--config", secretariat.file)

    assert answer["countries"] == ["AT", "RS"]
    assert "see: is FOUNDED" in words(answer)
    assert "at.ncp, rs.ncp: is ADMITTED" in words(answer)
    assert "governance: 2 of 2 must sign" in words(answer)
    assert any(line.startswith("governance: signed by Alice from now on (key ") for line in words(answer))
    assert {one["role"]: one["missing"] for one in answer["signatures"]} == {"root": 2, "targets": 2, "revocations": 1}


def test_two_of_five_found_nothing(secretariat: Secretariat) -> None:
    secretariat.has_keys_of("alice", "bob", "carol", "dan", "eve", "rita")
    secretariat.writes()
    secretariat.run("network", "init", secretariat.network, "--config", secretariat.file)
    copies = secretariat.signed_by(secretariat.network / "founding.json", "alice", "bob", "rita")

    status, answer = secretariat.publish(copies)

    assert (status, answer["error"]["code"]) == (3, "E_THRESHOLD")
    assert "2 of 3 signatures; not signed by Carol; Dan; Eve" in answer["error"]["message"]
    assert not (secretariat.network / "mirror").exists()


def test_three_of_five_change_what_a_contact_point_may_do(governed: Secretariat) -> None:
    governed.writes(languages='["de"]', sends='["acknowledgement"]', suspended='"office closed"')
    change = governed.proposes()
    copies = governed.signed_by(change, "dan", "bob", "eve")

    status, answer = governed.publish(copies)

    assert (status, answer["version"]) == (0, 2)
    lines = words(answer)
    assert "at.ncp: languages: none -> de" in lines
    assert any(line.startswith("at.ncp: may send: NO longer alert_cancel, alert_update") for line in lines)
    assert "at.ncp: suspended by governance: none -> office closed" in lines
    assert read_repository(governed.network).contact_points["at.ncp"].languages == ("de",)


def test_two_of_five_change_nothing(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    copies = governed.signed_by(governed.proposes(), "dan", "bob")

    status, answer = governed.publish(copies)

    assert (status, answer["error"]["code"]) == (3, "E_THRESHOLD")
    assert read_repository(governed.network).version == 1


def test_one_copy_that_goes_round_gathers_the_signatures_too(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    change = governed.proposes()
    for person in ("alice", "bob", "carol"):
        change = governed.hands_to(person, change)
        status, answer = governed.sign(person, change)
        assert (status, answer["signed_by"], answer["complete"]) == (0, person.capitalize(), person == "carol")

    _, explained = governed.run("network", "explain", change, "--mirror", governed.network)

    assert explained["complete"] is True
    assert explained["signatures"][0]["signed"] == ["Alice", "Bob", "Carol"]
    assert governed.publish([change])[0] == 0


def test_who_signs_nothing_here_and_who_signs_twice_are_told_so(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    change = governed.proposes()
    (signed,) = governed.signed_by(change, "alice")

    stranger = governed.sign("rita", governed.hands_to("rita", change))
    twice = governed.sign("alice", signed)

    assert (stranger[0], stranger[1]["error"]["code"]) == (3, "E_SIGNER")
    assert "this is signed by Alice; Bob; Carol; Dan; Eve" in stranger[1]["error"]["message"]
    assert "Alice has signed this already" in twice[1]["error"]["message"]


def test_nothing_is_signed_without_an_answer(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    copy = governed.hands_to("alice", governed.proposes())
    before = copy.read_bytes()
    alice = governed.folder / "alice"

    answer = governed.run("network", "sign", copy, "--key", alice / "my.key", "--mirror", alice / "mirror")
    lost = governed.run("network", "sign", copy, "--key", alice / "my.key", "--yes")

    assert (answer[0], answer[1]["error"]["code"]) == (2, "E_USAGE")
    assert "expected a copy of the network's mirror" in lost[1]["error"]["message"]
    assert copy.read_bytes() == before


@pytest.mark.parametrize("swapped", ["document", "byte"])
def test_what_was_changed_on_its_way_is_neither_signed_nor_published(governed: Secretariat, swapped: str) -> None:
    governed.writes(languages='["de"]')
    change = governed.proposes()
    copies = governed.signed_by(change, "alice", "bob")
    travelling = json.loads(change.read_text())
    if swapped == "document":
        mine = travelling["documents"]["contact-points/at.ncp.json"].replace('"live"', '"test"')
        travelling["documents"]["contact-points/at.ncp.json"] = mine
    else:
        travelling["metadata"]["targets"] = travelling["metadata"]["targets"].replace("true", "false")
    change.write_text(json.dumps(travelling))

    status, answer = governed.sign("carol", governed.hands_to("carol", change))
    published = governed.publish([*copies, change])

    assert (status, answer["error"]["code"]) == (3, "E_PUBLICATION")
    assert (published[0], published[1]["error"]["code"]) == (3, "E_PUBLICATION")
    assert read_repository(governed.network).version == 1


def test_a_signature_that_does_not_hold_counts_for_nobody_and_hides_nobodys(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    change = governed.proposes()
    copies = governed.signed_by(change, "alice", "bob", "carol")
    spoilt = json.loads(copies[0].read_text())
    targets = json.loads(spoilt["metadata"]["targets"])
    targets["signatures"] = [
        {**one, "sig": one["sig"][::-1]}
        for one in json.loads(json.loads(copies[2].read_text())["metadata"]["targets"])["signatures"]
    ]
    spoilt["metadata"]["targets"] = json.dumps(targets)
    first = copies[0].with_name("spoilt.json")
    first.write_text(json.dumps(spoilt))

    _, explained = governed.run("network", "explain", first, "--mirror", governed.network)

    assert explained["signatures"][0]["signed"] == []
    assert governed.publish([first, *copies])[0] == 0


def test_of_two_changes_from_one_list_the_second_is_stale(governed: Secretariat) -> None:
    governed.writes(languages='["de"]')
    first = governed.signed_by(governed.proposes("first.json"), "alice", "bob", "carol")
    governed.writes(languages='["hr"]')
    second = governed.signed_by(governed.proposes("second.json"), "alice", "bob", "carol")
    assert governed.publish(first)[0] == 0

    status, answer = governed.publish(second)
    mixed = governed.run("network", "explain", *first, *second, "--mirror", governed.folder / "alice/mirror")

    assert (status, answer["error"]["code"]) == (3, "E_PUBLICATION")
    assert "made from another list" in answer["error"]["message"]
    assert "sign copies of one file" in mixed[1]["error"]["message"]


def test_a_lost_governance_key_is_replaced_by_the_others(governed: Secretariat) -> None:
    governed.has_keys_of("frank")
    governed.writes(["alice", "bob", "carol", "dan", "frank"])
    change = governed.proposes()
    copies = governed.signed_by(change, "alice", "bob", "carol")

    status, answer = governed.publish(copies)

    assert (status, answer["version"]) == (0, 2)
    lines = words(answer)
    assert any(line.startswith("governance: signed by Frank from now on") for line in lines)
    assert any(line.startswith("governance: signed NO longer by Eve") for line in lines)
    governed.writes(["alice", "bob", "carol", "dan", "frank"], languages='["de"]')
    change = governed.proposes()
    assert governed.sign("eve", governed.hands_to("eve", change))[1]["error"]["code"] == "E_SIGNER"
    assert governed.publish(governed.signed_by(change, "dan", "frank", "bob"))[0] == 0


def test_new_governance_comes_in_with_the_signatures_of_the_old_only(governed: Secretariat) -> None:
    others = ["frank", "grace", "heidi"]
    governed.has_keys_of(*others)
    governed.writes(others)
    change = governed.proposes()

    status, answer = governed.publish(governed.signed_by(change, *others))

    assert (status, answer["error"]["code"]) == (3, "E_THRESHOLD")
    assert "root: 0 of 3 signatures" in answer["error"]["message"]
    assert governed.publish(governed.signed_by(change, *others, "alice", "bob", "eve"))[0] == 0


def test_the_secretariat_gets_new_online_keys(governed: Secretariat) -> None:
    change = governed.proposes("change.json", "--online")

    _, answer = governed.publish(governed.signed_by(change, "alice", "bob", "carol"))
    for path in (governed.network / "keys").glob("*-1.pem"):
        path.unlink()

    assert any(line.startswith("the secretariat's timestamp: signed by") for line in words(answer))
    assert governed.run("network", "confirm", governed.network)[0] == 0


def test_governance_that_met_too_late_signs_everything_anew(governed: Secretariat) -> None:
    late = datetime.now(UTC) + timedelta(days=1200)
    change = governed.folder / "late.json"
    write_publication(change, propose(governed.network, governed.file, Wishes(), at=late))
    travelling = ceremony.receive([change], governed.network, at=late)
    paths = [governed.folder / person / "my.key" for person in ("alice", "bob", "carol")]
    signed = ceremony.sign(travelling, open_keys(paths, lambda _: b""), at=late)

    state = ceremony.publish(governed.network, signed.publication, at=late)

    assert {role.role: role.version for role in state.roles}["root"] == 2
    assert all(role.expires > late for role in state.roles)


def test_where_nothing_would_change_there_is_nothing_to_sign(governed: Secretariat) -> None:
    out = governed.file.with_name("nothing.json")

    status, answer = governed.run("network", "propose", governed.network, "--config", governed.file, "--out", out)

    assert (status, answer["error"]["code"]) == (3, "E_UNCHANGED")
    assert not out.exists()


def test_a_member_is_removed_though_the_file_still_names_it(governed: Secretariat) -> None:
    change = governed.proposes("change.json", "--remove", "AT")

    _, answer = governed.publish(governed.signed_by(change, "alice", "bob", "carol"))

    assert "AT: NO country of the network any more" in words(answer)
    assert any(line.startswith("at.ncp: is REMOVED") for line in words(answer))
    assert set(read_repository(governed.network).contact_points) == {"rs.ncp"}
    unknown = governed.run(
        "network", "propose", governed.network, "--config", governed.file, "--out", change, "--remove", "FR"
    )
    assert (unknown[0], unknown[1]["error"]["code"]) == (2, "E_MEMBER")


def test_a_member_is_admitted_with_its_request(governed: Secretariat) -> None:
    request = governed.folder / "rs.request"
    points = ("--country", "RS", "--contact-point", "rs.ncp=Serbia")
    mirror = governed.network / "mirror"
    status, enrolled = governed.run(
        "node", "enroll", governed.folder / "rs", *points, "--mirror", mirror, "--out", request
    )
    assert status == 0, enrolled
    change = governed.proposes("change.json", "--admit", request)

    status, answer = governed.publish(governed.signed_by(change, "alice", "bob", "carol"))

    assert (status, answer["version"]) == (0, 2)
    assert any(line.startswith("keys of rs: signed by key ") for line in words(answer))
    year = datetime.now(UTC).year
    assert f"rs.ncp#enc-{year}a, rs.ncp#sig-{year}a: is a new key" in words(answer)
    assert set(read_repository(governed.network).signing_keys) == {f"rs.ncp#sig-{year}a"}


def test_another_networks_change_is_refused(governed: Secretariat, secretariat: Secretariat) -> None:
    secretariat.founds()
    secretariat.writes(languages='["de"]')
    foreign = secretariat.proposes()

    status, answer = governed.publish(secretariat.signed_by(foreign, "alice", "bob", "carol"))

    assert (status, answer["error"]["code"]) == (3, "E_PUBLICATION")  # of the same name, with other keys
    text = foreign.read_text().replace('"network":"see"', '"network":"sea"', 1)
    foreign.write_text(text)
    assert governed.publish([foreign])[1]["error"]["code"] == "E_PUBLICATION"


def test_a_holders_key_in_the_network_file_is_read_strictly(governed: Secretariat) -> None:
    shutil.copy(governed.file.with_name("alice.pub"), governed.file.with_name("bob.pub"))
    out = governed.file.with_name("change.json")

    twice = governed.run("network", "propose", governed.network, "--config", governed.file, "--out", out)
    governed.file.with_name("bob.pub").write_text("{}")
    none = governed.run("network", "propose", governed.network, "--config", governed.file, "--out", out)

    assert (twice[0], twice[1]["error"]["code"]) == (2, "E_HOLDER_KEY")
    assert "found the name Alice twice" in twice[1]["error"]["message"]
    assert (none[0], none[1]["error"]["code"]) == (2, "E_HOLDER_KEY")
