"""A network whose secretariat or governance was silent for too long comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trust_network import FOUNDED, World, contact_point, signing_key

from bridge.adapters.trust.governance.changes import Holders, root_change
from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import RefusedError


async def test_a_list_that_expired_is_confirmed_anew(world: World) -> None:
    node = world.node()
    node.current()
    world.clock.moment += timedelta(days=60)
    with pytest.raises(RefusedError, match="expired"):
        world.repository.state(at=world.clock())

    world.confirm()

    assert (await node.refresh()).signed_at == world.clock()
    assert node.failure is None


def test_a_change_is_published_on_a_list_that_expired(world: World) -> None:
    world.clock.moment += timedelta(days=60)

    assert world.enrol(signing_key("rs.ncp#sig-2027a", use_until=world.clock() + timedelta(days=1))) == 2

    assert world.repository.state(at=world.clock()).directory.signed_at == world.clock()


def test_confirming_renews_the_snapshot_before_it_expires(world: World) -> None:
    world.clock.moment += timedelta(days=1060)

    world.confirm()

    state = world.repository.state(at=world.clock())
    assert state.directory.version == 2
    assert {role.role: role.expires - world.clock() for role in state.roles}["snapshot"] > timedelta(days=1000)


def test_governance_that_met_too_late_signs_a_new_root_and_list(world: World) -> None:
    world.clock.moment += timedelta(days=1200)
    with pytest.raises(RefusedError, match="no node would accept this"):
        world.confirm()

    def new_root(present: VerifiedList) -> Publication:
        root = present.root
        governance = Holders([root.keys[keyid] for keyid in root.roles["root"].keyids], 2)
        online = {role: root.keys[root.roles[role].keyids[0]] for role in ("snapshot", "timestamp")}
        change = root_change(present, governance=governance, online=online, at=world.clock())
        return change.joined_with(world.revision(present, contact_point("rs.ncp")))

    world.repository.change(new_root, at=world.clock())

    state = world.repository.state(at=world.clock())
    assert state.directory.signed_at == world.clock()
    assert {role.role: role.version for role in state.roles}["root"] == 2
    assert world.node().current().version == 2
    assert world.clock() > FOUNDED
