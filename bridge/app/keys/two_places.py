"""A contact point's keys while they move, from files to a token: new ones are made in one place, old ones stay in use.

What was sealed to an old key must still open until its queues have drained; then it is destroyed on its schedule, where
it is. Nothing is copied: a key that was in a file was never only on a token.
"""

from __future__ import annotations

from collections.abc import Collection

from bridge.ports.keys import KeyStore


class KeysInTwoPlaces:
    """Implements `KeyStore` over `new`, where keys are made, and `old`, where they may still be."""

    def __init__(self, *, new: KeyStore, old: KeyStore) -> None:
        self._new, self._old = new, old

    def kids(self) -> Collection[str]:
        """The keys of both places."""
        return {*self._new.kids(), *self._old.kids()}

    def point(self, kid: str) -> bytes:
        """The public point, from where the key is."""
        return self._place(kid).point(kid)

    def sign(self, kid: str, signing_input: bytes) -> bytes:
        """The signature, made where the key is."""
        return self._place(kid).sign(kid, signing_input)

    def agree(self, kid: str, point: bytes) -> bytes:
        """The raw ECDH secret, made where the key is."""
        return self._place(kid).agree(kid, point)

    def make(self, kid: str) -> bytes:
        """Makes a key in the new place; raises `FileExistsError` where there is one in either."""
        if kid in self._old.kids():
            raise FileExistsError(kid)
        return self._new.make(kid)

    def destroy(self, kid: str) -> None:
        """Destroys the key wherever it is."""
        self._old.destroy(kid)
        self._new.destroy(kid)

    def _place(self, kid: str) -> KeyStore:
        return self._old if kid in self._old.kids() else self._new
