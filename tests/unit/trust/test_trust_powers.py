"""What each role can do to the membership list, and what it cannot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trust_network import FOUNDED, World, contact_point, edit_json, sealing_key, signing_key

from bridge.adapters.trust.governance.ceremony_keys import load_signers
from bridge.adapters.trust.governance.changes import keys_change, revocation_change
from bridge.adapters.trust.governance.publication import Publication, read_publication
from bridge.adapters.trust.governance.reading import read_repository
from bridge.adapters.trust.membership.documents import keys_document
from bridge.adapters.trust.membership.roles import REVOCATIONS, member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import RefusedError


def published_by_rs(world: World, kid: str) -> Publication:
    """A member's publication of one key more, signed by it."""
    present = world.repository.verified(at=world.clock())
    signer = world.member_key("rs")
    change = keys_change(present, keys_document("rs", [signing_key(kid)]), at=world.clock())
    return change.signed_by([signer], {member_role("rs"): [signer.public_key.keyid]})


def test_a_member_publishes_its_keys_without_governance(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    for path in world.repository.keys.glob("governance-*.pem"):
        path.unlink()

    version = world.repository.publish(published_by_rs(world, "rs.ncp#sig-2027a"), at=world.clock())

    directory = world.node().current()
    assert (version, directory.version) == (3, 3)
    assert set(directory.signing_keys) == {"rs.ncp#sig-2027a"}


def test_a_publication_survives_its_file(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))

    read = read_publication(published_by_rs(world, "rs.ncp#sig-2027a").to_bytes())

    assert world.repository.publish(read, at=world.clock()) == 3


def test_a_member_signs_for_nobody_else(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"), signing_key("at.ncp#sig-2026a"))
    present = world.repository.verified(at=world.clock())
    thief = world.member_key("at")
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=world.clock())
    change.signed_by([thief], {member_role("rs"): [thief.public_key.keyid]})

    with pytest.raises(RefusedError, match="0 of 1 signatures") as caught:
        world.repository.publish(change, at=world.clock())
    assert caught.value.code == "E_THRESHOLD"


def test_the_same_publication_is_not_taken_twice(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    change = published_by_rs(world, "rs.ncp#sig-2027a")
    world.repository.publish(change, at=world.clock())

    with pytest.raises(RefusedError, match="found version 2, expected 3") as caught:
        world.repository.publish(change, at=world.clock())
    assert caught.value.code == "E_PUBLICATION"


def test_revoking_takes_one_signature_and_no_governance(world: World) -> None:
    key, seal = signing_key("rs.ncp#sig-2026a"), sealing_key("rs.ncp#enc-2026a")
    world.enrol(key, seal)
    for path in [*world.repository.keys.glob("governance-*.pem"), world.repository.keys / "revocations-1.pem"]:
        path.unlink()

    world.revoke(key.kid, seal.kid)

    directory = world.node().current()
    assert directory.signing_keys[key.kid].revoked_at == FOUNDED
    assert directory.encryption_keys[seal.kid].revoked_at == FOUNDED
    assert directory.seal_key("rs.ncp", FOUNDED) is None


def test_the_revocation_role_can_sign_nothing_else(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    present = world.repository.verified(at=world.clock())
    revokers = load_signers(world.repository.keys.glob("revocations-*.pem"))
    change = keys_change(present, keys_document("rs", [signing_key("rs.ncp#sig-2027a")]), at=world.clock())
    change.signed_by(revokers, {member_role("rs"): [signer.public_key.keyid for signer in revokers]})

    with pytest.raises(RefusedError, match="0 of 1 signatures"):
        world.repository.publish(change, at=world.clock())


async def test_what_was_revoked_stays_revoked(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.revoke("rs.ncp#sig-2026a")
    node = world.node()
    seen = node.current()

    def forgetting(present: VerifiedList) -> Publication:
        nothing = present.revocations.model_copy(update={"keys": ()})
        return revocation_change(present, nothing, at=world.clock())

    with pytest.raises(RefusedError, match="no longer says that"):
        world.repository.change(forgetting, at=world.clock())
    assert await node.refresh() is seen


async def test_a_stolen_revocation_key_brings_nobody_back(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.revoke(suspend="rs")
    node = world.node()
    seen = node.current()

    def forgetting(present: VerifiedList) -> Publication:
        nothing = present.revocations.model_copy(update={"suspensions": ()})
        return revocation_change(present, nothing, at=world.clock())

    with pytest.raises(RefusedError, match="no longer says that rs was suspended"):
        world.repository.change(forgetting, at=world.clock())
    assert await node.refresh() is seen
    assert await world.node().refresh() == seen  # after a restart too


@pytest.mark.parametrize("who", ["rs", "rs.ncp"])
def test_a_suspension_overnight_holds_until_governance_takes_it_back(world: World, who: str) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.revoke(suspend=who)

    assert world.node().current().contact_points["rs.ncp"].suspended == "stolen laptop"
    assert world.node().current().contact_points["at.ncp"].suspended is None

    world.clock.moment += timedelta(hours=1)
    world.reinstate(who)
    assert world.node().current().contact_points["rs.ncp"].suspended is None

    world.clock.moment += timedelta(hours=1)
    world.revoke(suspend=who)
    assert world.node().current().contact_points["rs.ncp"].suspended == "stolen laptop"


def test_a_member_whose_own_document_does_not_hold_takes_nothing_from_others(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"), signing_key("at.ncp#sig-2026a"))
    world.clock.moment += timedelta(days=700)
    world.enrol(signing_key("at.ncp#sig-2028a"))
    world.clock.moment += timedelta(days=31)  # rs published two years ago and never since
    world.confirm()

    directory = world.node().current()

    assert directory.unread == {"rs": "New member-rs is expired"}
    assert set(directory.signing_keys) == {"at.ncp#sig-2026a", "at.ncp#sig-2028a"}


def test_a_mirror_cannot_take_a_members_keys_away(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    seen = world.node().current()
    edit_json(next((world.mirror / "targets/keys").glob("*.rs.json")), lambda document: document.update(member="at"))
    world.clock.moment += timedelta(minutes=1)

    fresh = world.node()
    assert fresh.current() == seen  # from what was verified before
    (world.folder / "cache").rename(world.folder / "old-cache")
    with pytest.raises(Exception, match="no membership list"):
        world.node().current()


def test_a_removed_member_is_gone_with_its_keys(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"), signing_key("at.ncp#sig-2026a"))

    world.remove("rs")

    directory = world.node().current()
    assert set(directory.contact_points) == {"at.ncp"}
    assert set(directory.signing_keys) == {"at.ncp#sig-2026a"}
    with pytest.raises(RefusedError, match="nobody speaks for it"):
        world.repository.publish(published_by_rs(world, "rs.ncp#sig-2027a"), at=world.clock())
    assert REVOCATIONS in {role.role for role in world.repository.state(at=world.clock()).roles}


def test_a_removed_member_may_come_back_with_another_key(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.remove("rs")
    (world.folder / "member-rs.pem").unlink()

    world.revise(contact_point("rs.ncp"))
    world.enrol(signing_key("rs.ncp#sig-2027a"))

    assert set(read_repository(world.folder / "network", at=FOUNDED).signing_keys) == {"rs.ncp#sig-2027a"}
