"""What every receiver would refuse is not sent: an old list, a spent signing key, somebody who left since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import START, ListedTrust, StillClock, alert, directory, route_body

from bridge.app.checks.check_membership import check_list
from bridge.app.checks.check_node import Check
from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.app.sending.send import Draft
from bridge.app.sending.submit import plan_for_answer
from bridge.core.directory import ContactPoint, Directory, PublicKey
from bridge.core.errors import RefusedError


def with_key(member: str, *, use: str = "sig", **changes: object) -> Directory:
    whole = directory()
    kid = f"{member}#{use}-1"
    keys = dict(whole.signing_keys if use == "sig" else whole.encryption_keys)
    keys[kid] = replace(keys[kid], **changes)
    named: dict[str, MappingProxyType[str, PublicKey]] = {
        "signing_keys" if use == "sig" else "encryption_keys": MappingProxyType(keys)
    }
    return replace(whole, **named)


def with_point(member: str, **changes: object) -> Directory:
    whole = directory()
    points: dict[str, ContactPoint] = dict(whole.contact_points)
    points[member] = replace(points[member], **changes)
    return replace(whole, contact_points=MappingProxyType(points), version=8)


def draft(node: Node) -> Draft:
    listed, at = node.trust.current(), node.clock.now()
    plan = plan_for_answer(listed, "at.ncp", kind="route_alert", status="actual", sender="rs.ncp", at=at)
    return Draft("route_alert", "actual", "immediate", route_body(at), plan)


async def refused(node: Node, prepared: Draft) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await node.sending().send(prepared, sender="rs.ncp")
    assert await node.new_rows() == []
    return caught.value


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        (with_key("rs.ncp", use_until=START), "was to be used until"),
        (with_key("rs.ncp", revoked_at=START), "was revoked"),
        (directory(without=["rs.ncp"]), "is not in membership list 7"),
    ],
)
async def test_a_signing_key_that_receivers_refuse_sends_nothing(
    node: Node, trust: ListedTrust, listed: Directory, why: str
) -> None:
    trust.directory = listed

    error = await refused(node, draft(node))

    assert error.code == "E_NO_SIGNING_KEY"
    assert f"rs.ncp#sig-1 {why}" in error.message


async def test_the_last_moment_of_a_signing_key_still_sends(node: Node, trust: ListedTrust) -> None:
    trust.directory = with_key("rs.ncp", use_until=START + timedelta(milliseconds=1))

    await node.sending().send(draft(node), sender="rs.ncp")

    assert len(await node.new_rows()) == 1


async def test_an_officers_answer_is_not_signed_with_a_spent_key_and_the_item_stays_unanswered(
    node: Node, trust: ListedTrust
) -> None:
    message = alert()
    await node.receiver("at.ncp").receive([message.delivery(to="at.ncp")])
    trust.directory = with_key("at.ncp", use_until=START)
    item = await node.reader().item(message.id, contact_point="at.ncp")

    with pytest.raises(RefusedError) as caught:
        await AcknowledgeMessages(node.sending()).acknowledge(item, level="accepted", officer="Ana Anić")

    assert caught.value.code == "E_NO_SIGNING_KEY"
    assert [item.state for item in await node.inbox()] == ["new"]


async def test_by_a_list_that_nobody_confirmed_for_45_days_nothing_is_sealed(node: Node, clock: StillClock) -> None:
    prepared = draft(node)
    clock.advance(45 * 86400)

    error = await refused(node, prepared)

    assert error.code == "E_TRUST_STALE"
    assert "45 days" in error.message


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (with_point("at.ncp", suspended="left the network"), "at.ncp is suspended: left the network"),
        (with_point("at.ncp", receives=frozenset()), "at.ncp does not receive route_alert"),
        (with_key("at.ncp", use="enc", revoked_at=START), "at.ncp has no valid encryption key"),
    ],
)
async def test_a_recipient_that_was_lost_between_preview_and_sending_stops_it(
    node: Node, trust: ListedTrust, since: Directory, said: str
) -> None:
    prepared = draft(node)
    trust.directory = since

    error = await refused(node, prepared)

    assert error.code == "E_LIST_CHANGED"
    assert said in error.message


async def test_a_sender_that_was_suspended_since_the_preview_sends_nothing(node: Node, trust: ListedTrust) -> None:
    prepared = draft(node)
    trust.directory = with_point("rs.ncp", suspended="left the network")

    assert (await refused(node, prepared)).code == "E_NOT_AUTHORISED"


def member_check(listed: Directory) -> Check:
    _, check = check_list(listed, now=START, contact_points=["at.ncp"])
    return check


@pytest.mark.parametrize("use", ["sig", "enc"])
@pytest.mark.parametrize(("days", "ok"), [(13, False), (14, True)])
def test_status_warns_fourteen_days_before_either_key_ends(use: str, *, days: int, ok: bool) -> None:
    check = member_check(with_key("at.ncp", use=use, use_until=START + timedelta(days=days)))

    assert check.ok is ok
    assert ("needs a successor" in check.detail) is not ok


def test_status_is_content_once_a_successor_is_enrolled() -> None:
    listed = with_key("at.ncp", use_until=START + timedelta(days=1))
    successor = replace(directory().signing_keys["at.ncp#sig-1"], kid="at.ncp#sig-2")
    keys = MappingProxyType({**listed.signing_keys, successor.kid: successor})

    check = member_check(replace(listed, signing_keys=keys))

    assert check.ok
    assert "at.ncp#sig-2" in check.detail


@pytest.mark.parametrize(
    ("listed", "missing"),
    [
        (with_key("at.ncp", revoked_at=START), "signing"),
        (with_key("at.ncp", use_until=START), "signing"),
        (with_key("at.ncp", use="enc", use_until=START), "encryption"),
    ],
)
def test_status_names_the_key_that_is_missing(listed: Directory, missing: str) -> None:
    check = member_check(listed)

    assert not check.ok
    assert f"no valid {missing} key" in check.detail
