"""Good messages for the wire vectors: each kind, and the last value on the good side of boundaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    Arrival,
    body_of,
    forge,
    forge_control,
    id_of,
    payload_of,
    reference,
    text_of,
    to_json,
    with_contact_point,
    with_key,
)

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
}
