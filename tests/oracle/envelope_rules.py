"""What an envelope and a sealed body must look like (wire-format: Envelope, Sealed body), read from the specification.

Promises: whatever passes has exactly the specified members, in canonical base64url and of the specified lengths.
Checks no signature and opens nothing.
"""

from __future__ import annotations

from payload_rules import CONTACT_POINT
from refused import refuse
from strict_text import JsonObject, decode, parse

MESSAGE_TYPE = "ncp-bridge+jws"
CONTROL_TYPE = "ncp-bridge-control+jws"
ENC = "A256GCM"
ALG = "ECDH-ES+A256KW"
MAX_MESSAGE_BYTES = 1024 * 1024
MAX_PLAINTEXT_BYTES = 128 * 1024

_MAX_SIGNATURES = 3
_SEALED_LENGTHS = {"iv": 12, "tag": 16}
_WRAPPED_KEY_BYTES = 40
_COORDINATE_BYTES = 32


def open_envelope(raw_bytes: bytes) -> JsonObject:
    """The envelope's members; `E_SIZE`, `E_JSON` or `E_ENVELOPE` (steps 1 to 3)."""
    if len(raw_bytes) > MAX_MESSAGE_BYTES:
        refuse("E_SIZE", f"{len(raw_bytes)} bytes")
    try:
        envelope = parse(raw_bytes)
    except ValueError as error:
        refuse("E_JSON", str(error))
    signatures = envelope.get("signatures")
    well_formed = (
        set(envelope) - {"sealed"} == {"payload", "signatures"}
        and isinstance(envelope.get("sealed", ""), str)
        and isinstance(signatures, list)
        and 1 <= len(signatures) <= _MAX_SIGNATURES
        and all(isinstance(entry, dict) and set(entry) == {"protected", "signature"} for entry in signatures)
        and all(is_bytes(text) for entry in signatures for text in (envelope["payload"], *entry.values()))
    )
    if not well_formed:
        refuse("E_ENVELOPE", f"not an envelope: {sorted(envelope)}")
    return envelope


def read_protected(protected: str) -> JsonObject:
    """One signature's protected header; `E_HEADER` (step 4)."""
    try:
        header = parse(decode(protected))
    except ValueError as error:
        refuse("E_HEADER", str(error))
    well_formed = (
        set(header) == {"alg", "kid", "typ"}
        and header["alg"] == "ES256"
        and header["typ"] in (MESSAGE_TYPE, CONTROL_TYPE)
        and _is_kid(header["kid"])
    )
    if not well_formed:
        refuse("E_HEADER", f"protected header {header}")
    return header


def is_exact_jwe(jwe: JsonObject, protected: JsonObject) -> bool:
    """Whether a parsed JWE and its parsed protected header are of the form that step 15 wants."""
    recipients = jwe.get("recipients")
    return (
        set(jwe) == {"protected", "recipients", "aad", "iv", "ciphertext", "tag"}
        and protected == {"enc": ENC}
        and all(is_bytes(jwe[name], length) for name, length in _SEALED_LENGTHS.items())
        and is_bytes(jwe["aad"])
        and is_bytes(jwe["ciphertext"])
        and len(decode(jwe["ciphertext"])) <= MAX_PLAINTEXT_BYTES
        and isinstance(recipients, list)
        and len(recipients) > 0
        and all(_is_exact_recipient(entry) for entry in recipients)
    )


def _is_exact_recipient(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"header", "encrypted_key"}:
        return False
    header = entry["header"]
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "epk"}:
        return False
    epk = header["epk"]
    return (
        header["alg"] == ALG
        and _is_kid(header["kid"])
        and is_bytes(entry["encrypted_key"], _WRAPPED_KEY_BYTES)
        and isinstance(epk, dict)
        and set(epk) == {"kty", "crv", "x", "y"}
        and (epk["kty"], epk["crv"]) == ("EC", "P-256")
        and all(is_bytes(epk[name], _COORDINATE_BYTES) for name in ("x", "y"))
    )


def _is_kid(value: object) -> bool:
    if not isinstance(value, str):
        return False
    owner, _, name = value.partition("#")
    return CONTACT_POINT.fullmatch(owner) is not None and name != ""


def is_bytes(value: object, length: int | None = None) -> bool:
    """Whether `value` is canonical base64url, of `length` bytes if that is given."""
    try:
        return length in (None, len(decode(value)))
    except ValueError:
        return False
