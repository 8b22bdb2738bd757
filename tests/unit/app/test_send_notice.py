"""A notice goes to everybody who may receive it, in as few messages as the format lets, or to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import KINDS, START, ListedTrust, alert, directory

from bridge.app.sending.send_notice import SendNotices
from bridge.core.directory import Directory
from bridge.core.errors import RefusedError
from bridge.core.messages.directory_notice import MAX_CHANGES, unpack_files
from bridge.core.verification import Hints
from bridge.core.vocabulary import DIRECTORY_NOTICE
from bridge.core.wire import strict_json
from bridge.ports.list_changes import ListChanges

FILES = {"metadata/timestamp.json": b"{}", "metadata/8.snapshot.json": b"{}"}
SECRETARIAT = "rs.ncp"


def listing(*, others: int = 0, sender: str = SECRETARIAT) -> Directory:
    """The usual members and so many more; all receive notices, one sends them."""
    whole = directory()
    template, key = whole.contact_points["at.ncp"], next(iter(whole.encryption_keys.values()))
    points, keys = dict(whole.contact_points), dict(whole.encryption_keys)
    for number in range(others):
        own = f"at.desk-{number}"
        points[own] = replace(template, id=own)
        keys[f"{own}#enc-1"] = replace(key, kid=f"{own}#enc-1")
    receives = KINDS | {DIRECTORY_NOTICE}
    points = {
        own: replace(point, receives=receives, statuses=point.statuses | {"system"}) for own, point in points.items()
    }
    points[sender] = replace(points[sender], sends=receives)
    return replace(whole, contact_points=MappingProxyType(points), encryption_keys=MappingProxyType(keys))


def changes(*told: tuple[str, str | None], files: Mapping[str, bytes] = FILES) -> ListChanges:
    return ListChanges("see", 8, START, told or (("keys_changed", "rs"),), since=5, files=files)


async def body_of(node: Node, message_id: str) -> Mapping[str, object]:
    sent = await node.sent(message_id)
    assert sent.body is not None
    return strict_json.parse_object(
        node.vault.get(SECRETARIAT, sent.body, context=f"{SECRETARIAT}/{SECRETARIAT}/{message_id}")
    )


async def test_everybody_but_the_sender_gets_what_changed_with_the_files(node: Node, trust: ListedTrust) -> None:
    trust.directory = listing()

    notice = await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)

    (message,) = notice.messages
    assert notice.recipients == ("at.border-police", "at.ncp", "hu.ncp")
    assert notice.excluded == ()
    sent, body = await node.sent(message.id), await body_of(node, message.id)
    assert (sent.kind, sent.status, sent.lane) == (DIRECTORY_NOTICE, "system", "normal")
    assert (body["version"], body["changes"]) == (8, [{"code": "keys_changed", "who": "rs"}])
    files = body["files"]
    assert isinstance(files, dict)
    assert files["since"] == 5
    assert unpack_files(files["packed"]) == FILES


async def test_more_than_64_recipients_take_several_messages(node: Node, trust: ListedTrust) -> None:
    trust.directory = listing(others=130)

    notice = await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)

    assert [len(message.recipients) for message in notice.messages] == [64, 64, 5]
    assert len(notice.recipients) == len(set(notice.recipients)) == 133


async def test_a_revocation_takes_the_urgent_lane(node: Node, trust: ListedTrust) -> None:
    trust.directory = listing()

    notice = await SendNotices(node.sending()).send(changes(("revocations_changed", None)), sender=SECRETARIAT)

    assert (await node.sent(notice.messages[0].id)).lane == "urgent"


async def test_without_files_and_with_many_changes_it_says_so(node: Node, trust: ListedTrust) -> None:
    trust.directory = listing()
    many = [("contact_point_changed", f"at.desk-{number}") for number in range(MAX_CHANGES + 5)]

    notice = await SendNotices(node.sending()).send(changes(*many, files={}), sender=SECRETARIAT)

    body = await body_of(node, notice.messages[0].id)
    told = body["changes"]
    assert isinstance(told, list)
    assert "files" not in body
    assert len(told) == MAX_CHANGES
    assert told[-1] == {"code": "more_changes"}


async def test_who_does_not_receive_notices_is_named_and_the_others_get_it(node: Node, trust: ListedTrust) -> None:
    listed = listing()
    points = dict(listed.contact_points)
    points["hu.ncp"] = replace(points["hu.ncp"], receives=KINDS)
    trust.directory = replace(listed, contact_points=MappingProxyType(points))

    notice = await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)

    assert [(one.id, one.reason) for one in notice.excluded] == [("hu.ncp", "does not receive directory_notice")]
    assert notice.recipients == ("at.border-police", "at.ncp")


async def test_who_may_not_send_notices_sends_none(node: Node, trust: ListedTrust) -> None:
    trust.directory = listing(sender="hu.ncp")

    with pytest.raises(RefusedError, match=r"does not let rs\.ncp send system directory_notice") as caught:
        await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)

    assert caught.value.code == "E_NOT_AUTHORISED"
    assert await node.new_rows() == []


async def test_a_received_notice_hands_its_files_on_and_its_batch_is_judged_by_the_list_that_they_bring(
    node: Node, trust: ListedTrust
) -> None:
    # given: a notice, and behind it an alert under a key that the new list revokes
    trust.directory = listing()
    notice = await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)
    wire_bytes = (await node.sent(notice.messages[0].id)).wire_bytes
    behind = alert(sender="hu.ncp")
    keys = dict(trust.directory.signing_keys)
    keys["hu.ncp#sig-1"] = replace(keys["hu.ncp#sig-1"], revoked_at=START)
    trust.newer = replace(trust.directory, version=8, signing_keys=MappingProxyType(keys))
    first = replace(behind.delivery(to="at.ncp"), wire_bytes=wire_bytes, hints=None)

    # when
    outcomes = await node.receiver("at.ncp").receive([first, behind.delivery(to="at.ncp")])

    # then
    assert trust.taken == [FILES]
    assert [outcome.value for outcome in outcomes] == ["accepted", "quarantined"]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_KEY_REVOKED"]


async def test_of_a_notice_that_is_known_or_refused_nothing_is_taken(node: Node, trust: ListedTrust) -> None:
    # given
    trust.directory = listing()
    notice = await SendNotices(node.sending()).send(changes(), sender=SECRETARIAT)
    wire_bytes = (await node.sent(notice.messages[0].id)).wire_bytes
    delivery = replace(
        alert().delivery(to="at.ncp"),
        wire_bytes=wire_bytes,
        hints=Hints(notice.messages[0].id, DIRECTORY_NOTICE, SECRETARIAT),
    )

    # when
    outcomes = await node.receiver("at.ncp").receive([delivery, delivery])
    outcomes += await node.receiver("at.ncp").receive([delivery])
    node.clock.advance(31 * 24 * 3600)
    outcomes += await node.receiver("hu.ncp").receive([delivery])

    # then
    assert [outcome.value for outcome in outcomes] == ["accepted", "duplicate", "duplicate", "quarantined"]
    assert trust.taken == [FILES]
