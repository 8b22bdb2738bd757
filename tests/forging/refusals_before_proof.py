"""Steps 1 to 8 of the verification table, written from wire-format.md: what fails before anything is proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from forging.wire_forge import (
    ABSENT,
    DAY,
    DIRECTORY,
    NOW,
    Arrival,
    digest,
    forge,
    forge_control,
    payload_of,
    to_json,
    with_contact_point,
    with_key,
)

from bridge.core.wire import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from forging.wire_forge import Members

SEALED = "{}"
PAYLOAD_BYTES = to_json(payload_of() | {"sealed_sha256": digest(SEALED.encode()), "body_sha256": "A" * 43})
OF = {"id": payload_of()["id"], "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}
RECEIPT = {"state": "delivered", "of": OF}


@dataclass(frozen=True)
class Case:
    """One message that must fail at `step` with `code`; `arrival` makes it."""

    step: int
    code: str
    name: str
    arrival: Callable[[], Arrival]


def signed(payload_bytes: bytes) -> Arrival:
    return Arrival(forge(payload_bytes, sealed=SEALED))


def changed(old: bytes, new: bytes) -> Arrival:
    """A payload whose text was changed before it was signed."""
    return signed(PAYLOAD_BYTES.replace(old, new, 1))


def said(**changes: object) -> Arrival:
    """A payload with other members: sealed, digested and signed as it should be."""
    return Arrival(forge({name.rstrip("_"): value for name, value in changes.items()}))


def edited(edit: Callable[[Members], object]) -> Arrival:
    return Arrival(forge(edit=edit))


def headed(**header: object) -> Arrival:
    return Arrival(forge(header=header))


def spoilt(tail: bytes) -> Arrival:
    return Arrival(forge()[:-1] + tail)


def one_bit_of_signature(envelope: Members) -> None:
    signature = bytearray(base64url.decode(envelope["signatures"][0]["signature"]))
    signature[40] ^= 1
    envelope["signatures"][0]["signature"] = base64url.encode(bytes(signature))


def as_der(envelope: Members) -> None:
    raw = base64url.decode(envelope["signatures"][0]["signature"])
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    envelope["signatures"][0]["signature"] = base64url.encode(der)


def other_payload(envelope: Members) -> None:
    envelope["payload"] = base64url.encode(PAYLOAD_BYTES.replace(b'"immediate"', b'"unknown"'))


def header_spaced(envelope: Members) -> None:
    first = envelope["signatures"][0]
    first["protected"] = base64url.encode(base64url.decode(first["protected"]) + b" ")


BOTH_ALGORITHMS = with_contact_point("rs.ncp", signature_policy=("ES256", "ML-DSA-65"))
WITHOUT_SENDER = replace(
    DIRECTORY, contact_points={name: desk for name, desk in DIRECTORY.contact_points.items() if name != "rs.ncp"}
)
MANY = ["at.ncp", *(f"hu.desk-{number}" for number in range(10, 74))]

CASES = [
    Case(1, "E_SIZE", "spaces up to 1 MiB and a byte", lambda: Arrival(forge() + b" " * 1024 * 1024)),
    Case(1, "E_SIZE", "a sealed text of 1 MiB", lambda: Arrival(forge(sealed="x" * 1024 * 1024))),
    Case(2, "E_JSON", "a member twice", lambda: spoilt(b',"sealed":"{}"}')),
    Case(2, "E_JSON", "a member twice, once escaped", lambda: spoilt(b',"seale\\u0064":"{}"}')),
    Case(2, "E_JSON", "a byte order mark", lambda: Arrival(b"\xef\xbb\xbf" + forge())),
    Case(2, "E_JSON", "not UTF-8", lambda: spoilt(b',"x":"\xe9"}')),
    Case(2, "E_JSON", "NaN", lambda: spoilt(b',"x":NaN}')),
    Case(2, "E_JSON", "a lone surrogate", lambda: spoilt(b',"x":"\\udfff"}')),
    Case(2, "E_JSON", "a byte after the message", lambda: Arrival(forge() + b"\x00")),
    Case(2, "E_JSON", "25 levels", lambda: spoilt(b',"x":' + b"[" * 24 + b"]" * 24 + b"}")),
    Case(2, "E_JSON", "a float", lambda: spoilt(b',"x":0.5}')),
    Case(2, "E_JSON", "1,000 levels", lambda: spoilt(b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}")),
    Case(2, "E_JSON", "no byte at all", lambda: Arrival(b"")),
    Case(2, "E_JSON", "1 MiB of brackets", lambda: Arrival(b"[" * 1024 * 1024)),
    Case(3, "E_ENVELOPE", "bits left over in base64url",
         lambda: edited(lambda each: each.update(payload="eyJ2IjoxfR"))),
    Case(3, "E_ENVELOPE", "the alphabet of base64", lambda: edited(lambda each: each.update(payload="+/+/"))),
    Case(3, "E_ENVELOPE", "a line break in base64url",
         lambda: edited(lambda each: each.update(payload=each["payload"] + "\n"))),
    Case(3, "E_ENVELOPE", "no signature", lambda: edited(lambda each: each.update(signatures=[]))),
    Case(3, "E_ENVELOPE", "a member more", lambda: edited(lambda each: each.update(header={}))),
    Case(3, "E_ENVELOPE", "an unprotected header",
         lambda: edited(lambda each: each["signatures"][0].update(header={}))),
    Case(3, "E_ENVELOPE", "no sealed", lambda: edited(lambda each: each.pop("sealed"))),
    Case(3, "E_ENVELOPE", "padding", lambda: edited(lambda each: each.update(payload=each["payload"] + "="))),
    Case(3, "E_ENVELOPE", "four signatures", lambda: Arrival(forge(signed_by=["rs.ncp#sig-a"] * 4))),
    Case(3, "E_ENVELOPE", "sealed beside the control typ", lambda: Arrival(forge(typ="ncp-bridge-control+jws"))),
    Case(
        3, "E_ENVELOPE", "a receipt with sealed",
        lambda: Arrival(forge_control(RECEIPT, edit=lambda e: e.update(sealed="{}")))
    ),
    Case(4, "E_HEADER", "alg none", lambda: headed(alg="none")),
    Case(4, "E_HEADER", "a registered name of another library", lambda: headed(alg="HS256")),
    Case(4, "E_HEADER", "an algorithm reserved for later", lambda: headed(alg="ML-DSA-65")),
    Case(4, "E_HEADER", "alg that is a list", lambda: headed(alg=["ES256"])),
    Case(4, "E_HEADER", "crit", lambda: headed(crit=["b64"], b64=False)),
    Case(4, "E_HEADER", "jwk", lambda: headed(jwk={"kty": "EC"})),
    Case(4, "E_HEADER", "a name reserved for later", lambda: headed(iat=1795459201)),
    Case(4, "E_HEADER", "another typ", lambda: headed(typ="JOSE")),
    Case(4, "E_HEADER", "a member twice", lambda: edited(lambda each: each["signatures"][0].update(
        protected=base64url.encode(b'{"alg":"ES256","alg":"ES256","kid":"rs.ncp#sig-a","typ":"ncp-bridge+jws"}')))),
    Case(4, "E_HEADER", "no kid", lambda: headed(kid=ABSENT)),
    Case(4, "E_HEADER", "a kid without a name", lambda: headed(kid="rs.ncp")),
    Case(5, "E_TRUST_STALE", "a list below the highest seen", lambda: Arrival(forge(), highest_version=43)),
    Case(
        5, "E_TRUST_STALE", "a list confirmed 45 days ago",
        lambda: Arrival(forge(), directory=replace(DIRECTORY, signed_at=NOW - 45 * DAY)),
    ),
    Case(6, "E_KEY_UNKNOWN", "a key that is in no list", lambda: Arrival(forge(signed_by=["rs.ncp#sig-other"]))),
    Case(6, "E_KEY_UNKNOWN", "a key whose owner left", lambda: Arrival(forge(), directory=WITHOUT_SENDER)),
    Case(
        6, "E_KEY_UNKNOWN", "an encryption key's name",
        lambda: Arrival(forge(signed_by=["rs.ncp#enc-a"])),
    ),
    Case(
        6, "E_KEY_REVOKED", "a key revoked a day ago",
        lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", revoked_at=NOW - DAY)),
    ),
    Case(
        6, "E_KEY_REVOKED", "a message from before the revocation",
        lambda: Arrival(
            forge(base=payload_of(sent=NOW - 2 * DAY)), directory=with_key("rs.ncp#sig-a", revoked_at=NOW - DAY)
        ),
    ),
    Case(
        6, "E_KEY_EXPIRED", "a clock at verify_until",
        lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", verify_until=NOW)),
    ),
    Case(
        6, "E_KEY_EXPIRED", "a clock past verify_until of one of two keys",
        lambda: Arrival(
            forge(signed_by=["rs.ncp#sig-a", "rs.ncp#sig-b"]),
            directory=with_key("rs.ncp#sig-b", verify_until=NOW - DAY)
        ),
    ),
    Case(
        6, "E_ALG", "a key pinned to ML-DSA-65",
        lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", alg="ML-DSA-65")),
    ),
    Case(
        6, "E_ALG", "a key pinned to key agreement",
        lambda: Arrival(forge(), directory=with_key("rs.ncp#sig-a", alg="ECDH-ES+A256KW")),
    ),
    Case(7, "E_SIG_POLICY", "two owners", lambda: Arrival(forge(signed_by=["rs.ncp#sig-a", "at.ncp#sig-a"]))),
    Case(7, "E_SIG_POLICY", "one key twice", lambda: Arrival(forge(signed_by=["rs.ncp#sig-a", "rs.ncp#sig-a"]))),
    Case(7, "E_SIG_POLICY", "one algorithm twice", lambda: Arrival(forge(signed_by=["rs.ncp#sig-a", "rs.ncp#sig-b"]))),
    Case(7, "E_SIG_POLICY", "one of two algorithms missing", lambda: Arrival(forge(), directory=BOTH_ALGORITHMS)),
    Case(7, "E_SIGNATURE", "signed with another key", lambda: Arrival(forge(private="rs.ncp#sig-b"))),
    Case(7, "E_SIGNATURE", "one bit of the signature", lambda: edited(one_bit_of_signature)),
    Case(7, "E_SIGNATURE", "the payload changed afterwards", lambda: edited(other_payload)),
    Case(7, "E_SIGNATURE", "the header's text changed afterwards", lambda: edited(header_spaced)),
    Case(7, "E_SIGNATURE", "a signature in DER", lambda: edited(as_der)),
    Case(7, "E_SIGNATURE", "zeros", lambda: edited(lambda each: each["signatures"][0].update(signature="A" * 86))),
    Case(8, "E_PAYLOAD", "no JSON", lambda: signed(b"{'v': 1}")),
    Case(8, "E_PAYLOAD", "a list", lambda: signed(b"[" + PAYLOAD_BYTES + b"]")),
    Case(8, "E_PAYLOAD", "a member twice", lambda: changed(b'"v":1', b'"v":1,"v":1')),
    Case(8, "E_PAYLOAD", "a member twice, once escaped", lambda: changed(b'"v":1', b'"v":1,"\\u0076":1')),
    Case(8, "E_PAYLOAD", "a float", lambda: changed(b"3600", b"3600.0")),
    Case(8, "E_PAYLOAD", "a number beyond 2^53", lambda: changed(b"877", b"9007199254740993")),
    Case(8, "E_SCHEMA", "another major version", lambda: said(schema="urn:ncp-bridge:route_alert:2.0")),
    Case(8, "E_SCHEMA", "the schema of another kind", lambda: said(schema="urn:ncp-bridge:alert_update:1.0")),
    Case(8, "E_SCHEMA", "a kind that nobody knows", lambda: said(kind="x", schema="urn:ncp-bridge:x:1.0")),
    Case(8, "E_SCHEMA", "a kind that is a list", lambda: said(kind=["route_alert"])),
    Case(8, "E_SCHEMA", "another version of the payload", lambda: said(v=2)),
    Case(8, "E_SCHEMA", "true for 1", lambda: said(v=True)),
    Case(8, "E_SCHEMA", "the thread in the payload", lambda: said(thread=payload_of()["id"])),
    Case(8, "E_SCHEMA", "an unknown member under a higher minor",
         lambda: said(schema="urn:ncp-bridge:route_alert:1.7", child=True)),
    Case(8, "E_SCHEMA", "a draft", lambda: said(status="draft")),
    Case(8, "E_SCHEMA", "no recipient", lambda: said(to=[])),
    Case(8, "E_SCHEMA", "65 recipients", lambda: said(to=MANY, seq={"epoch": 3, "n": dict.fromkeys(MANY, 1)})),
    Case(8, "E_SCHEMA", "50,000 recipients", lambda: said(to=[0] * 50_000)),
    Case(8, "E_SCHEMA", "a member that is null", lambda: said(replaces=None)),
    Case(8, "E_SCHEMA", "a member missing", lambda: said(seq=ABSENT)),
    Case(8, "E_SCHEMA", "from under another name", lambda: said(from_=ABSENT, sender="rs.ncp")),
    Case(8, "E_SCHEMA", "a number for a stranger", lambda: said(seq={"epoch": 3, "n": {"at.ncp": 1, "mk.test": 1}})),
    Case(8, "E_SCHEMA", "control in a sealed message", lambda: said(control=RECEIPT)),
    Case(8, "E_SCHEMA", "a receipt for two", lambda: Arrival(
        forge_control(RECEIPT, payload={"to": ["at.ncp", "hu.ncp"]}))),
    Case(8, "E_SCHEMA", "a receipt with a number", lambda: Arrival(
        forge_control(RECEIPT, payload={"seq": {"epoch": 3, "n": {"at.ncp": 1}}}))),
    Case(8, "E_SCHEMA", "a receipt with a digest of nothing", lambda: Arrival(
        forge_control(RECEIPT, payload={"sealed_sha256": "A" * 43}))),
    Case(8, "E_SCHEMA", "a receipt without control", lambda: Arrival(forge_control(ABSENT))),
    Case(8, "E_NETWORK", "another network", lambda: said(trust={"network": "amber", "version": 42})),
    Case(8, "E_NETWORK", "our network in other letters", lambda: said(trust={"network": "SEE", "version": 42})),
    Case(8, "E_SEAL_DIGEST", "a space in sealed",
         lambda: edited(lambda each: each.update(sealed=each["sealed"] + " "))),
    Case(8, "E_SEAL_DIGEST", "another sealed", lambda: edited(lambda each: each.update(sealed="{}"))),
    Case(8, "E_SEAL_DIGEST", "the digest of another", lambda: said(sealed_sha256=digest(b"another"))),
]  # fmt: skip
