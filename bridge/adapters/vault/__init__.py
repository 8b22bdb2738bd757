"""Bodies at rest: each under a data key of its own, wrapped with the contact point's storage key.

Erasing a body means destroying its wrapped key; the ciphertext is then noise, in backups too (up to the backup's own
copy of the wrapped key). AES-256-GCM for the body, AES key wrap (RFC 3394) for the data key. What a body is found by
is a MAC of its words, under a key of its own that is derived from the storage key.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from bridge.core.errors import UnavailableError
from bridge.ports.vault import BodyAtRest

_IV_BYTES: Final = 12
_KEY_BYTES: Final = 32
_BLINDING: Final = b"ncp-bridge search"  # what the derived key is for


class StorageVault:
    """Seals and opens bodies with the storage keys (32 bytes each) of this node's contact points."""

    def __init__(self, storage_keys: Mapping[str, bytes]) -> None:
        self._storage_keys = dict(storage_keys)
        self._blinding_keys: dict[str, bytes] = {}

    def put(self, contact_point: str, body_bytes: bytes, *, context: str) -> BodyAtRest:
        """Encrypts under a fresh data key; `context` is authenticated with it."""
        data_key, iv = os.urandom(_KEY_BYTES), os.urandom(_IV_BYTES)
        ciphertext = AESGCM(data_key).encrypt(iv, body_bytes, context.encode())
        return BodyAtRest(aes_key_wrap(self._storage_key(contact_point), data_key), iv + ciphertext)

    def get(self, contact_point: str, body: BodyAtRest, *, context: str) -> bytes:
        """The body; `UnavailableError` when key, context and ciphertext do not belong together."""
        try:
            data_key = aes_key_unwrap(self._storage_key(contact_point), body.wrapped_key)
            return AESGCM(data_key).decrypt(body.ciphertext[:_IV_BYTES], body.ciphertext[_IV_BYTES:], context.encode())
        except (InvalidTag, InvalidUnwrap, ValueError):
            raise UnavailableError("E_BODY_AT_REST", "a stored body does not open with this storage key") from None

    def blind(self, contact_point: str, text: str) -> int:
        """The first 63 bits of HMAC-SHA256 of a text."""
        key = self._blinding_keys.get(contact_point)
        if key is None:
            key = hmac.digest(self._storage_key(contact_point), _BLINDING, "sha256")
            self._blinding_keys[contact_point] = key
        return int.from_bytes(hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:8]) >> 1

    def _storage_key(self, contact_point: str) -> bytes:
        try:
            return self._storage_keys[contact_point]
        except KeyError:
            raise UnavailableError("E_KEY_FILE", f"no storage key for {contact_point} on this node") from None
