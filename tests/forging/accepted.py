"""Good messages for the wire vectors: each kind, the last value on the good side of boundaries, duplicates, numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from forging.refusals_before_proof import RECEIPT
from forging.refusals_of_bodies import CANCEL
from forging.refusals_of_the_proven import GOOD_HINTS, SENT
from forging.wire_forge import (
    ABSENT,
    DAY,
    DIRECTORY,
    MILLISECOND,
    NOW,
    OTHER_ID,
    Arrival,
    body_of,
    digest,
    forge,
    forge_control,
    id_of,
    payload_of,
    reference,
    signed,
    text_of,
    to_json,
    with_contact_point,
    with_key,
)

from bridge.core.verification import Receiver
from bridge.core.wire import base64url
from bridge.core.wire.envelope import parse_envelope

TOLERANCE = timedelta(seconds=120)
ACKNOWLEDGED = dict.fromkeys(("severity", "exploitation", "labour_sector", "means", "legs"), ABSENT) | {
    "of": reference("at.ncp"), "level": "accepted", "officer": "D. Petrović", "at": text_of(NOW),
}  # fmt: skip
HEARTBEAT = {"epoch": 3, "urgent": {"first": 870, "last": 877}, "normal": {"first": 1, "last": 1}}


def largest() -> bytes:
    """A plaintext of 128 KiB."""
    bare = len(to_json({"salt": "A" * 43} | body_of() | {"padding": ""}))
    body = to_json({"salt": "A" * 43} | body_of() | {"padding": "x" * (128 * 1024 - bare)})
    return forge({"schema": "urn:ncp-bridge:route_alert:1.1"}, body=body)


def spelt_otherwise(members: object) -> bytes:
    """The same JSON with blanks, line breaks and everything beyond ASCII escaped."""
    return json.dumps(members, indent=1).encode()


def filled_up() -> bytes:
    """1 MiB on the wire to the byte."""
    wire_bytes = forge()
    return wire_bytes + b" " * (1024 * 1024 - len(wire_bytes))


GOOD: dict[str, Callable[[], Arrival]] = {
    "a route alert to two countries": lambda: Arrival(forge(), hints=GOOD_HINTS),
    "a route alert to one": lambda: Arrival(forge(base=payload_of(to=["at.ncp"]), sealed_to=["at.ncp#enc-a"])),
    "an update of one's own alert": lambda: Arrival(
        forge(kind="alert_update", body={"supersedes": reference("rs.ncp"), "change_summary": "Now by night."}),
        originator="rs.ncp",
    ),
    "a cancellation in a thread unknown here": lambda: Arrival(
        forge(kind="alert_cancel", body={"supersedes": reference("rs.ncp")} | CANCEL)
    ),
    "an acknowledgement": lambda: Arrival(forge(kind="acknowledgement", body=ACKNOWLEDGED)),
    "a receipt, delivered": lambda: Arrival(forge_control(RECEIPT), sent=SENT),
    "a receipt, rejected": lambda: Arrival(
        forge_control(RECEIPT | {"state": "rejected", "code": "E_DECRYPT"}), sent=SENT
    ),
    "a heartbeat": lambda: Arrival(forge_control(HEARTBEAT, kind="heartbeat"), sent=SENT),
    "a resend request": lambda: Arrival(
        forge_control({"epoch": 3, "lane": "urgent", "numbers": [875, 876]}, kind="resend_request"), sent=SENT
    ),
    "an exercise": lambda: Arrival(forge({"status": "exercise"})),
    "a test to a desk in test": lambda: Arrival(
        forge({"status": "test"}), directory=with_contact_point("at.ncp", mode="test")
    ),
    "signed with a second key": lambda: Arrival(forge(signed_by=["rs.ncp#sig-b"])),
    "sealed to the old key": lambda: Arrival(forge(sealed_to=["at.ncp#enc-old", "hu.ncp#enc-a"])),
    "sealed again after a key was lost": lambda: Arrival(forge({"replaces": id_of(NOW - DAY)})),
    "unknown members and codes under a higher minor": lambda: Arrival(
        forge({"schema": "urn:ncp-bridge:route_alert:1.1"}, body={"weather": "snow", "severity": "grave"})
    ),
    "the largest body": lambda: Arrival(largest()),
    "sent 120 seconds ahead": lambda: Arrival(forge(base=payload_of(sent=NOW + TOLERANCE))),
    "a lifetime of 30 days": lambda: Arrival(forge({"expires": text_of(NOW + 30 * DAY)})),
    "an id 120 seconds before sent": lambda: Arrival(forge(base=payload_of() | {"id": id_of(NOW - TOLERANCE)})),
    "an id 120 seconds after sent": lambda: Arrival(forge(base=payload_of() | {"id": id_of(NOW + TOLERANCE)})),
    "read after use_until and before verify_until": lambda: Arrival(
        forge(), now=NOW + 20 * DAY, directory=with_key("rs.ncp#sig-a", use_until=NOW + DAY)
    ),
    "a list confirmed a millisecond less than 45 days ago": lambda: Arrival(
        forge(), directory=replace(DIRECTORY, signed_at=NOW - 45 * DAY + MILLISECOND)
    ),
    "a list older than the sender's": lambda: Arrival(forge({"trust": {"network": "see", "version": 99}})),
    "sent a millisecond before use_until": lambda: Arrival(
        forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW + MILLISECOND)
    ),
    "a millisecond before it expires": lambda: Arrival(
        forge({"expires": text_of(NOW + MILLISECOND)}, base=payload_of(sent=NOW - DAY))
    ),
    "1 MiB with the blanks behind it": lambda: Arrival(filled_up()),
    "text from all planes of Unicode": lambda: Arrival(
        forge(body={"title": "ж 𝄞 𠀀 𰀀 \U000e0041 \U000f0000 \U0010fffd e\u0301 \u200f\u05d0"})
    ),
    "a body in another spelling": lambda: Arrival(forge(body=spelt_otherwise({"salt": "A" * 43} | body_of()))),
    "an envelope in another spelling": lambda: Arrival(spelt_otherwise(json.loads(forge()))),
    "a router": lambda: Arrival(forge(), receiver=Receiver("at"), held_kids=(), hints=GOOD_HINTS),
    "properties without a routing key": lambda: Arrival(
        forge(), hints=replace(GOOD_HINTS, routing_key=None, user_id=None)
    ),
    "a receipt with its properties": lambda: Arrival(
        forge_control(RECEIPT), sent=SENT,
        hints=replace(GOOD_HINTS, type="receipt", routing_key="rs.at.urgent.receipt"),
    ),
}  # fmt: skip


def here_before(wire_bytes: bytes, **changes: object) -> Arrival:
    """A message whose payload is known already."""
    known = digest(parse_envelope(wire_bytes).payload_bytes)
    return replace(Arrival(wire_bytes, known_digest=known), **changes)  # type: ignore[arg-type]


def signed_anew() -> bytes:
    """The same payload under another key of its sender."""
    envelope = json.loads(forge())
    envelope |= signed(base64url.decode(envelope["payload"]), ["rs.ncp#sig-b"])
    return to_json(envelope)


DUPLICATES: dict[str, Callable[[], Arrival]] = {
    "here before": lambda: here_before(forge()),
    "here before and signed anew since its key was revoked": lambda: here_before(
        signed_anew(), directory=with_key("rs.ncp#sig-a", revoked_at=NOW - DAY)
    ),
    "here before and sealed to a key that was destroyed": lambda: here_before(forge(), held_kids=()),
}


@dataclass(frozen=True)
class Numbered:
    """A good message, number 877 of epoch 3 in the urgent lane, and what the receiver's book says of its number.

    Attributes:
        known: (epoch, number, message id) of what came before in that lane.
        missing: the numbers of epoch 3 that are missing afterwards.
        used_again: another message had this number: an alarm.
    """

    known: tuple[tuple[int, int, str], ...]
    missing: tuple[int, ...] = ()
    used_again: bool = False


NUMBERED: dict[str, Numbered] = {
    "the next number": Numbered(((3, 876, OTHER_ID),)),
    "two numbers missing": Numbered(((3, 874, OTHER_ID),), missing=(875, 876)),
    "a number that came late": Numbered(
        ((3, 875, OTHER_ID), (3, 878, id_of(NOW, serial=2))), missing=(876,)
    ),
    "a number used again by another id": Numbered(((3, 877, OTHER_ID),), used_again=True),
    "the first number of an epoch": Numbered(((2, 9000, OTHER_ID),)),
}  # fmt: skip
