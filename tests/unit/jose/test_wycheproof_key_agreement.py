"""Wycheproof's vectors for ECDH on P-256, through the opening of a sealed body.

A vector's shared secret is put to use as RFC 7518 section 4.6 has it, by hand and with hashlib: if the opening derives
the same secret from the vector's two keys, the body opens. A JWE has the coordinates of a point and no ASN.1, so the
vectors about ASN.1 come down to the question whether the point is on the curve.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from wycheproof_agreements import AGREEING, FOREIGN, ORDER, VECTORS, point_of
from wycheproof_vectors import needs_vectors

from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys
from bridge.core.verification import OpeningError
from bridge.core.wire.sealed import SealedBody, SealedEntry

pytestmark = needs_vectors

KID = "at.ncp#enc-a"
PROTECTED, AAD, IV = "eyJlbmMiOiJBMjU2R0NNIn0", "AAAA", b"\x01" * 12
PLAINTEXT = b'{"salt":"..."}'
CONTENT_KEY = b"\x02" * 32


def sealed_with(shared_secret: bytes, point: bytes) -> tuple[SealedBody, SealedEntry]:
    other_info = b"\x00\x00\x00\x0eECDH-ES+A256KW" + b"\x00" * 8 + b"\x00\x00\x01\x00"
    wrapping_key = hashlib.sha256(b"\x00\x00\x00\x01" + shared_secret + other_info).digest()
    entry = SealedEntry(KID, point, aes_key_wrap(wrapping_key, CONTENT_KEY))
    encrypted = AESGCM(CONTENT_KEY).encrypt(IV, PLAINTEXT, f"{PROTECTED}.{AAD}".encode())
    return SealedBody(PROTECTED, AAD, (entry,), IV, encrypted[:-16], encrypted[-16:]), entry


def keys_of(test: dict[str, Any]) -> StoredOpeningKeys:
    number = int(test["private"], 16) % ORDER
    return StoredOpeningKeys(PrivateKeys({KID: ec.derive_private_key(number, ec.SECP256R1())}))


@pytest.mark.parametrize("test", AGREEING, ids=lambda test: f"{test['tcId']}-{test['comment']}")
def test_a_body_sealed_with_the_vectors_secret_opens(test: dict[str, Any]) -> None:
    # given
    body, entry = sealed_with(bytes.fromhex(test["shared"]), bytes.fromhex(test["public"])[-65:])
    # then
    assert keys_of(test).open(body, entry) == PLAINTEXT


@pytest.mark.parametrize("test", FOREIGN, ids=lambda test: f"{test['tcId']}-{test['comment']}")
def test_a_point_that_is_not_on_the_curve_opens_nothing_whatever_secret_it_would_give(test: dict[str, Any]) -> None:
    # given
    body, entry = sealed_with(bytes.fromhex(test["shared"]), point_of(test) or b"")
    # then
    with pytest.raises(OpeningError):
        keys_of(test).open(body, entry)


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS) == 612
    assert len(AGREEING) > 300
    assert len(FOREIGN) > 20
