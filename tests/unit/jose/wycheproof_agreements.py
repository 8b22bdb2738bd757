"""Wycheproof's vectors for ECDH on P-256, sorted by what they are for whoever has the coordinates of a point.

A JWE has those and no ASN.1, so the vectors about ASN.1 come down to the question whether the point is on the curve.
"""

from __future__ import annotations

from typing import Any

from wycheproof_vectors import vectors_of

# SubjectPublicKeyInfo of an uncompressed point on the named curve P-256.
NAMED_CURVE = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

VECTORS = vectors_of("ecdh_secp256r1_test")


def point_of(test: dict[str, Any]) -> bytes | None:
    """The 65 bytes of an uncompressed 256-bit point at the end of the key, on whichever curve."""
    public = bytes.fromhex(test["public"])
    return public[-65:] if len(public) > 65 and public[-65] == 4 else None


def named(test: dict[str, Any]) -> bool:
    public = bytes.fromhex(test["public"])
    return public.startswith(NAMED_CURVE) and len(public) == len(NAMED_CURVE) + 65


def is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return max(x, y) < PRIME and (y * y - (x * x * x - 3 * x + B)) % PRIME == 0


AGREEING = [test for _, test in VECTORS if named(test) and test["result"] == "valid"]
FOREIGN = [test for _, test in VECTORS if (point := point_of(test)) is not None and not is_on_curve(point)]
