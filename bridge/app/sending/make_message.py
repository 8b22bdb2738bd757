"""Making a message: commit, seal, sign (wire-format: Order). Its bytes are final, nobody encodes them again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import RefusedError
from bridge.core.messages import schema_urn_of
from bridge.core.times import format_time, to_milliseconds
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.envelope import MAX_MESSAGE_BYTES, TYP_CONTROL, TYP_SEALED, build_envelope, protected_header
from bridge.core.wire.payload import MAX_RECIPIENTS
from bridge.core.wire.sealed import MAX_PLAINTEXT_BYTES, seal_binding, sealed_text
from bridge.ports.keys import Seal, Signer

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Addressing:
    """Who sends what to whom, until when: everything of the payload that is decided, not computed."""

    id: str
    kind: str
    status: str
    urgency: str
    sender: str
    to: tuple[str, ...]
    sent: datetime
    expires: datetime
    reply_within_s: int | None = None


@dataclass(frozen=True, slots=True)
class MadeMessage:
    """A finished message and its digests (base64url). `sealed_sha256` is empty for a control message."""

    wire_bytes: bytes
    plaintext_bytes: bytes = field(repr=False)
    payload_sha256: str
    sealed_sha256: str


def make_sealed(
    addressing: Addressing,
    *,
    body: Mapping[str, object],
    numbers: Mapping[str, int],
    epoch: int,
    directory: Directory,
    signer: Signer,
    seal: Seal,
) -> MadeMessage:
    """A sealed message. `body` is the plaintext without its salt.

    Raises:
        RefusedError: `E_NO_RECIPIENT_KEY`, `E_TOO_MANY_RECIPIENTS` or `E_TOO_LARGE`.
    """
    if not 1 <= len(addressing.to) <= MAX_RECIPIENTS:
        raise RefusedError("E_TOO_MANY_RECIPIENTS", f"{len(addressing.to)} recipients; expected 1 to {MAX_RECIPIENTS}")
    salt = base64url.encode(secrets.token_bytes(SALT_BYTES))
    plaintext_bytes = strict_json.encode({"salt": salt, **body})
    if len(plaintext_bytes) > MAX_PLAINTEXT_BYTES:
        raise RefusedError("E_TOO_LARGE", f"the body is {len(plaintext_bytes)} bytes, at most {MAX_PLAINTEXT_BYTES}")
    aad = seal_binding(addressing.id, addressing.sender, addressing.to)
    sealed = sealed_text(seal(plaintext_bytes, recipients=_keys(addressing, directory), aad=aad))
    sealed_sha256 = _digest(sealed.encode())
    payload = _payload(addressing, directory) | {
        "seq": {"epoch": epoch, "n": {to: numbers[to] for to in addressing.to}},
        "sealed_sha256": sealed_sha256,
        "body_sha256": _digest(plaintext_bytes),
    }
    payload_bytes = strict_json.encode(payload)
    wire_bytes = sign_payload(payload_bytes, sealed, signer)
    return MadeMessage(wire_bytes, plaintext_bytes, _digest(payload_bytes), sealed_sha256)


def make_control(
    addressing: Addressing, *, control: Mapping[str, object], directory: Directory, signer: Signer
) -> MadeMessage:
    """A control message: signed, to exactly one contact point, nothing sealed."""
    payload_bytes = control_payload(addressing, control=control, directory=directory)
    return MadeMessage(sign_payload(payload_bytes, None, signer), b"", _digest(payload_bytes), "")


def control_payload(addressing: Addressing, *, control: Mapping[str, object], directory: Directory) -> bytes:
    """The payload of a control message, still to be signed."""
    return strict_json.encode(_payload(addressing, directory) | {"control": dict(control)})


def sign_payload(payload_bytes: bytes, sealed: str | None, signer: Signer) -> bytes:
    """The wire bytes: the payload under one signature, and the sealed text unless it is a control message.

    Raises:
        RefusedError: `E_TOO_LARGE`.
    """
    protected = protected_header(alg=signer.alg, kid=signer.kid, typ=TYP_CONTROL if sealed is None else TYP_SEALED)
    signature = signer.sign(f"{protected}.{base64url.encode(payload_bytes)}".encode("ascii"))
    wire_bytes = build_envelope(payload_bytes, [(protected, signature)], sealed)
    if len(wire_bytes) > MAX_MESSAGE_BYTES:
        raise RefusedError("E_TOO_LARGE", f"the message is {len(wire_bytes)} bytes, at most {MAX_MESSAGE_BYTES}")
    return wire_bytes


def _payload(addressing: Addressing, directory: Directory) -> dict[str, object]:
    reply = {} if addressing.reply_within_s is None else {"reply_within_s": addressing.reply_within_s}
    return {
        "v": 1,
        "id": addressing.id,
        "kind": addressing.kind,
        "schema": schema_urn_of(addressing.kind),
        "status": addressing.status,
        "urgency": addressing.urgency,
        "from": addressing.sender,
        "to": list(addressing.to),
        "sent": format_time(to_milliseconds(addressing.sent)),
        "expires": format_time(to_milliseconds(addressing.expires)),
        **reply,
        "trust": {"network": directory.network, "version": directory.version},
    }


def _keys(addressing: Addressing, directory: Directory) -> Sequence[PublicKey]:
    keys = [directory.seal_key(to, addressing.sent) for to in addressing.to]
    missing = [to for to, key in zip(addressing.to, keys, strict=True) if key is None]
    if missing:
        raise RefusedError(
            "E_NO_RECIPIENT_KEY", f"no valid encryption key for {', '.join(missing)} in the membership list"
        )
    return [key for key in keys if key is not None]


def _digest(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())
