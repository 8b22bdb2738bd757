"""The envelope: JWS General JSON with `sealed` beside it (wire-format: Envelope; verification steps 1 to 4).

Rules:
1. Size before parsing, strict JSON before members, members before header.
2. Exactly the members the format names; a header is exactly `alg`, `kid`, `typ`. `crit`, `jku`, `jwk`, `x5u`, `x5c`,
   `zip`, `b64` and every other name are refused by that.
3. Nothing here is authenticated. Whoever reads an `Envelope` must verify before believing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.core.errors import VerificationError
from bridge.core.ids import is_kid
from bridge.core.wire import base64url, strict_json

MAX_MESSAGE_BYTES: Final = 1024 * 1024
MAX_SIGNATURES: Final = 3
TYP_SEALED: Final = "ncp-bridge+jws"
TYP_CONTROL: Final = "ncp-bridge-control+jws"
SIGNATURE_ALGORITHMS: Final = frozenset({"ES256"})


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """One signature with its decoded header; `protected` is the text that was signed."""

    protected: str
    alg: str
    kid: str
    typ: str
    signature_bytes: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A well-formed, unverified envelope."""

    payload: str
    payload_bytes: bytes
    signatures: tuple[SignaturePart, ...]
    sealed: str | None

    @property
    def is_control(self) -> bool:
        """Whether the header says machine to machine."""
        return self.signatures[0].typ == TYP_CONTROL

    def signing_input(self, part: SignaturePart) -> bytes:
        """The bytes that this signature covers (RFC 7515 section 5.1)."""
        return f"{part.protected}.{self.payload}".encode("ascii")


def build_envelope(payload_bytes: bytes, signatures: list[tuple[str, bytes]], sealed: str | None) -> bytes:
    """The wire bytes for a payload, its signatures as (protected text, signature bytes), and the sealed text."""
    envelope: dict[str, object] = {
        "payload": base64url.encode(payload_bytes),
        "signatures": [
            {"protected": protected, "signature": base64url.encode(signature)} for protected, signature in signatures
        ],
    }
    if sealed is not None:
        envelope["sealed"] = sealed
    return strict_json.encode(envelope)


def protected_header(*, alg: str, kid: str, typ: str) -> str:
    """The text of a protected header."""
    return base64url.encode(strict_json.encode({"alg": alg, "kid": kid, "typ": typ}))


def parse_envelope(wire_bytes: bytes) -> Envelope:
    """Steps 1 to 4.

    Raises:
        VerificationError: `E_SIZE`, `E_JSON`, `E_ENVELOPE` or `E_HEADER`.
    """
    # 1. at most 1 MiB
    if len(wire_bytes) > MAX_MESSAGE_BYTES:
        raise VerificationError(1, "E_SIZE", f"{len(wire_bytes)} bytes, at most {MAX_MESSAGE_BYTES}")
    # 2. strict JSON
    try:
        value = strict_json.parse(wire_bytes)
    except strict_json.StrictJsonError as error:
        raise VerificationError(2, "E_JSON", str(error)) from None
    # 3. exactly payload, 1 to 3 signatures, sealed unless a control message; canonical base64url
    if not isinstance(value, dict):
        raise _malformed("the message is not an object")
    names = set(value)
    if names not in ({"payload", "signatures"}, {"payload", "signatures", "sealed"}):
        raise _malformed("members are not exactly payload, signatures and sealed")
    payload, payload_bytes = _base64url_member(value, "payload")
    sealed = value.get("sealed")
    if "sealed" in names and not (isinstance(sealed, str) and sealed):
        raise _malformed("sealed is not a text")
    raw_parts = _signature_members(value["signatures"])
    if any(_says_control(protected_bytes) for _, protected_bytes, _ in raw_parts) == ("sealed" in names):
        raise _malformed("sealed is there if and only if the message is not a control message")
    # 4. protected header exactly alg, kid, typ; typ known, alg registered
    parts = tuple(_header(text, protected_bytes, signature) for text, protected_bytes, signature in raw_parts)
    if len({part.typ for part in parts}) != 1:
        raise VerificationError(4, "E_HEADER", "the signatures disagree about typ")
    return Envelope(payload, payload_bytes, parts, sealed if isinstance(sealed, str) else None)


def _malformed(detail: str) -> VerificationError:
    return VerificationError(3, "E_ENVELOPE", detail)


def _base64url_member(members: dict[str, object], name: str) -> tuple[str, bytes]:
    text = members[name]
    if not isinstance(text, str) or not text:
        raise _malformed(f"{name} is not a text")
    try:
        return text, base64url.decode(text)
    except ValueError:
        raise _malformed(f"{name} is not canonical base64url") from None


def _signature_members(value: object) -> list[tuple[str, bytes, bytes]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIGNATURES:
        raise _malformed(f"signatures is not a list of 1 to {MAX_SIGNATURES}")
    parts = []
    for item in value:
        if not isinstance(item, dict) or set(item) != {"protected", "signature"}:
            raise _malformed("a signature is not exactly protected and signature")
        protected, protected_bytes = _base64url_member(item, "protected")
        _, signature_bytes = _base64url_member(item, "signature")
        parts.append((protected, protected_bytes, signature_bytes))
    return parts


def _says_control(protected_bytes: bytes) -> bool:
    """Step 3 depends on `typ`, which step 4 judges; an unreadable header says nothing here and fails there."""
    try:
        return strict_json.parse_object(protected_bytes).get("typ") == TYP_CONTROL
    except strict_json.StrictJsonError:
        return False


def _header(protected: str, protected_bytes: bytes, signature_bytes: bytes) -> SignaturePart:
    try:
        header = strict_json.parse_object(protected_bytes)
    except strict_json.StrictJsonError as error:
        raise VerificationError(4, "E_HEADER", str(error)) from None
    if set(header) != {"alg", "kid", "typ"}:
        raise VerificationError(4, "E_HEADER", "the header is not exactly alg, kid, typ")
    alg, kid, typ = header["alg"], header["kid"], header["typ"]
    if not isinstance(typ, str) or typ not in (TYP_SEALED, TYP_CONTROL):
        raise VerificationError(4, "E_HEADER", "typ is unknown")
    if not isinstance(alg, str) or alg not in SIGNATURE_ALGORITHMS:
        raise VerificationError(4, "E_HEADER", "alg is not registered")
    if not isinstance(kid, str) or not is_kid(kid):
        raise VerificationError(4, "E_HEADER", "kid is not a key id")
    return SignaturePart(protected, alg, kid, typ, signature_bytes)
