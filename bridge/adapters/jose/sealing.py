"""Sealing and opening bodies: ECDH-ES+A256KW and A256GCM over `cryptography` (RFC 7518 sections 4.6 and 5.3).

Each recipient gets an ephemeral key of its own, as RFC 7516 has it for the general form. The form of the JWE is the
core's work (bridge.core.wire.sealed); only primitives are called here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.signatures import public_key
from bridge.core.directory import PublicKey
from bridge.core.ids import is_for_opening
from bridge.core.verification import OpeningError
from bridge.core.wire.sealed import (
    IV_BYTES,
    KEY_ALGORITHM,
    TAG_BYTES,
    SealedBody,
    SealedEntry,
    protected_text,
)
from bridge.ports.keys import KeyStore

_KEY_BYTES: Final = 32
_CURVE = ec.SECP256R1()


def _length_prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


# RFC 7518 section 4.6.2: AlgorithmID, no apu, no apv, key length in bits.
_OTHER_INFO: Final = (
    _length_prefixed(KEY_ALGORITHM.encode()) + _length_prefixed(b"") + _length_prefixed(b"") + (256).to_bytes(4, "big")
)


def seal(plaintext_bytes: bytes, *, recipients: Sequence[PublicKey], aad: str) -> SealedBody:
    """The plaintext sealed to every key, bound to `aad` (a base64url text)."""
    content_key, iv, protected = os.urandom(_KEY_BYTES), os.urandom(IV_BYTES), protected_text()
    additional = f"{protected}.{aad}".encode("ascii")
    encrypted = AESGCM(content_key).encrypt(iv, plaintext_bytes, additional)
    return SealedBody(
        protected=protected,
        aad=aad,
        entries=tuple(_entry(key, content_key) for key in recipients),
        iv=iv,
        ciphertext=encrypted[:-TAG_BYTES],
        tag=encrypted[-TAG_BYTES:],
    )


def _entry(recipient: PublicKey, content_key: bytes) -> SealedEntry:
    ephemeral = ec.generate_private_key(_CURVE)
    wrapping_key = _derive(ephemeral.exchange(ec.ECDH(), public_key(recipient.point)))
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return SealedEntry(recipient.kid, point, aes_key_wrap(wrapping_key, content_key))


def _derive(shared_secret: bytes) -> bytes:
    return ConcatKDFHash(SHA256(), _KEY_BYTES, _OTHER_INFO).derive(shared_secret)


class StoredOpeningKeys:
    """Opens with the private keys of one contact point, wherever they are."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def holds(self, kid: str) -> bool:
        """Whether the private key of this id is here."""
        return is_for_opening(kid) and kid in self._keys.kids()

    def open(self, body: SealedBody, entry: SealedEntry) -> bytes:
        """The plaintext; raises `OpeningError` for anything that does not fit together."""
        try:
            wrapping_key = _derive(self._keys.agree(entry.kid, entry.ephemeral_point))
            content_key = aes_key_unwrap(wrapping_key, entry.wrapped_key)
            return AESGCM(content_key).decrypt(body.iv, body.ciphertext + body.tag, body.additional_data)
        except (ValueError, InvalidTag, InvalidUnwrap) as error:
            raise OpeningError from error
