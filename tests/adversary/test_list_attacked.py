"""The membership list under attack: by the mirror, by who holds the online keys, by a member, by fewer than govern."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stolen_online_keys import OnlineKeys, newest_of, publish_as
from trust_network import FOUNDED, contact_point, found, sealing_key, signing_key
from tuf.api.metadata import Metadata

from bridge.adapters.trust.governance.ceremony_keys import ONLINE, load_signers, make_keys
from bridge.adapters.trust.governance.changes import Holders, keys_change, root_change
from bridge.adapters.trust.governance.publication import read_publication
from bridge.adapters.trust.membership.documents import keys_document
from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.membership.roles import member_role
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.errors import BadInputError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from trust_network import World

    from bridge.adapters.trust.membership.verified_list import VerifiedList
    from bridge.core.directory import Directory

FAR_AHEAD = 999_999_998
RS, AT = "rs.ncp#sig-2026a", "at.ncp#sig-2026a"


def newcomer(world: World) -> TufTrustSource:
    """A node that has never seen a list; the pinned root is all that it has."""
    return TufTrustSource([FolderMirror(world.mirror)], world.folder / "newcomer", world.pinned_root(), now=world.clock)


async def keeps_its_list(world: World, because: str = "") -> Directory:
    """A node that had a list looks at the attacked mirror; fails unless it keeps what it had, and says why."""
    before = world.node().current()
    node = world.node()
    after = await node.refresh()
    assert node.failure is not None
    assert because in node.failure
    assert after == before
    return after


def learns_nothing(world: World, because: str = "no membership list") -> None:
    """A node without a list refuses to begin with what it is shown."""
    with pytest.raises(UnavailableError, match=because) as caught:
        newcomer(world).current()
    assert caught.value.code == "E_TRUST_LIST"


@pytest.fixture
def enrolled(world: World) -> World:
    """Both members have keys, and a node knows them."""
    world.enrol(signing_key(RS), sealing_key("rs.ncp#enc-2026a"), signing_key(AT))
    world.node().current()
    return world


async def test_a_mirror_made_with_other_keys_altogether(enrolled: World, tmp_path: Path) -> None:
    other = found(tmp_path / "other", contact_point("rs.ncp"), contact_point("at.ncp"))
    for file in list(other.mirror.rglob("*.json")):
        target = enrolled.mirror / file.relative_to(other.mirror)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    learns_nothing(enrolled, "sign")


async def test_an_older_list_shown_to_a_node_that_knows_better(enrolled: World) -> None:
    old = enrolled.keep_mirror("old")
    enrolled.revoke(RS)
    node = enrolled.node()
    assert node.current().signing_keys[RS].revoked_at is not None
    enrolled.put_mirror(old)
    await keeps_its_list(enrolled, "version")


async def test_a_freeze_is_an_alarm_by_age_and_in_the_end_no_list_at_all(enrolled: World) -> None:
    """The mirror shows the same list for ever. Its age is judged at every message (E_TRUST_STALE)."""
    node = enrolled.node()
    enrolled.clock.moment += timedelta(days=46)
    assert (await node.refresh()).expires < enrolled.clock()
    assert node.failure is not None
    assert "expired" in node.failure
    learns_nothing(enrolled, "expired")


@pytest.mark.parametrize("newer", ["snapshot", "targets", "member-rs"])
async def test_one_file_of_another_moment_among_the_newest(enrolled: World, newer: str) -> None:
    """Mix and match: each file is properly signed, they only never were the list together."""
    old = enrolled.keep_mirror("old")
    enrolled.revise(contact_point("rs.ncp", suspended="left the network"))
    enrolled.enrol(signing_key("rs.ncp#sig-2027a"))
    stale, newest = newest_of(old / "metadata", newer), newest_of(enrolled.metadata, newer)
    shutil.copy(stale, newest)
    await keeps_its_list(enrolled)
    learns_nothing(enrolled)


async def test_a_timestamp_of_the_future_that_would_never_grow_old(enrolled: World) -> None:
    enrolled.repository.confirm(at=FOUNDED + timedelta(days=400))
    await keeps_its_list(enrolled, "45 days ahead")


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json"])
async def test_data_without_end_in_the_place_of_a_file(enrolled: World, name: str) -> None:
    with (enrolled.metadata / name).open("wb") as file:
        file.truncate(10**10)
    learns_nothing(enrolled)
    if name == "timestamp.json":  # the others are not read again by who has verified them
        await keeps_its_list(enrolled)


async def test_a_root_without_end_is_as_good_as_none(enrolled: World) -> None:
    with (enrolled.metadata / "2.root.json").open("wb") as file:
        file.truncate(10**10)
    assert newcomer(enrolled).current() == enrolled.node().current()


async def test_a_root_that_one_governor_signed_twice(enrolled: World) -> None:
    root = Metadata.from_file(str(enrolled.metadata / "1.root.json"))
    root.signed.version = 2
    root.signatures.clear()
    (signer,) = load_signers(enrolled.repository.keys.glob("governance-1.pem"))
    once = root.sign(signer)
    document = json.loads(root.to_bytes())
    document["signatures"] = [once.to_dict(), once.to_dict()]
    (enrolled.metadata / "2.root.json").write_text(json.dumps(document))
    await keeps_its_list(enrolled)


async def test_a_root_that_another_founds_for_itself(enrolled: World, tmp_path: Path) -> None:
    other = found(tmp_path / "other", contact_point("rs.ncp"))
    shutil.copy(other.first_root, enrolled.metadata / "2.root.json")
    await keeps_its_list(enrolled)


async def test_the_online_keys_alone_admit_nobody(enrolled: World) -> None:
    document = Metadata.from_file(str(newest_of(enrolled.metadata, "targets")))
    document.signed.version += 1
    document.signatures.clear()
    for role in ("snapshot", "timestamp"):
        for signer in load_signers(enrolled.repository.keys.glob(f"{role}-*.pem")):
            document.sign(signer, append=True)
    OnlineKeys(enrolled).put("targets", document.signed.version, document.to_bytes())
    await keeps_its_list(enrolled, "signed by 0/2")
    learns_nothing(enrolled, "signed by 0/2")


async def test_the_online_keys_alone_take_no_revocation_back(enrolled: World) -> None:
    enrolled.revoke(RS)
    enrolled.node().current()
    OnlineKeys(enrolled).replace_snapshot(lambda meta: meta.pop("revocations.json"))
    await keeps_its_list(enrolled, "revocations.json")
    learns_nothing(enrolled, "revocations")


async def test_the_online_keys_put_revocations_of_before_in_their_place(enrolled: World) -> None:
    before = (enrolled.metadata / "1.revocations.json").read_bytes()
    enrolled.revoke(RS)
    enrolled.node().current()
    OnlineKeys(enrolled).put("revocations", 1, before)
    await keeps_its_list(enrolled, "revocations")


async def test_the_online_keys_cannot_run_ahead_of_every_version_to_come(enrolled: World) -> None:
    """Fast forward: a version so high that no later list could be newer. New online keys begin to count anew."""
    honest = enrolled.keep_mirror("honest")
    OnlineKeys(enrolled).replace_snapshot(lambda _: None, version=FAR_AHEAD)
    node = enrolled.node()
    assert (await node.refresh()).version == FAR_AHEAD
    enrolled.put_mirror(honest)
    assert (await node.refresh()).version == FAR_AHEAD

    # when governance gives the secretariat other keys
    for stolen in (path for role in ONLINE for path in enrolled.repository.keys.glob(f"{role}-*.pem")):
        stolen.unlink()
    made = make_keys(enrolled.repository.keys, dict.fromkeys(ONLINE, 1))
    online = {role: signer.public_key for role, (signer,) in made.items()}
    version = enrolled.repository.change(
        lambda found: root_change(found, governance=_governors(found), online=online, at=enrolled.clock()),
        at=enrolled.clock(),
    )

    # then the list goes on where it was, for who runs and for who starts; what was signed before is not taken again
    assert (await node.refresh()).version == enrolled.node().current().version == version
    assert node.failure is None
    enrolled.put_mirror(honest)
    shutil.rmtree(enrolled.folder / "cache" / "current" / "metadata")
    assert (await node.refresh()).version == version
    assert node.failure is not None


async def test_the_keys_of_one_member_under_the_name_of_another(enrolled: World) -> None:
    """A swapped role: what Austria signed for itself is served as what Serbia signed. No list, and nobody's loss."""
    austrias = newest_of(enrolled.metadata, "member-at").read_bytes()
    OnlineKeys(enrolled).put("member-rs", 2, austrias)
    await keeps_its_list(enrolled, "member-rs was signed by 0/1 keys")
    learns_nothing(enrolled)


