"""What a member can say under its own good signature: for others, at other times, by another list, in other roles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from forging.wire_forge import ABSENT, digest, id_of, payload_of, protected_of, text_of, to_json
from thief import STRANGERS, payload_in
from victim import queued

from bridge.app.receiving.outcomes import Outcome
from bridge.core.verification import TrustView
from bridge.core.wire import base64url, strict_json

if TYPE_CHECKING:
    from victim import Victim

    from bridge.core.directory import Directory

DAY = timedelta(days=1)
NOT_ALERTED = dict.fromkeys(("severity", "exploitation", "labour_sector", "means", "legs"), ABSENT)


def reference_to(wire_bytes: bytes) -> dict[str, str]:
    payload_bytes = base64url.decode(str(strict_json.parse_object(wire_bytes)["payload"]))
    said = payload_in(wire_bytes)
    return {"from": said["from"], "id": said["id"], "payload_sha256": digest(payload_bytes)}


def listed(victim: Victim, contact_point: str, **changes: object) -> Directory:
    """The membership list with something else said of a contact point."""
    whole = victim.node.trust.directory
    points = {**whole.contact_points, contact_point: replace(whole.contact_points[contact_point], **changes)}
    return replace(whole, contact_points=MappingProxyType(points))


def keyed(victim: Victim, **changes: object) -> Directory:
    """The membership list with something else said of the thief's signing key."""
    whole = victim.node.trust.directory
    keys = {**whole.signing_keys, victim.thief.kid: replace(whole.signing_keys[victim.thief.kid], **changes)}
    return replace(whole, signing_keys=MappingProxyType(keys))


async def test_a_message_in_another_members_name(victim: Victim) -> None:
    payload = victim.thief.payload(from_="hu.ncp")
    await victim.has_refused(victim.thief.message(payload), "E_SENDER", step=9)


async def test_a_message_under_another_members_key_id(victim: Victim) -> None:
    forged = victim.thief.message(victim.thief.payload(from_="hu.ncp"), signed_by=["hu.ncp#sig-1"], private=STRANGERS)
    await victim.has_refused(forged, "E_SIGNATURE", step=7)


async def test_two_members_sign_one_message_so_that_either_could_be_its_sender(victim: Victim) -> None:
    both = {**victim.thief.signers, **victim.rival.signers}
    forged = replace(victim.thief, signers=both).message(signed_by=list(both))
    await victim.has_refused(forged, "E_SIG_POLICY", step=7)


async def test_a_stolen_signature_key_of_a_member_that_must_sign_with_two_algorithms(victim: Victim) -> None:
    """A downgrade: one of two signatures is left off, and the one that is there is good."""
    victim.node.trust.directory = listed(victim, "rs.ncp", signature_policy=("ES256", "ML-DSA-65"))
    await victim.has_refused(victim.thief.message(), "E_SIG_POLICY", step=7)


async def test_anothers_public_key_listed_as_ones_own_claims_nothing_that_the_other_signed(victim: Victim) -> None:
    """The key id is under the signature: what Hungary signed cannot become Serbia's by the list alone."""
    whole = victim.node.trust.directory
    taken = replace(whole.signing_keys["hu.ncp#sig-1"], kid="rs.ncp#sig-2")
    victim.node.trust.directory = replace(
        whole, signing_keys=MappingProxyType({**whole.signing_keys, taken.kid: taken})
    )
    genuine = strict_json.parse_object(victim.rival.message(victim.rival.payload(from_="rs.ncp")))
    renamed = protected_of(taken.kid, typ="ncp-bridge+jws", changes={})
    genuine["signatures"][0]["protected"] = renamed  # type: ignore[index] - a list of objects
    await victim.has_refused(to_json(genuine), "E_SIGNATURE", step=7)


async def test_an_algorithm_that_the_key_is_not_pinned_to(victim: Victim) -> None:
    victim.node.trust.directory = keyed(victim, alg="ML-DSA-65")
    await victim.has_refused(victim.thief.message(), "E_ALG", step=6)


