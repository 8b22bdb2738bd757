"""A peer that knows a newer membership list makes us fetch it before anything is refused or accepted by the old one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import START, ListedTrust, Sent, StillClock, address, alert, directory, signer

from bridge.app.receiving.outcomes import Outcome
from bridge.app.sending.make_message import make_control
from bridge.core.directory import Directory

MESSAGE_VERSION = 7  # of the membership list that the messages name


def without_contact_point(member: str, *, version: int) -> Directory:
    whole = directory()
    points = {name: point for name, point in whole.contact_points.items() if name != member}
    return replace(whole, contact_points=MappingProxyType(points), version=version)


def with_revoked_key(member: str) -> Directory:
    whole = directory()
    keys = dict(whole.signing_keys)
    keys[f"{member}#sig-1"] = replace(keys[f"{member}#sig-1"], revoked_at=START)
    return replace(whole, signing_keys=MappingProxyType(keys))


def with_suspended(member: str, *, version: int) -> Directory:
    whole = directory()
    points = dict(whole.contact_points)
    points[member] = replace(points[member], suspended="left the network")
    return replace(whole, contact_points=MappingProxyType(points), version=version)


def receipt_with_status(message: Sent, status: str) -> Sent:
    made = message.made
    of = {"id": message.id, "payload_sha256": made.payload_sha256, "sealed_sha256": made.sealed_sha256}
    addressing = address("receipt", sender="at.ncp", to=["rs.ncp"], status=status)
    members = {"state": "delivered", "of": of}
    return Sent(make_control(addressing, control=members, directory=directory(), signer=signer("at.ncp")), addressing)


async def test_a_newer_list_is_fetched_before_authority_is_refused(node: Node, trust: ListedTrust) -> None:
    trust.directory, trust.newer = without_contact_point("at.border-police", version=6), directory()

    outcomes = await node.router("at").route([alert(to=["at.border-police"]).delivery()])

    assert outcomes == [Outcome.ACCEPTED]


async def test_what_the_old_list_would_accept_is_refused_by_the_newer_one_just_fetched(
    node: Node, trust: ListedTrust
) -> None:
    trust.directory, trust.newer = replace(directory(), version=6), with_revoked_key("rs.ncp")

    outcomes = await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    assert outcomes == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_KEY_REVOKED"]


async def test_one_message_with_a_higher_version_has_the_whole_batch_judged_again(
    node: Node, trust: ListedTrust
) -> None:
    old_key = alert(sender="hu.ncp")
    trust.directory = replace(directory(without=["rs.ncp"]), version=6)
    trust.newer = with_revoked_key("hu.ncp")

    outcomes = await node.receiver("at.ncp").receive([old_key.delivery(to="at.ncp"), alert().delivery(to="at.ncp")])

    assert outcomes == [Outcome.QUARANTINED, Outcome.ACCEPTED]


async def test_without_the_newer_list_authority_is_held_and_judged_once_it_is_there(
    node: Node, trust: ListedTrust, clock: StillClock
) -> None:
    trust.directory = with_suspended("rs.ncp", version=6)

    outcomes = await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])
    trust.directory = directory()
    clock.advance(61)
    await node.rechecker("at.ncp").recheck()

    assert outcomes == [Outcome.HELD]
    assert len(await node.inbox()) == 1


async def test_while_refreshing_is_throttled_authority_is_held_too(node: Node, trust: ListedTrust) -> None:
    trust.directory = with_suspended("rs.ncp", version=6)
    receiver = node.receiver("at.ncp")
    await receiver.receive([alert().delivery(to="at.ncp")])
    trust.newer = directory()

    outcomes = await receiver.receive([alert().delivery(to="at.ncp")])

    assert outcomes == [Outcome.HELD]
    assert trust.directory.version == MESSAGE_VERSION - 1


async def test_by_a_list_as_new_as_the_peers_authority_is_refused(node: Node, trust: ListedTrust) -> None:
    trust.directory = with_suspended("rs.ncp", version=MESSAGE_VERSION)

    outcomes = await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    assert outcomes == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_AUTHORISED"]


async def test_a_peer_that_claims_a_version_that_never_comes_is_held_no_longer_than_it_is_worth_delivering(
    node: Node, trust: ListedTrust, clock: StillClock
) -> None:
    trust.directory = with_suspended("rs.ncp", version=6)
    message = alert(expires=START + timedelta(hours=1))
    await node.receiver("at.ncp").receive([message.delivery(to="at.ncp")])
    clock.advance(3600)

    await node.rechecker("at.ncp").recheck()

    assert await node.held() == 0
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_AUTHORISED"]


@pytest.mark.parametrize("status", ["system", "test"])
async def test_a_receipt_has_the_status_of_what_it_answers_and_needs_no_permission_for_it(
    node: Node, status: str
) -> None:
    message = alert(status=status)
    await node.given_sent(message)
    receipt = receipt_with_status(message, status)

    assert await node.router("rs").route([receipt.delivery()]) == [Outcome.ACCEPTED]
    assert await node.receiver("rs.ncp").receive([receipt.delivery(to="rs.ncp")]) == [Outcome.ACCEPTED]
    (recipient,) = (await node.sent(message.id)).recipients
    assert recipient.state == "delivered"