async def test_the_online_keys_take_no_members_keys_away(enrolled: World) -> None:
    """Metadata that its member never signed."""
    metadata = Metadata.from_file(str(newest_of(enrolled.metadata, "member-rs")))
    metadata.signed.version += 1
    metadata.signatures.clear()
    OnlineKeys(enrolled).put("member-rs", metadata.signed.version, metadata.to_bytes())
    assert set((await keeps_its_list(enrolled, "member-rs was signed by 0/1 keys")).signing_keys) == {RS, AT}
    learns_nothing(enrolled)


async def test_a_members_metadata_under_another_version_than_its_own(enrolled: World) -> None:
    OnlineKeys(enrolled).put("member-rs", 2, newest_of(enrolled.metadata, "member-rs").read_bytes())
    await keeps_its_list(enrolled, "Expected member-rs v2, got v1")
    learns_nothing(enrolled)


async def test_a_member_that_signs_keys_for_another(enrolled: World) -> None:
    """Its own role, its own key, and a document about somebody else's contact point."""
    publish_as(enrolled, "at", "keys/at.json", {"v": 2, "member": "rs", "contact_points": {}})
    assert set((await enrolled.node().refresh()).signing_keys) == {RS}


async def test_a_member_that_names_a_contact_point_of_another_in_its_own_document(enrolled: World) -> None:
    present = enrolled.repository.verified(at=enrolled.clock())
    stolen = present.keys["rs"].model_dump(mode="json")["contact_points"]
    publish_as(enrolled, "at", "keys/at.json", {"v": 2, "member": "at", "contact_points": stolen})
    directory = await enrolled.node().refresh()
    assert set(directory.signing_keys) == {RS}
    assert "at" in directory.unread


