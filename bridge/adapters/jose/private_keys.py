"""Private P-256 keys in memory, by key id; what keeps them in files builds on this."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.signatures import sign
from bridge.core.errors import UnavailableError

CURVE = ec.SECP256R1()
CODE = "E_KEY_FILE"


class PrivateKeys:
    """Implements `bridge.ports.keys.KeyStore` for as long as the process lives."""

    def __init__(self, keys: Mapping[str, ec.EllipticCurvePrivateKey]) -> None:
        self._keys = dict(keys)

    def kids(self) -> Collection[str]:
        """Every key id."""
        return set(self._keys)

    def point(self, kid: str) -> bytes:
        """The public point, 65 bytes."""
        return self._key(kid).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, kid: str, signing_input: bytes) -> bytes:
        """The 64 signature bytes."""
        return sign(self._key(kid), signing_input)

    def agree(self, kid: str, point: bytes) -> bytes:
        """The raw ECDH secret; raises `ValueError` when the point is not on the curve."""
        return self._key(kid).exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point))

    def make(self, kid: str) -> bytes:
        """Makes a key and answers its public point; raises `FileExistsError` where there is one."""
        if kid in self.kids():
            raise FileExistsError(kid)
        self._keys[kid] = ec.generate_private_key(CURVE)
        return self.point(kid)

    def destroy(self, kid: str) -> None:
        """Forgets a key."""
        self._keys.pop(kid, None)

    def _key(self, kid: str) -> ec.EllipticCurvePrivateKey:
        if kid not in self._keys:
            raise UnavailableError(CODE, f"the private key of {kid} is not here")
        return self._keys[kid]
