"""What a member could have read: from the ledger, with the keys that it was sealed to, in the list or not any more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bridge_node import Node
from bridge_world import directory
from test_submit_and_answer import carry, submit

from bridge.app.expose_member import expose_member
from bridge.core.errors import BadInputError
from bridge.ports.broker import PublishOutcome

DAY = 86400.0


async def test_what_was_sent_is_named_with_the_keys_that_opened_it(node: Node) -> None:
    own = await submit(node)
    waiting = await expose_member(node.store, directory(), "AT", limit=10)
    await carry(node, "at.ncp")

    found = await expose_member(node.store, directory(), "at", limit=10)

    assert (waiting.readable, found.readable) == (0, 2)
    assert [(one.id, one.recipient) for one in found.exposed.sent] == [(own, "at.border-police"), (own, "at.ncp")]
    assert [[kid.partition("#")[0] for kid in kids] for kids in found.sealed_to] == [["at.border-police"], ["at.ncp"]]
    assert found.contact_points[:2] == ["at.border-police", "at.ncp"]
    assert "inbox.at.ncp.urgent" in found.queues_seen
    assert found.span is not None


async def test_a_member_that_left_the_list_is_still_reported(node: Node) -> None:
    await submit(node)
    await carry(node, "at.ncp")
    present = directory()
    staying = {id_: point for id_, point in present.contact_points.items() if point.prefix != "at"}
    left = replace(present, contact_points=staying)

    found = await expose_member(node.store, left, "at", limit=1)

    assert (list(found.contact_points), found.readable, len(found.exposed.sent)) == ([], 2, 1)


async def test_what_expired_after_a_publish_without_an_outcome_is_named_apart(node: Node) -> None:
    # given a message that a broker may have taken, and another that it refused
    for outcome in (PublishOutcome.UNKNOWN, PublishOutcome.REFUSED):
        await submit(node)
        node.publisher.outcomes["rs.at.urgent.route_alert"] = outcome
        await node.relay().relay_once()
        node.clock.advance(10 * DAY)  # they expire
        await node.relay().relay_once()

    found = await expose_member(node.store, directory(), "at", limit=10)

    assert (found.readable, found.uncertain) == (0, 2)  # two contact points
    assert sorted({(one.state, one.code) for one in found.exposed.sent}) == [
        ("expired", "E_EXPIRED"),
        ("expired", "E_PUBLISH_UNKNOWN"),
    ]


async def test_a_misspelt_member_does_not_look_like_one_that_read_nothing(node: Node) -> None:
    with pytest.raises(BadInputError, match="of which nothing is known here") as caught:
        await expose_member(node.store, directory(), "zz", limit=1)
    assert caught.value.code == "E_MEMBER"
