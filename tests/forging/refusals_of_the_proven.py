"""Steps 9 to 13 of the verification table, written from wire-format.md: a proven sender, and still refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from forging.refusals_before_proof import OF, RECEIPT, Case, said
from forging.wire_forge import (
    DAY,
    DIRECTORY,
    MILLISECOND,
    NOW,
    Arrival,
    digest,
    forge,
    forge_control,
    id_of,
    payload_of,
    text_of,
    with_contact_point,
    with_key,
)

from bridge.core.verification import Hints, Receiver, SentDigests

if TYPE_CHECKING:
    from forging.wire_forge import Members

TOLERANCE = timedelta(seconds=120)
GOOD_HINTS = Hints(
    correlation_id=payload_of()["id"], type="route_alert", app_id="rs.ncp", routing_key="rs.at.urgent.route_alert",
    user_id="rs-relay",
)  # fmt: skip
TEST_DESK = "mk.test"
SENT = SentDigests(OF["payload_sha256"], OF["sealed_sha256"])


def hinted(**changes: object) -> Arrival:
    return Arrival(forge(), hints=replace(GOOD_HINTS, **changes))  # type: ignore[arg-type]


def of_digests(payload: str, sealed: str) -> SentDigests:
    return SentDigests(payload, sealed)


def addressed(*to: str, numbers: tuple[str, ...] | None = None) -> Arrival:
    return said(to=list(to), seq={"epoch": 3, "n": dict.fromkeys(numbers or to, 1)})


def sender(**changes: object) -> Arrival:
    return Arrival(forge(), directory=with_contact_point("rs.ncp", **changes))


def recipient(**changes: object) -> Arrival:
    return Arrival(forge(), directory=with_contact_point("at.ncp", **changes))


def sent_at(offset: timedelta, **changes: object) -> Arrival:
    return Arrival(forge(base=payload_of(sent=NOW + offset) | changes))


def receipt(control: object, *, sent: SentDigests | None = SENT, kind: str = "receipt") -> Arrival:
    return Arrival(forge_control(control, kind=kind), sent=sent)


def by_test_desk() -> Arrival:
    base: Members = payload_of() | {"from": TEST_DESK}
    return Arrival(forge(base=base, signed_by=["mk.test#sig-a"]))


CASES = [
    Case(9, "E_SENDER", "from a recipient", lambda: said(from_="hu.ncp")),
    Case(9, "E_SENDER", "from another desk of the same country", lambda: said(from_="rs.border-police")),
    Case(9, "E_SENDER", "signed by a member in another's name", lambda: Arrival(forge(signed_by=["at.ncp#sig-a"]))),
    Case(9, "E_ROUTE_MISMATCH", "another correlation_id", lambda: hinted(correlation_id=id_of(NOW, serial=2))),
    Case(9, "E_ROUTE_MISMATCH", "no correlation_id", lambda: hinted(correlation_id=None)),
    Case(9, "E_ROUTE_MISMATCH", "another type", lambda: hinted(type="receipt")),
    Case(9, "E_ROUTE_MISMATCH", "another app_id", lambda: hinted(app_id="hu.ncp")),
    Case(9, "E_ROUTE_MISMATCH", "the other lane", lambda: hinted(routing_key="rs.at.normal.route_alert")),
    Case(9, "E_ROUTE_MISMATCH", "another country's key", lambda: hinted(routing_key="hu.at.urgent.route_alert")),
    Case(9, "E_ROUTE_MISMATCH", "a key to another country", lambda: hinted(routing_key="rs.hu.urgent.route_alert")),
    Case(9, "E_ROUTE_MISMATCH", "a key of another kind", lambda: hinted(routing_key="rs.at.urgent.alert_cancel")),
    Case(9, "E_ROUTE_MISMATCH", "a key with a word more", lambda: hinted(routing_key="rs.at.urgent.route_alert.x")),
    Case(9, "E_ROUTE_MISMATCH", "CC or BCC", lambda: hinted(copied=True)),
    Case(9, "E_ROUTE_MISMATCH", "another member's account", lambda: hinted(user_id="hu-relay")),
    Case(9, "E_ROUTE_MISMATCH", "the sender's account for another role", lambda: hinted(user_id="rs-router")),
    Case(9, "E_ROUTE_MISMATCH", "a receipt under the typ of messages", lambda: Arrival(
        forge_control(RECEIPT, typ="ncp-bridge+jws", edit=lambda each: each.update(sealed="{}")))),
    Case(9, "E_ROUTE_MISMATCH", "an alert under the typ of control messages", lambda: Arrival(
        forge(typ="ncp-bridge-control+jws", edit=lambda each: each.pop("sealed")))),
    Case(10, "E_NOT_RECIPIENT", "to not sorted", lambda: addressed("hu.ncp", "at.ncp")),
    Case(10, "E_NOT_RECIPIENT", "to with one name twice",
         lambda: addressed("at.ncp", "at.ncp", "hu.ncp", numbers=("at.ncp", "hu.ncp"))),
    Case(10, "E_NOT_RECIPIENT", "not to us", lambda: addressed("hu.ncp")),
    Case(10, "E_NOT_RECIPIENT", "to another desk of our country", lambda: addressed("at.border-police", "hu.ncp")),
    Case(10, "E_NOT_RECIPIENT", "a router: to nobody of its country",
         lambda: Arrival(forge(), receiver=Receiver("mk"))),
    Case(10, "E_NOT_RECIPIENT", "a receipt to another", lambda: Arrival(
        forge_control(RECEIPT, payload={"to": ["hu.ncp"]}), sent=SENT)),
    Case(11, "E_NOT_AUTHORISED", "a kind that the sender may not send",
         lambda: sender(sends=frozenset({"acknowledgement", "receipt"}))),
    Case(11, "E_NOT_AUTHORISED", "a kind that the recipient does not take",
         lambda: recipient(receives=frozenset({"receipt"}))),
    Case(11, "E_NOT_AUTHORISED", "a status that the sender may not send",
         lambda: sender(statuses=frozenset({"exercise"}))),
    Case(11, "E_NOT_AUTHORISED", "a suspended sender", lambda: sender(suspended="keys lost")),
    Case(11, "E_NOT_AUTHORISED", "a suspended recipient", lambda: recipient(suspended="left")),
    Case(11, "E_NOT_AUTHORISED", "a recipient that is in no list", lambda: Arrival(
        addressed("at.new", "hu.ncp").wire_bytes, receiver=Receiver("at", "at.new"))),
    Case(11, "E_NOT_AUTHORISED", "a router: none of its desks takes the kind", lambda: Arrival(
        forge(), directory=with_contact_point("at.ncp", receives=frozenset({"receipt"})), receiver=Receiver("at"))),
    Case(11, "E_STATUS", "a test to a live desk", lambda: said(status="test")),
    Case(11, "E_STATUS", "a test desk to a live desk", by_test_desk),
    Case(11, "E_STATUS", "a router: a test to a country of live desks", lambda: replace(
        said(status="test"), receiver=Receiver("at"))),
    Case(12, "E_FUTURE", "120 seconds and a millisecond ahead", lambda: sent_at(TOLERANCE + MILLISECOND)),
    Case(12, "E_FUTURE", "a year ahead", lambda: sent_at(365 * DAY)),
    Case(12, "E_KEY_EXPIRED", "sent at sign_until",
         lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW))),
    Case(12, "E_KEY_EXPIRED", "sent a day after sign_until",
         lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW - DAY))),
    Case(12, "E_EXPIRED", "a clock at expires", lambda: said(sent=text_of(NOW - DAY), expires=text_of(NOW))),
    Case(12, "E_EXPIRED", "read 31 days later", lambda: Arrival(
        forge(), now=NOW + 31 * DAY, directory=replace(DIRECTORY, signed_at=NOW + 30 * DAY))),
    Case(12, "E_LIFETIME", "30 days and a millisecond", lambda: said(expires=text_of(NOW + 30 * DAY + MILLISECOND))),
    Case(12, "E_LIFETIME", "until the year 9999", lambda: said(expires="9999-12-31T23:59:59.999Z")),
    Case(12, "E_LIFETIME", "no life at all", lambda: sent_at(TOLERANCE, expires=text_of(NOW + TOLERANCE))),
    Case(12, "E_LIFETIME", "expired before it was sent",
         lambda: sent_at(TOLERANCE, expires=text_of(NOW + MILLISECOND))),
    Case(12, "E_ID", "an id 120 seconds and a millisecond early",
         lambda: sent_at(timedelta(0), id=id_of(NOW - TOLERANCE - MILLISECOND))),
    Case(12, "E_ID", "an id 120 seconds and a millisecond late",
         lambda: sent_at(timedelta(0), id=id_of(NOW + TOLERANCE + MILLISECOND))),
    Case(12, "E_ID", "an id beyond the year 9999",
         lambda: sent_at(timedelta(0), id="ffffffff-ffff-7000-8000-000000000001")),
    Case(13, "E_EQUIVOCATION", "an id used for another payload",
         lambda: Arrival(forge(), known_digest=digest(b"another payload"))),
    Case(13, "E_EQUIVOCATION", "the same text sealed and signed anew",
         lambda: Arrival(forge(), known_digest=digest(forge()))),
    Case(13, "E_RECEIPT", "for nothing that was sent", lambda: receipt(RECEIPT, sent=None)),
    Case(13, "E_RECEIPT", "for another payload", lambda: receipt(RECEIPT, sent=of_digests("B" * 42 + "A", "A" * 43))),
    Case(13, "E_RECEIPT", "for another sealed body",
         lambda: receipt(RECEIPT, sent=of_digests("A" * 43, "B" * 42 + "A"))),
    Case(13, "E_RECEIPT", "a state that is none", lambda: receipt(RECEIPT | {"state": "opened"})),
    Case(13, "E_RECEIPT", "rejected without a code", lambda: receipt(RECEIPT | {"state": "rejected"})),
    Case(13, "E_RECEIPT", "delivered with a code", lambda: receipt(RECEIPT | {"code": "E_DECRYPT"})),
    Case(13, "E_RECEIPT", "a member more", lambda: receipt(RECEIPT | {"note": "x"})),
    Case(13, "E_RECEIPT", "an empty heartbeat", lambda: receipt({}, kind="heartbeat")),
    Case(13, "E_RECEIPT", "a resend request for one number twice", lambda: receipt(
        {"epoch": 3, "lane": "urgent", "numbers": [1, 1]}, kind="resend_request")),
]  # fmt: skip
