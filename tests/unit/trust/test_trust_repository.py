"""The network where it is signed: what is put in comes out, and only what verifies is built on."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from trust_network import FOUNDED, SetClock, World, contact_point, edit_json, found, sealing_key, signing_key

from bridge.adapters.trust.governance.reading import last_valid_moment, read_repository
from bridge.core.directory import LIST_LIFETIME, DutyOffice, Remit
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.wire.payload import CONTROL_KINDS

if TYPE_CHECKING:
    from pathlib import Path


def test_every_field_survives_the_round_trip(tmp_path: Path) -> None:
    keys = (
        sealing_key("rs.desk#enc-2026a", revoked_at=FOUNDED + timedelta(milliseconds=123)),
        sealing_key("rs.desk#enc-2026b"),
        signing_key("rs.desk#sig-2026a", revoked_at=FOUNDED),
    )
    full = contact_point(
        "rs.desk",
        name="Граничне полиције",
        mode="test",
        remit=Remit(
            national_desk=False,
            kinds=frozenset({"route_alert"}),
            exploitation=frozenset({"sexual", "servitude"}),
            children_only=True,
            crossings=frozenset({"Horgoš", "Röszke"}),
        ),
        sends=frozenset({"follow_up"}) | CONTROL_KINDS,
        receives=CONTROL_KINDS,
        statuses=frozenset({"test", "system"}),
        languages=("sr", "sr-Latn"),
        transfer_basis=MappingProxyType({"XK": "agreement", "AT": "council_of_europe"}),
        duty_office=DutyOffice(phone="+381 11 0000000", hours="day and night"),
        deputies=("xk.ncp",),
        suspended="under review",
    )
    nothing = contact_point("xk.ncp", remit=Remit(kinds=frozenset()), languages=(), sends=CONTROL_KINDS)
    organisation = contact_point("eu.secretariat", country=None)
    given = {point.id: point for point in (full, nothing, organisation)}

    world = World(tmp_path, found(tmp_path / "network", *given.values()), SetClock(FOUNDED))
    world.enrol(*keys)
    directory = read_repository(tmp_path / "network", at=FOUNDED)

    assert dict(directory.contact_points) == given
    assert directory.signing_keys == {keys[2].kid: keys[2]}
    assert directory.encryption_keys == {key.kid: key for key in keys[:2]}
    assert (directory.network, directory.signed_at, directory.expires) == ("see", FOUNDED, FOUNDED + LIST_LIFETIME)
    assert directory.countries == ("RS", "XK")


def test_every_contact_point_sends_and_receives_the_control_kinds(world: World) -> None:
    for point in read_repository(world.folder / "network", at=FOUNDED).contact_points.values():
        assert point.sends >= CONTROL_KINDS
        assert point.receives >= CONTROL_KINDS


def test_a_network_is_never_founded_over_another(world: World) -> None:
    keys = sorted((world.folder / "network" / "keys").glob("*.pem"))
    before = [path.read_bytes() for path in keys]

    with pytest.raises(RefusedError, match="already holds a network") as caught:
        found(world.folder / "network", contact_point("at.ncp"), network="new")

    assert caught.value.code == "E_NETWORK_EXISTS"
    assert [path.read_bytes() for path in keys] == before
    assert world.repository.state(at=FOUNDED).directory.network == "see"


def test_ceremony_keys_are_private_and_as_many_as_the_roles_have(world: World) -> None:
    folder = world.folder / "network" / "keys"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.glob("*.pem")) == [
        *(f"governance-{number}.pem" for number in (1, 2, 3)),
        *(f"revocations-{number}.pem" for number in (1, 2)),
        "snapshot-1.pem",
        "timestamp-1.pem",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.pem")} == {0o600}


def test_the_state_tells_how_each_role_is_signed(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))

    state = world.repository.state(at=FOUNDED)

    assert [(role.role, role.version, role.threshold, role.keys) for role in state.roles] == [
        ("root", 1, 2, 3),
        ("targets", 2, 2, 3),
        ("snapshot", 2, 1, 1),
        ("timestamp", 2, 1, 1),
        ("member-rs", 1, 1, 1),
        ("revocations", 1, 1, 2),
    ]
    assert state.countries == ("AT", "RS")
    assert state.roles[3].expires == FOUNDED + timedelta(days=45)


def test_one_signature_less_than_a_threshold_is_refused(world: World) -> None:
    edit_json(world.metadata / "1.root.json", lambda document: document.update(signatures=document["signatures"][:1]))

    with pytest.raises(RefusedError, match="1/2") as caught:
        world.repository.state(at=FOUNDED)
    assert caught.value.code == "E_NETWORK_INVALID"


@pytest.mark.parametrize(("days", "valid"), [(44, True), (46, False)])
def test_a_network_is_judged_as_of_the_given_moment(world: World, days: int, *, valid: bool) -> None:
    at = FOUNDED + timedelta(days=days)
    if valid:
        assert read_repository(world.folder / "network", at=at).version == 1
    else:
        with pytest.raises(RefusedError, match=r"timestamp\.json is expired"):
            read_repository(world.folder / "network", at=at)


def test_the_last_valid_moment_is_now_or_before_the_expiry(world: World) -> None:
    late = FOUNDED + timedelta(days=100)

    assert last_valid_moment(world.mirror, now=FOUNDED) == FOUNDED
    assert world.repository.state(at=last_valid_moment(world.mirror, now=late)).directory.version == 1


def test_a_folder_without_a_network_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="holds no network") as caught:
        read_repository(tmp_path)
    assert caught.value.code == "E_NETWORK_FOLDER"


def test_a_key_of_a_stranger_is_not_published(world: World) -> None:
    with pytest.raises(RefusedError, match="member-hr: nobody speaks for it"):
        world.enrol(signing_key("rs.ncp#sig-2026a"), signing_key("hr.ncp#sig-2026a"))
    assert world.repository.state(at=FOUNDED).directory.version == 1


def test_a_key_id_is_published_once(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))

    with pytest.raises(BadInputError, match="twice"):
        world.enrol(signing_key("rs.ncp#sig-2026a"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"point": b"\x04" + bytes(64)}, "point"),
        ({"verify_until": FOUNDED + timedelta(days=395)}, "31 days"),
        ({"alg": "RS256"}, "alg"),
    ],
)
def test_a_key_that_breaks_a_rule_is_not_enrolled(world: World, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        world.enrol(signing_key("rs.ncp#sig-2026a", **changes))

    assert caught.value.code == "E_TRUST_DOCUMENT"
    assert world.repository.state(at=FOUNDED).directory.version == 1


def test_a_suspension_by_governance_is_a_new_version(world: World) -> None:
    version = world.revise(contact_point("rs.ncp", suspended="left the network"))

    directory = read_repository(world.folder / "network", at=FOUNDED)
    assert (version, directory.version) == (2, 2)
    assert directory.contact_points["rs.ncp"].suspended == "left the network"


def test_on_a_network_that_does_not_verify_nothing_is_built(world: World) -> None:
    edit_json(world.metadata / "1.targets.json", lambda document: document["signed"].update(version=7))

    with pytest.raises(RefusedError):
        world.enrol(signing_key("rs.ncp#sig-2026a"))
    with pytest.raises(RefusedError):
        world.confirm()


def test_enrolments_at_the_same_time_lose_nothing(world: World) -> None:
    keys = [signing_key(f"{owner}#sig-2026{letter}") for owner in ("rs.ncp", "at.ncp") for letter in "abcd"]

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(world.enrol, keys))

    directory = read_repository(world.folder / "network", at=FOUNDED)
    assert sorted(versions) == list(range(2, 10))
    assert directory.version == 9
    assert set(directory.signing_keys) == {key.kid for key in keys}


def test_files_of_an_earlier_version_never_change(world: World) -> None:
    files = [path for path in world.mirror.rglob("*.json") if path.name != "timestamp.json"]
    before = {path: path.read_bytes() for path in files}

    world.enrol(signing_key("rs.ncp#sig-2026a"))

    assert {path: path.read_bytes() for path in files} == before