async def test_an_encryption_key_that_signs(victim: Victim) -> None:
    forged = victim.thief.message(signed_by=["rs.ncp#enc-1"], private=STRANGERS)
    await victim.holds(forged, "E_KEY_UNKNOWN", step=6)


async def test_a_revoked_key_that_signs_a_message_dated_before_it_was_stolen(victim: Victim) -> None:
    now = victim.node.clock.now()
    victim.node.trust.directory = keyed(victim, revoked_at=now)
    old = payload_of(sent=now - 2 * DAY, to=victim.thief.to) | {"trust": {"network": "see", "version": 7}}
    await victim.has_refused(victim.thief.message(old), "E_KEY_REVOKED", step=6)


async def test_a_rotated_key_that_signs_on(victim: Victim) -> None:
    victim.node.trust.directory = keyed(victim, use_until=victim.node.clock.now() - DAY)
    await victim.has_refused(victim.thief.message(), "E_KEY_EXPIRED", step=12)


async def test_a_key_that_nobody_should_verify_with_any_more(victim: Victim) -> None:
    victim.node.trust.directory = keyed(victim, verify_until=victim.node.clock.now())
    await victim.has_refused(victim.thief.message(), "E_KEY_EXPIRED", step=6)


async def test_a_member_that_was_suspended_overnight(victim: Victim) -> None:
    victim.node.trust.directory = listed(victim, "rs.ncp", suspended="stolen laptop")
    await victim.has_refused(victim.thief.message(), "E_NOT_AUTHORISED", step=11)


async def test_a_member_that_was_removed_and_its_keys_forgotten_in_the_list(victim: Victim) -> None:
    whole = victim.node.trust.directory
    points = {name: point for name, point in whole.contact_points.items() if name != "rs.ncp"}
    victim.node.trust.directory = replace(whole, contact_points=MappingProxyType(points))
    await victim.holds(victim.thief.message(), "E_KEY_UNKNOWN", step=6)


async def test_a_kind_that_the_member_was_not_admitted_for(victim: Victim) -> None:
    victim.node.trust.directory = listed(victim, "rs.ncp", sends=frozenset({"acknowledgement", "receipt"}))
    await victim.has_refused(victim.thief.message(), "E_NOT_AUTHORISED", step=11)


async def test_an_unauthorised_member_that_names_a_list_which_nobody_has(victim: Victim) -> None:
    """It might be right, so it waits, unread and unanswered, for as long as it would have been worth delivering."""
    victim.node.trust.directory = listed(victim, "rs.ncp", sends=frozenset({"receipt"}))
    payload = victim.thief.payload(trust={"network": "see", "version": 2**53 - 1})
    await victim.holds(victim.thief.message(payload), "E_TRUST_STALE", step=11)


async def test_a_list_that_nobody_has_is_asked_for_once_and_stops_no_message(victim: Victim) -> None:
    """A member that claims a version without end cannot keep us asking, nor have anything held that is good."""
    asked = 0
    refresh = victim.node.trust.refresh

    async def counted() -> Directory:
        nonlocal asked
        asked += 1
        return await refresh()

    victim.node.trust.refresh = counted  # type: ignore[method-assign] - counted
    receiver = victim.node.receiver("at.ncp")
    trust = {"network": "see", "version": 2**53 - 1}
    for _ in range(20):
        lying = victim.thief.message(victim.thief.payload(trust=trust))
        assert await receiver.receive([queued(lying)]) == [Outcome.ACCEPTED]
    assert asked == 1


@pytest.mark.parametrize("status", ["test", "system"])
async def test_a_status_that_the_member_may_not_send(victim: Victim, status: str) -> None:
    await victim.has_refused(victim.thief.message(victim.thief.payload(status=status)), "E_NOT_AUTHORISED", step=11)


