"""A key of governance, of the revocation role or of a member on a token, as python-tuf signs with it."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey

from bridge.adapters.token.keys import TokenKeys

SCHEME: Final = "ecdsa-sha2-nistp256"
_HALF: Final = 32


class TokenSigner(Signer):
    """Signs with one key on a token; python-tuf wants DER where JOSE has r||s."""

    def __init__(self, keys: TokenKeys, label: str) -> None:
        """Raises `UnavailableError` as `TokenKeys` does: the public key is read from the token."""
        self._keys, self._label = keys, label
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), keys.point(label))
        self._public_key = SSlibKey.from_crypto(point, scheme=SCHEME)

    @property
    def public_key(self) -> SSlibKey:
        """The public key as it stands in the membership list's metadata."""
        return self._public_key

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Always `ValueError`: a token is named by its place, and a PIN is never asked for."""
        del secrets_handler
        raise ValueError(f"{priv_key_uri}: found an address for {public_key.keyid}, expected a token's place")

    def sign(self, payload: bytes) -> Signature:
        """The signature over the payload; raises `UnavailableError` as `TokenKeys` does."""
        pair = self._keys.sign(self._label, payload)
        r, s = int.from_bytes(pair[:_HALF], "big"), int.from_bytes(pair[_HALF:], "big")
        return Signature(self._public_key.keyid, encode_dss_signature(r, s).hex())
