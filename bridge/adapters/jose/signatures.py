"""ES256 over `cryptography` (RFC 7518 section 3.4): fixed-length r||s instead of DER, one pinned algorithm."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bridge.core.directory import PublicKey

ALGORITHM: Final = "ES256"
_HALF: Final = 32
_ECDSA = ec.ECDSA(SHA256())


def sign(private_key: ec.EllipticCurvePrivateKey, signing_input: bytes) -> bytes:
    """The 64 signature bytes."""
    r, s = decode_dss_signature(private_key.sign(signing_input, _ECDSA))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def is_signature(key: PublicKey, *, signing_input: bytes, signature_bytes: bytes) -> bool:
    """Whether the signature is this key's over the input; anything malformed is `False`."""
    if key.alg != ALGORITHM or len(signature_bytes) != 2 * _HALF:
        return False
    r, s = int.from_bytes(signature_bytes[:_HALF], "big"), int.from_bytes(signature_bytes[_HALF:], "big")
    try:
        public_key(key.point).verify(encode_dss_signature(r, s), signing_input, _ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=4096)
def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key of an uncompressed point; loading costs more than verifying, so it is kept.

    Raises:
        ValueError: not 65 bytes in the uncompressed form, or not on the curve.
    """
    if len(point) != 1 + 2 * _HALF:
        message = "not an uncompressed point"
        raise ValueError(message)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