async def test_test_traffic_for_a_live_desk(victim: Victim) -> None:
    victim.node.trust.directory = listed(victim, "rs.ncp", statuses=frozenset({"actual", "test"}))
    await victim.has_refused(victim.thief.message(victim.thief.payload(status="test")), "E_STATUS", step=11)


async def test_real_traffic_with_the_keys_of_a_test_desk(victim: Victim) -> None:
    victim.node.trust.directory = listed(victim, "rs.ncp", mode="test")
    await victim.has_refused(victim.thief.message(), "E_STATUS", step=11)


async def test_an_exercise_is_accepted_and_can_be_taken_for_nothing_else(victim: Victim) -> None:
    assert await victim.receives(victim.thief.message(victim.thief.payload(status="exercise"))) == [Outcome.ACCEPTED]
    assert [item.status for item in await victim.node.inbox()] == ["exercise"]


async def test_a_draft_that_travels(victim: Victim) -> None:
    await victim.has_refused(victim.thief.message(victim.thief.payload(status="draft")), "E_SCHEMA", step=8)


@pytest.mark.parametrize(
    "said",
    [
        {"v": True}, {"v": 2}, {"thread": "x"}, {"seq": ABSENT}, {"replaces": None}, {"reply_within_s": 0},
        {"seq": {"epoch": 1, "n": {"at.ncp": -1, "hu.ncp": 1}}}, {"seq": {"epoch": 1, "n": {"at.ncp": 1}}},
        {"to": ["at.ncp", "hu.ncp", "hu.ncp\n"]}, {"to": []}, {"to": "at.ncp"}, {"from_": "r\u0455.ncp"},
        {"sent": "2026-11-23T19:40:01.234+01:00"}, {"sent": "2026-11-23T18:40:60.000Z"}, {"id": "not-an-id"},
        {"schema_": "urn:ncp-bridge:route_alert:2.0"}, {"urgency": "IMMEDIATE"}, {"child": True},
    ],
    ids=",".join,  # what is absent has no words of its own, and workers must agree on a name
)  # fmt: skip
async def test_a_payload_of_another_form(victim: Victim, said: dict[str, object]) -> None:
    forged = victim.thief.message(victim.thief.payload(), digests={n.rstrip("_"): value for n, value in said.items()})
    await victim.has_refused(forged, "E_SCHEMA", step=8)


@pytest.mark.parametrize(
    "tail", [b',"kind":"receipt"}', b',"k\\u0069nd":"receipt"}', b',"x":1.0}', b',"x":NaN}', b',"x":"\\udead"}']
)
async def test_a_payload_that_two_parsers_would_read_differently(victim: Victim, tail: bytes) -> None:
    sealed = "{}"
    digests = {"sealed_sha256": digest(sealed.encode()), "body_sha256": "A" * 43}
    spoilt = to_json(victim.thief.payload() | digests)[:-1] + tail
    await victim.has_refused(
        victim.thief.message(digests=spoilt, sealed=sealed),  # type: ignore[arg-type] - the whole payload, as bytes
        "E_PAYLOAD",
        step=8,
    )


@pytest.mark.parametrize("to", [("hu.ncp", "at.ncp"), ("at.ncp", "at.ncp", "hu.ncp")], ids=["unsorted", "twice"])
async def test_recipients_in_an_order_that_would_bind_another_seal(victim: Victim, to: tuple[str, ...]) -> None:
    numbers = dict.fromkeys(sorted(set(to)), 1)
    payload = victim.thief.payload(to=list(to), seq={"epoch": 99, "n": numbers})
    await victim.has_refused(victim.thief.message(payload), "E_NOT_RECIPIENT", step=10)


async def test_a_message_from_the_future_that_would_outlive_every_other(victim: Victim) -> None:
    ahead = payload_of(sent=victim.node.clock.now() + timedelta(hours=1), to=victim.thief.to)
    payload = ahead | {"trust": {"network": "see", "version": 7}}
    await victim.holds(victim.thief.message(payload), "E_FUTURE", step=12)


