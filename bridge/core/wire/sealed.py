"""The sealed body's form: JWE General JSON for several recipients (wire-format: Sealed body). No cryptography here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bridge.core.ids import is_kid
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.payload import MAX_RECIPIENTS

MAX_PLAINTEXT_BYTES: Final = 128 * 1024
KEY_ALGORITHM: Final = "ECDH-ES+A256KW"
CONTENT_ALGORITHM: Final = "A256GCM"
COORDINATE_BYTES: Final = 32
IV_BYTES: Final = 12
TAG_BYTES: Final = 16
WRAPPED_KEY_BYTES: Final = 40


class SealedFormError(ValueError):
    """The sealed text is not exactly the JWE that the format has."""


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """One recipient's way in: whose key, the ephemeral point (65 bytes, uncompressed), the wrapped content key."""

    kid: str
    ephemeral_point: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class SealedBody:
    """A well-formed JWE. `protected` and `aad` are the texts; both are authenticated by the tag."""

    protected: str
    aad: str
    entries: tuple[SealedEntry, ...]
    iv: bytes
    ciphertext: bytes
    tag: bytes

    @property
    def additional_data(self) -> bytes:
        """The bytes that GCM authenticates beside the ciphertext (RFC 7516 section 5.1, step 14)."""
        return f"{self.protected}.{self.aad}".encode("ascii")


def seal_binding(message_id: str, sender: str, to: Iterable[str]) -> str:
    """The `aad` text: it binds a ciphertext to one message, one sender and one list of recipients."""
    return base64url.encode(f"ncp-bridge-seal-1\n{message_id}\n{sender}\n{','.join(to)}".encode())


def protected_text() -> str:
    """The text of the one protected header there is."""
    return base64url.encode(strict_json.encode({"enc": CONTENT_ALGORITHM}))


def sealed_text(body: SealedBody) -> str:
    """The JWE's JSON text."""
    return strict_json.encode(
        {
            "protected": body.protected,
            "recipients": [
                {
                    "header": {
                        "alg": KEY_ALGORITHM,
                        "kid": entry.kid,
                        "epk": {
                            "kty": "EC",
                            "crv": "P-256",
                            "x": base64url.encode(entry.ephemeral_point[1:33]),
                            "y": base64url.encode(entry.ephemeral_point[33:65]),
                        },
                    },
                    "encrypted_key": base64url.encode(entry.wrapped_key),
                }
                for entry in body.entries
            ],
            "aad": body.aad,
            "iv": base64url.encode(body.iv),
            "ciphertext": base64url.encode(body.ciphertext),
            "tag": base64url.encode(body.tag),
        }
    ).decode()


def parse_sealed(text: str) -> SealedBody:
    """The parts of a JWE text; raises `SealedFormError` for any other form."""
    try:
        members = strict_json.parse_object(text.encode("utf-8"))
    except (strict_json.StrictJsonError, UnicodeEncodeError) as error:
        raise SealedFormError(str(error)) from None
    _exactly(members, {"protected", "recipients", "aad", "iv", "ciphertext", "tag"}, "the sealed body")
    protected, aad = _text(members["protected"]), _text(members["aad"])
    _bytes(aad)
    try:
        header = strict_json.parse_object(_bytes(protected))
    except strict_json.StrictJsonError as error:
        raise SealedFormError(str(error)) from None
    if header != {"enc": CONTENT_ALGORITHM}:
        message = f"the protected header is not exactly enc {CONTENT_ALGORITHM}"
        raise SealedFormError(message)
    recipients = members["recipients"]
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= MAX_RECIPIENTS:
        message = f"recipients is not a list of 1 to {MAX_RECIPIENTS}"
        raise SealedFormError(message)
    ciphertext = _bytes(members["ciphertext"])
    if not 1 <= len(ciphertext) <= MAX_PLAINTEXT_BYTES:
        message = f"the ciphertext is not 1 to {MAX_PLAINTEXT_BYTES} bytes"
        raise SealedFormError(message)
    return SealedBody(
        protected=protected,
        aad=aad,
        entries=tuple(_entry(item) for item in recipients),
        iv=_bytes(members["iv"], IV_BYTES),
        ciphertext=ciphertext,
        tag=_bytes(members["tag"], TAG_BYTES),
    )


def _entry(item: object) -> SealedEntry:
    entry = _object(item, {"header", "encrypted_key"}, "a recipient")
    header = _object(entry["header"], {"alg", "kid", "epk"}, "a recipient's header")
    point = _object(header["epk"], {"kty", "crv", "x", "y"}, "epk")
    kid = _text(header["kid"])
    if header["alg"] != KEY_ALGORITHM or point["kty"] != "EC" or point["crv"] != "P-256" or not is_kid(kid):
        message = f"a recipient's header is not {KEY_ALGORITHM} over P-256 with a key id"
        raise SealedFormError(message)
    x, y = _bytes(point["x"], COORDINATE_BYTES), _bytes(point["y"], COORDINATE_BYTES)
    return SealedEntry(kid, b"\x04" + x + y, _bytes(entry["encrypted_key"], WRAPPED_KEY_BYTES))


def _object(value: object, names: set[str], what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        message = f"{what} is not an object"
        raise SealedFormError(message)
    _exactly(value, names, what)
    return value


def _exactly(members: dict[str, object], names: set[str], what: str) -> None:
    if set(members) != names:
        message = f"{what} is not exactly {', '.join(sorted(names))}"
        raise SealedFormError(message)


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = "a member is not a text"
        raise SealedFormError(message)
    return value


def _bytes(value: object, length: int | None = None) -> bytes:
    try:
        data = base64url.decode(_text(value))
    except ValueError:
        message = "a member is not canonical base64url"
        raise SealedFormError(message) from None
    if length is not None and len(data) != length:
        message = f"a member is not {length} bytes"
        raise SealedFormError(message)
    return data
