"""A contact point that speaks the wire format with jwcrypto, written from wire-format.md and nothing else.

Promises: `make_message` and `make_control` give envelopes as specified; `verify` does steps 1 to 4 and 6 to 10 of the
verification table as far as they need no trust list and no store, `read_message` adds 15 to 17 without the
domain rules; the first failure raises `RefusedError` with the table's code.
Does not know time, trust, authority, replay, sequence or what a body means. Does not import `bridge`.

All cryptography is jwcrypto's. Around it this module does what jwcrypto will not: it has no general form for one
signature, accepts if any signature verifies, tries recipients one after the other and tolerates junk in base64url.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

from envelope_rules import ALG, CONTROL_TYPE, ENC, MESSAGE_TYPE, is_bytes, is_exact_jwe, open_envelope, read_protected
from jwcrypto.common import JWException
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from payload_rules import CONTROL_KINDS, check_payload
from refused import refuse
from strict_text import JsonObject, decode, encode, parse, sha256

Jwk = dict[str, str]


_SALT_BYTES = 32


def new_message_id(moment: datetime | None = None) -> str:
    """A UUIDv7 (RFC 9562) of `moment`, or of now."""
    milliseconds = int((moment or datetime.now(UTC)).timestamp() * 1000)
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def make_message(
    payload_fields: JsonObject,
    body: JsonObject,
    *,
    signing: tuple[str, Jwk],
    recipients: list[tuple[str, Jwk]],
) -> bytes:
    """A complete sealed message: commit, encrypt, sign.

    Args:
        payload_fields: The payload without its two digests.
        body: The body's members, the thread among them where there is one; a `salt` is added unless it is there.
        signing: Key id and private key of the sender.
        recipients: Key id and public key of each recipient.
    """
    plaintext_bytes = to_json({"salt": encode(secrets.token_bytes(_SALT_BYTES)), **body})
    sealed = seal(plaintext_bytes, aad_bytes=seal_binding(payload_fields), recipients=recipients)
    digests = {"sealed_sha256": sha256(sealed.encode()), "body_sha256": sha256(plaintext_bytes)}
    return sign(to_json(payload_fields | digests), signing=signing, sealed=sealed)


def make_control(payload_fields: JsonObject, control: JsonObject, *, signing: tuple[str, Jwk]) -> bytes:
    """A complete control message (receipt, heartbeat, resend request).

    Args:
        payload_fields: The payload without `control`.
        control: The member `control`.
        signing: Key id and private key of the sender.
    """
    return sign(to_json(payload_fields | {"control": control}), signing=signing, typ=CONTROL_TYPE)


def seal_binding(payload: JsonObject) -> bytes:
    """The bytes that tie a sealed body to its message: what the JWE's `aad` encodes."""
    return f"ncp-bridge-seal-1\n{payload['id']}\n{payload['from']}\n{','.join(payload['to'])}".encode()


def seal(plaintext_bytes: bytes, *, aad_bytes: bytes, recipients: list[tuple[str, Jwk]]) -> str:
    """The JWE's JSON text in the general form."""
    jwe = JWE(
        plaintext_bytes, protected=json.dumps({"enc": ENC}, separators=(",", ":")), aad=aad_bytes, flattened=False
    )
    for kid, public_jwk in recipients:
        jwe.add_recipient(JWK(**public_jwk), header={"alg": ALG, "kid": kid})
    return str(jwe.serialize())


def sign(
    payload_bytes: bytes, *, signing: tuple[str, Jwk], sealed: str | None = None, typ: str = MESSAGE_TYPE
) -> bytes:
    """The envelope around `payload_bytes`, with whatever stands in it: tests forge with this one."""
    kid, private_jwk = signing
    jws = JWS(payload_bytes)
    jws.add_signature(JWK(**private_jwk), protected={"alg": "ES256", "kid": kid, "typ": typ})
    flattened = json.loads(jws.serialize())
    entry = {"protected": flattened["protected"], "signature": flattened["signature"]}
    envelope = {"payload": flattened["payload"], "signatures": [entry]}
    return to_json(envelope if sealed is None else envelope | {"sealed": sealed})


