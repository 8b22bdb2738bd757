"""A small network with keys, and a forger in it who can change any one thing and make the rest right again.

`forge` commits, seals and signs like an honest sender after every change: digests, commitment, `aad` and signatures are
made anew over what was changed, unless the change is about them. So a forged message passes every step before its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.jose.signatures import is_signature, sign
from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.messages import ControlBody, ReceiptControl
from bridge.core.verification import (
    Receiver,
    TrustView,
    VerifiedMessage,
    authenticate,
    check_originator,
    control_of,
    judge_replay,
    open_message,
    read_receipt,
)
from bridge.core.wire import base64url
from bridge.core.wire.sealed import sealed_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.core.verification import Authenticated, Hints, SentDigests

    Members = dict[str, Any]
    Edit = Callable[[Members], object]

NOW: Final = datetime(2026, 11, 23, 18, 40, 1, 234000, tzinfo=UTC)
DAY: Final = timedelta(days=1)
MILLISECOND: Final = timedelta(milliseconds=1)
ABSENT: Final = object()
SENDER: Final = "rs.ncp"
TO: Final = ("at.ncp", "hu.ncp")
OTHER_ID: Final = "0193b0a0-89ab-7000-8000-0123456789ab"

KINDS: Final = frozenset(
    {"route_alert", "alert_update", "alert_cancel", "acknowledgement", "receipt", "heartbeat", "resend_request"}
)
STATUSES: Final = frozenset({"actual", "exercise", "system", "test"})
KIDS: Final = (
    "rs.ncp#sig-a", "rs.ncp#sig-b", "rs.ncp#sig-other", "rs.ncp#enc-a", "at.ncp#sig-a", "at.ncp#enc-a",
    "at.ncp#enc-old", "hu.ncp#sig-a", "hu.ncp#enc-a", "mk.test#sig-a", "mk.test#enc-a",
)  # fmt: skip
# The same on every machine, so that what was forged once, a vector, stays what it is. For tests and nothing else.
PRIVATE: Final = {
    kid: ec.derive_private_key(
        int.from_bytes(hashlib.sha256(f"ncp-bridge test key {kid}".encode()).digest()), ec.SECP256R1()
    )
    for kid in KIDS
}


@dataclass(frozen=True)
class Ring:
    """What a forger can sign with, by the name it signs under, and whom it can seal to."""

    sign: Callable[[str, bytes], bytes]
    sealing: Mapping[str, PublicKey]


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def id_of(moment: datetime, *, serial: int = 1) -> str:
    milliseconds = round(moment.timestamp() * 1000)
    digits = f"{milliseconds:012x}7000{0x8000000000000000 | serial:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def digest(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def listed_key(kid: str, **changes: object) -> PublicKey:
    point = PRIVATE[kid].public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    alg = "ES256" if "#sig-" in kid else "ECDH-ES+A256KW"
    key = PublicKey(kid=kid, alg=alg, point=point, use_until=NOW + 60 * DAY, verify_until=NOW + 91 * DAY)
    return replace(key, **changes)  # type: ignore[arg-type]


def contact_point(name: str, **changes: object) -> ContactPoint:
    desk = ContactPoint(
        id=name, name=f"Desk of {name}", country=name[:2].upper(), mode="test" if name.endswith("test") else "live",
        remit=Remit(national_desk=True), sends=KINDS, receives=KINDS, statuses=STATUSES, signature_policy=("ES256",),
        accounts={"relay": f"{name[:2]}-relay", "router": f"{name[:2]}-router", "inbox": f"{name[:2]}-inbox"},
    )  # fmt: skip
    return replace(desk, **changes)  # type: ignore[arg-type]


DIRECTORY: Final = Directory(
    network="see",
    version=42,
    signed_at=NOW - timedelta(hours=1),
    contact_points={name: contact_point(name) for name in (SENDER, *TO, "mk.test")},
    signing_keys={kid: listed_key(kid) for kid in KIDS if "#sig-" in kid and kid != "rs.ncp#sig-other"},
    encryption_keys={kid: listed_key(kid) for kid in KIDS if "#enc-" in kid},
)


OWN_RING: Final = Ring(lambda kid, signed: sign(PRIVATE[kid], signed), DIRECTORY.encryption_keys)


def with_key(kid: str, **changes: object) -> Directory:
    return replace(DIRECTORY, signing_keys={**DIRECTORY.signing_keys, kid: listed_key(kid, **changes)})


def with_contact_point(name: str, **changes: object) -> Directory:
    return replace(DIRECTORY, contact_points={**DIRECTORY.contact_points, name: contact_point(name, **changes)})


def payload_of(kind: str = "route_alert", *, sent: datetime = NOW, to: Sequence[str] = TO) -> Members:
    """A good payload without its digests."""
    payload: Members = {
        "v": 1, "id": id_of(sent), "kind": kind, "schema": f"urn:ncp-bridge:{kind}:1.0", "status": "actual",
        "urgency": "immediate", "from": SENDER, "to": list(to), "sent": text_of(sent),
        "expires": text_of(sent + 30 * DAY), "reply_within_s": 3600, "trust": {"network": "see", "version": 42},
    }  # fmt: skip
    return payload | {"seq": {"epoch": 3, "n": dict.fromkeys(to, 877)}}


def body_of(*, thread: str | None = None) -> Members:
    """A good route alert body without its salt; everything an alert must say and text from all planes of Unicode."""
    return {
        "title": "Felszállás Röszkénél: сезонски радници ☎ 🚐", "language": "hu", "tlp": "AMBER", "handling": ["H0"],
        "purpose": "victim_protection", "legal_basis": "Palermo Protocol, art. 10",
        "retain_until": "2026-12-23T18:40:01Z",
        "severity": "severe", "exploitation": ["forced_labour_or_services"], "labour_sector": ["A"],
        "means": ["deception"],
        "legs": [{"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": True}],
        "thread": thread or id_of(NOW), "references": [],
    }  # fmt: skip


def reference(sender: str, message_id: str = OTHER_ID) -> Members:
    return {"from": sender, "id": message_id, "payload_sha256": "A" * 43}


def merged(members: Members, changes: Members) -> Members:
    return {name: value for name, value in (members | changes).items() if value is not ABSENT}


def protected_of(kid: str, *, typ: str, changes: Members) -> str:
    return base64url.encode(to_json(merged({"alg": "ES256", "kid": kid, "typ": typ}, changes)))


def signature_of(protected: str, payload_bytes: bytes, *, private: str, ring: Ring = OWN_RING) -> Members:
    signed = f"{protected}.{base64url.encode(payload_bytes)}".encode("ascii")
    return {"protected": protected, "signature": base64url.encode(ring.sign(private, signed))}


def forge(  # noqa: PLR0913 - one argument for each thing that can be changed
    payload: Members | bytes | None = None,
    *,
    kind: str = "route_alert",
    base: Members | None = None,
    body: Members | bytes | None = None,
    edit_seal: Edit = lambda _: None,
    sealed: str | None = None,
    aad: str | None = None,
    sealed_to: Sequence[str] = ("at.ncp#enc-a", "hu.ncp#enc-a"),
    signed_by: Sequence[str] = ("rs.ncp#sig-a",),
    private: str | None = None,
    typ: str = "ncp-bridge+jws",
    header: Members | None = None,
    edit: Edit = lambda _: None,
    ring: Ring = OWN_RING,
) -> bytes:
    """A sealed message.

    Args:
        payload: changes to the good payload (`ABSENT` takes a member away), or all its bytes.
        base: the good payload, where `payload_of()` is not it.
        body: changes to the good body, or the whole plaintext.
        edit_seal: changes the JWE before it is digested; `sealed` takes its place altogether.
        aad: the binding, where it is not that of the payload.
        sealed_to, signed_by: key ids; `private` names another key that signs under them.
        header: changes to the protected header, which are signed.
        edit: changes the finished envelope, which is not signed again.
        ring: the keys.
    """
    members = payload_of(kind) if base is None else base
    binding = f"ncp-bridge-seal-1\n{members['id']}\n{members['from']}\n{','.join(members['to'])}"
    plaintext = body if isinstance(body, bytes) else to_json(merged({"salt": "A" * 43} | body_of(), body or {}))
    keys = [ring.sealing[kid] for kid in sealed_to]
    jwe = json.loads(sealed_text(seal(plaintext, recipients=keys, aad=aad or base64url.encode(binding.encode()))))
    edit_seal(jwe)
    sealed = to_json(jwe).decode() if sealed is None else sealed
    digests = {"sealed_sha256": digest(sealed.encode()), "body_sha256": digest(plaintext)}
    payload_bytes = payload if isinstance(payload, bytes) else to_json(merged(members | digests, payload or {}))
    envelope = signed(payload_bytes, signed_by, private=private, typ=typ, header=header, ring=ring)
    envelope |= {"sealed": sealed}
    edit(envelope)
    return to_json(envelope)


def forge_control(  # noqa: PLR0913 - as `forge`
    control: object,
    *,
    kind: str = "receipt",
    base: Members | None = None,
    payload: Members | None = None,
    signed_by: Sequence[str] = ("rs.ncp#sig-a",),
    typ: str = "ncp-bridge-control+jws",
    edit: Edit = lambda _: None,
    ring: Ring = OWN_RING,
) -> bytes:
    """A control message from `SENDER` to `at.ncp`; the arguments are those of `forge`."""
    members = payload_of(kind, to=["at.ncp"]) if base is None else base
    members = merged(members, {"seq": ABSENT, "control": control} | (payload or {}))
    envelope = signed(to_json(members), signed_by, typ=typ, ring=ring)
    edit(envelope)
    return to_json(envelope)


def signed(
    payload_bytes: bytes,
    kids: Sequence[str],
    *,
    private: str | None = None,
    typ: str = "ncp-bridge+jws",
    header: Members | None = None,
    ring: Ring = OWN_RING,
) -> Members:
    """An envelope without `sealed`."""
    parts = [(protected_of(kid, typ=typ, changes=header or {}), private or kid) for kid in kids]
    signatures = [signature_of(protected, payload_bytes, private=key, ring=ring) for protected, key in parts]
    return {"payload": base64url.encode(payload_bytes), "signatures": signatures}


RECEIVER: Final = Receiver("at", "at.ncp")


@dataclass(frozen=True)
class Arrival:
    """A message as it reaches a receiver, with everything that the receiver judges by."""

    wire_bytes: bytes
    directory: Directory = DIRECTORY
    highest_version: int = 42
    receiver: Receiver = RECEIVER
    now: datetime = NOW
    hints: Hints | None = None
    known_digest: str | None = None
    held_kids: tuple[str, ...] = ("at.ncp#enc-a", "at.ncp#enc-old")
    originator: str | None = None
    sent: SentDigests | None = None


def receive(arrival: Arrival) -> VerifiedMessage | ControlBody | Authenticated:
    """Steps 1 to 17 as the contact point of the arrival does them; a router's 1 to 12."""
    message = authenticate(
        arrival.wire_bytes, trust=TrustView(arrival.directory, arrival.highest_version), receiver=arrival.receiver,
        now=arrival.now, hints=arrival.hints, is_signature=is_signature,
    )  # fmt: skip
    if arrival.receiver.contact_point is None:
        return message
    if message.envelope.is_control:
        control = control_of(message)
        if isinstance(control, ReceiptControl):
            read_receipt(control, sent=arrival.sent)
        return control
    judge_replay(message, known_digest=arrival.known_digest)
    keys = StoredOpeningKeys(PrivateKeys({kid: PRIVATE[kid] for kid in arrival.held_kids}))
    verified = open_message(message, contact_point=str(arrival.receiver.contact_point), keys=keys)
    check_originator(verified, originator=arrival.originator)
    return verified