async def test_a_member_whose_role_speaks_of_files_that_are_governances(enrolled: World) -> None:
    """A delegated role is asked for its one file and for nothing else."""
    document = {"v": 2, "member": "at", "contact_points": {}}
    publish_as(enrolled, "at", "contact-points/at.ncp.json", document)
    node = enrolled.node()
    directory = await node.refresh()
    assert directory.contact_points["at.ncp"].name == "Desk at.ncp"


async def test_a_member_that_publishes_more_keys_than_anybody_can_have(enrolled: World) -> None:
    keys = [signing_key(f"at.ncp#sig-{number}") for number in range(40)]
    contact_points = {"at.ncp": [_as_document(key) for key in keys]}
    publish_as(enrolled, "at", "keys/at.json", {"v": 2, "member": "at", "contact_points": contact_points})
    directory = await enrolled.node().refresh()
    assert set(directory.signing_keys) == {RS}
    assert "at" in directory.unread


async def test_a_revoked_key_that_its_owner_lists_again_as_if_nothing_had_happened(enrolled: World) -> None:
    enrolled.revoke(RS)
    signer = enrolled.member_key("rs")
    present = enrolled.repository.verified(at=enrolled.clock())
    change = keys_change(present, keys_document("rs", [signing_key(RS)]), at=enrolled.clock())
    enrolled.repository.publish(
        change.signed_by([signer], {member_role("rs"): [signer.public_key.keyid]}), at=enrolled.clock()
    )
    assert (await enrolled.node().refresh()).signing_keys[RS].revoked_at is not None


@pytest.mark.parametrize("part", ["metadata", "documents"])
def test_a_publication_changed_on_its_way_to_who_publishes_it(enrolled: World, part: str) -> None:
    present = enrolled.repository.verified(at=enrolled.clock())
    signer = enrolled.member_key("rs")
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=enrolled.clock())
    file = json.loads(change.signed_by([signer], {member_role("rs"): [signer.public_key.keyid]}).to_bytes())
    ((name, text),) = file[part].items()
    old, new = ('"version": 2', '"version":  2') if part == "metadata" else ("sig-2027a", "sig-2027b")
    assert old in text or part == "metadata"
    file[part][name] = text.replace(old, new) if old in text else text.replace("2028", "2029")
    with pytest.raises((RefusedError, BadInputError)) as caught:
        enrolled.repository.publish(read_publication(json.dumps(file).encode()), at=enrolled.clock())
    assert caught.value.code in {"E_THRESHOLD", "E_NETWORK_INVALID"}
    assert "rs.ncp#sig-2027a" not in enrolled.node().current().signing_keys


def test_a_publication_of_another_network(enrolled: World, tmp_path: Path) -> None:
    present = enrolled.repository.verified(at=enrolled.clock())
    other = found(tmp_path / "other", contact_point("rs.ncp"), network="other")
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=enrolled.clock())
    with pytest.raises(RefusedError, match="this network is other"):
        other.publish(change, at=enrolled.clock())


def _governors(found: VerifiedList) -> Holders:
    role = found.root.roles["root"]
    return Holders([found.root.keys[keyid] for keyid in role.keyids], role.threshold)


def _as_document(key: object) -> object:
    return keys_document("at", [key]).model_dump(mode="json")["contact_points"]["at.ncp"][0]  # type: ignore[list-item]