def to_json(value: JsonObject) -> bytes:
    """Compact UTF-8 JSON, members in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def verify(raw_bytes: bytes, *, signing_public: dict[str, Jwk]) -> JsonObject:
    """The payload of a message, sealed or control, as anyone may read it who holds the signing keys by key id.

    Raises:
        RefusedError: steps 1 to 4 and 6 to 10, `E_NETWORK` and hints excepted.
    """
    envelope = open_envelope(raw_bytes)
    owner, typ = _verify_signatures(envelope, signing_public)
    sealed = envelope.get("sealed")
    try:
        payload = parse(decode(envelope["payload"]))
    except ValueError as error:
        refuse("E_PAYLOAD", str(error))
    check_payload(payload)
    is_control = payload["kind"] in CONTROL_KINDS
    if not is_control and sealed is not None and sha256(sealed.encode()) != payload["sealed_sha256"]:
        refuse("E_SEAL_DIGEST", "sealed is not what was signed")
    if payload["from"] != owner:
        refuse("E_SENDER", f"{payload['from']} signed by {owner}")
    if is_control != (typ == CONTROL_TYPE):
        refuse("E_ROUTE_MISMATCH", f"{payload['kind']} under {typ}")
    if payload["to"] != sorted(set(payload["to"])):
        refuse("E_NOT_RECIPIENT", "to is not sorted and unique")
    return payload


def read_message(
    raw_bytes: bytes, *, signing_public: dict[str, Jwk], opening: tuple[str, Jwk]
) -> tuple[JsonObject, JsonObject]:
    """Payload and body (with `salt`) of a sealed message.

    Args:
        raw_bytes: The envelope as it arrived.
        signing_public: Signing keys by key id.
        opening: Key id and private key of the recipient.

    Raises:
        RefusedError: what `verify` refuses, and steps 10 and 15 to 17.
    """
    payload = verify(raw_bytes, signing_public=signing_public)
    kid, private_jwk = opening
    if kid.partition("#")[0] not in payload["to"]:
        refuse("E_NOT_RECIPIENT", f"{kid} is not addressed")
    sealed = json.loads(raw_bytes).get("sealed")
    if sealed is None:
        refuse("E_ENVELOPE", "a control message has no body")
    plaintext_bytes = _open_sealed(sealed, payload, kid=kid, private_jwk=private_jwk)
    if sha256(plaintext_bytes) != payload["body_sha256"]:
        refuse("E_COMMITMENT", "the plaintext is not what was committed to")
    try:
        body = parse(plaintext_bytes)
    except ValueError as error:
        refuse("E_BODY", str(error))
    if not is_bytes(body.get("salt"), _SALT_BYTES):
        refuse("E_BODY_SCHEMA", "salt is not 256 bits")
    return payload, body


def _verify_signatures(envelope: JsonObject, signing_public: dict[str, Jwk]) -> tuple[str, str]:
    headers = [read_protected(entry["protected"]) for entry in envelope["signatures"]]
    kinds_of_message = {header["typ"] for header in headers}
    if kinds_of_message != {MESSAGE_TYPE if "sealed" in envelope else CONTROL_TYPE}:
        refuse("E_ENVELOPE", f"sealed and {sorted(kinds_of_message)} do not agree")
    for header in headers:
        if header["kid"] not in signing_public:
            refuse("E_KEY_UNKNOWN", header["kid"])
    owners = {header["kid"].partition("#")[0] for header in headers}
    if len(owners) != 1 or len({header["alg"] for header in headers}) != len(headers):
        refuse("E_SIG_POLICY", "several owners, or an algorithm twice")
    for entry, header in zip(envelope["signatures"], headers, strict=True):
        jws = JWS()
        jws.allowed_algs = ["ES256"]
        try:
            jws.deserialize(json.dumps({"payload": envelope["payload"], **entry}))
            jws.verify(JWK(**signing_public[header["kid"]]))
        except JWException:
            refuse("E_SIGNATURE", header["kid"])
    return owners.pop(), kinds_of_message.pop()


def _open_sealed(sealed: str, payload: JsonObject, *, kid: str, private_jwk: Jwk) -> bytes:
    try:
        jwe = parse(sealed.encode())
        protected = parse(decode(jwe.get("protected")))
    except ValueError as error:
        refuse("E_SEAL", str(error))
    if not is_exact_jwe(jwe, protected):
        refuse("E_SEAL", "not the JWE of the specification")
    if decode(jwe["aad"]) != seal_binding(payload):
        refuse("E_SEAL_BINDING", "sealed for another message")
    entries = {entry["header"]["kid"]: entry for entry in jwe["recipients"]}
    if sorted(entry["header"]["kid"].partition("#")[0] for entry in jwe["recipients"]) != payload["to"]:
        refuse("E_RECIPIENTS", f"sealed to {sorted(entries)}")
    if kid not in entries:
        refuse("E_NO_KEY", f"not sealed to {kid}")
    ours = {name: jwe[name] for name in ("protected", "aad", "iv", "ciphertext", "tag")} | entries[kid]
    opened = JWE(algs=[ALG, ENC])
    try:
        opened.deserialize(json.dumps(ours), JWK(**private_jwk))
    except (JWException, ValueError) as error:
        refuse("E_DECRYPT", str(error))
    return bytes(opened.payload)