@pytest.mark.parametrize(
    ("lives", "code"),
    [(timedelta(days=31), "E_LIFETIME"), (timedelta(days=-1), "E_EXPIRED"), (timedelta(0), "E_EXPIRED")],
    ids=["31 days", "over before it began", "none"],
)
async def test_a_lifetime_that_no_replay_table_could_follow(victim: Victim, lives: timedelta, code: str) -> None:
    payload = victim.thief.payload(expires=text_of(victim.node.clock.now() + lives))
    await victim.has_refused(victim.thief.message(payload), code, step=12)


@pytest.mark.parametrize("days", [-7, 7, 365 * 6000], ids=["last week", "next week", "the year 8026"])
async def test_an_id_with_another_time_in_it(victim: Victim, days: int) -> None:
    payload = victim.thief.payload(id=id_of(victim.node.clock.now() + timedelta(days=days)))
    await victim.has_refused(victim.thief.message(payload), "E_ID", step=12)


async def test_another_payload_under_an_id_that_was_used(victim: Victim) -> None:
    first = victim.thief.payload()
    assert await victim.receives(victim.thief.message(first)) == [Outcome.ACCEPTED]
    await victim.node.new_receipts()
    other = victim.thief.message(first, body={"title": "The opposite of what was said"})
    await victim.has_refused(other, "E_EQUIVOCATION", step=13)


async def test_two_payloads_under_one_id_for_two_recipients_can_be_told_apart_by_their_receipts(victim: Victim) -> None:
    """Neither recipient can see it alone; each names the digest of what it got in everything that it answers."""
    payload = victim.thief.payload()
    ours, theirs = victim.thief.message(payload), victim.thief.message(payload, body={"title": "Something else"})
    assert await victim.receives(ours) == [Outcome.ACCEPTED]
    (item,) = await victim.node.inbox()
    assert item.payload_sha256 == reference_to(ours)["payload_sha256"] != reference_to(theirs)["payload_sha256"]


@pytest.mark.parametrize("kind", ["alert_update", "alert_cancel"])
async def test_a_stranger_who_updates_or_cancels_the_alert_of_another(victim: Victim, kind: str) -> None:
    genuine = victim.rival.message()
    assert await victim.receives(genuine) == [Outcome.ACCEPTED]
    await victim.node.new_receipts()
    earlier = reference_to(genuine)
    more = {"change_summary": "x"} if kind == "alert_update" else NOT_ALERTED | {"reason": "disrupted"}
    # as somebody else's alert, and as an alert of its own that stands in the other's thread
    for supersedes in (earlier, {**earlier, "from": "rs.ncp"}):
        body = {"supersedes": supersedes, "thread": earlier["id"]} | more
        forged = victim.thief.message(victim.thief.payload(kind), body=body)
        await victim.has_refused(forged, "E_NOT_ORIGINATOR", step=17)


async def test_an_acknowledgement_of_what_was_never_sent_to_the_one_who_acknowledges(victim: Victim) -> None:
    """It is stored as the message that it is, and counts for nothing."""
    of = {"from": "at.ncp", "id": victim.thief.payload()["id"], "payload_sha256": "A" * 43}
    now = text_of(victim.node.clock.now())
    answer = {"of": of, "level": "accepted", "officer": "Nobody", "at": now}
    forged = victim.thief.message(victim.thief.payload("acknowledgement"), body=NOT_ALERTED | answer)
    assert await victim.receives(forged) == [Outcome.ACCEPTED]
    assert len(await victim.node.audit("acknowledgement.unmatched")) == 1


async def test_a_list_older_than_one_that_was_seen(victim: Victim) -> None:
    """The mirror shows an older list, in which a key is not revoked yet; the node remembers the newer version."""
    older = replace(victim.node.trust.directory, version=8)
    victim.node.trust.view = lambda: TrustView(older, highest_version=9)  # type: ignore[method-assign]
    await victim.holds(victim.thief.message(), "E_TRUST_STALE", step=5)
