"""A contact point's private keys on a token: made there, used there, never to be read from there.

Rules:
1. A key carries its key id as label. It signs or it agrees, never both, and is neither extractable nor readable.
2. A public point is held against the curve before the token sees it, whatever the token would do.
3. Of ECDH the token gives the raw secret (`CKD_NULL`), which lives for one message, as it does with keys in files.
4. A key that is not there is `E_TOKEN_KEY`; a token that is not there never looks like a token without keys.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from typing import Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pkcs11 import KDF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import NoSuchKey, PKCS11Error
from pkcs11.types import DeriveMixin, SignMixin
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from bridge.adapters.token.token import Token
from bridge.core.errors import UnavailableError
from bridge.core.ids import OPENING_NAME

CODE: Final = "E_TOKEN_KEY"
FRESH_SECONDS: Final = 1.0
_CURVE: Final = ec.SECP256R1()
_SECRET_BITS: Final = 256


class TokenKeys:
    """The keys on a token whose labels begin with `prefix`, for example `rs.ncp#`; without one, all of them."""

    def __init__(self, token: Token, prefix: str = "") -> None:
        self._token, self._prefix = token, prefix
        self._session: pkcs11.Session | None = None  # whose handles these are
        self._keys: dict[str, pkcs11.PrivateKey] = {}
        self._twice = set[str]()  # which of them stand for more than one
        self._had_keys = False
        self._found_at = 0.0

    def kids(self) -> Collection[str]:
        """Every private key that is on the token now, or was within the last second."""
        return self._token.use(self._fresh).keys()

    def point(self, kid: str) -> bytes:
        """The public point, 65 bytes, of a key that is here."""
        return self._token.use(lambda session: _point(self._public_key(session, kid)))

    def sign(self, kid: str, signing_input: bytes) -> bytes:
        """The ES256 signature in JOSE form, 64 bytes: what PKCS#11 gives is just that."""
        digest = hashlib.sha256(signing_input).digest()
        return self._token.use(lambda session: self._signed(session, kid, digest))

    def agree(self, kid: str, point: bytes) -> bytes:
        """The raw ECDH secret, 32 bytes, with a public point; raises `ValueError` when that is not on the curve."""
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        return self._token.use(lambda session: self._agreed(session, kid, point))

    def make(self, kid: str) -> bytes:
        """Makes a key on the token and answers its public point; raises `FileExistsError` where there is one."""
        return self._token.use(lambda session: self._made(session, kid))

    def destroy(self, kid: str) -> None:
        """Destroys both parts of a key for good; nothing happens where there is none."""
        self._token.use(lambda session: self._destroyed(session, kid))

    def _fresh(self, session: pkcs11.Session) -> dict[str, pkcs11.PrivateKey]:
        if session is self._session and time.monotonic() - self._found_at < FRESH_SECONDS:
            return self._keys
        # Searching a lost session leaves a search behind that ends badly later; so something small is asked for first.
        session.generate_random(_SECRET_BITS)
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: KeyType.EC}
        own: dict[str, pkcs11.PrivateKey] = {}
        twice = set[str]()
        for key in session.get_objects(wanted):
            label = str(key[Attribute.LABEL])
            if isinstance(key, pkcs11.PrivateKey) and label.startswith(self._prefix):
                twice |= {label} & own.keys()
                own[label] = key
        if not own and self._had_keys and not self._token.is_new:
            raise _NothingFoundError
        self._had_keys = bool(own)
        self._session, self._keys, self._twice, self._found_at = session, own, twice, time.monotonic()
        return own

    def _key(self, session: pkcs11.Session, kid: str) -> pkcs11.PrivateKey:
        key = self._keys.get(kid) if session is self._session else None
        if key is None:
            key = self._fresh(session).get(kid)
        if key is None:
            raise self._missing(kid)
        if kid in self._twice:
            raise UnavailableError(CODE, f"token {self._token.label} holds two keys labelled {kid}; expected one")
        return key

    def _public_key(self, session: pkcs11.Session, kid: str) -> pkcs11.PublicKey:
        self._key(session, kid)  # whoever holds the public part alone does not hold the key
        try:
            found = session.get_key(ObjectClass.PUBLIC_KEY, KeyType.EC, label=kid)
        except NoSuchKey:
            raise self._missing(kid) from None
        if not isinstance(found, pkcs11.PublicKey):
            raise self._missing(kid)
        return found

    def _signed(self, session: pkcs11.Session, kid: str, digest: bytes) -> bytes:
        key = self._key(session, kid)
        if not isinstance(key, SignMixin):
            raise UnavailableError(CODE, f"{kid} on token {self._token.label} does not sign")
        return key.sign(digest, mechanism=Mechanism.ECDSA)

    def _agreed(self, session: pkcs11.Session, kid: str, point: bytes) -> bytes:
        key = self._key(session, kid)
        if not isinstance(key, DeriveMixin):
            raise UnavailableError(CODE, f"{kid} on token {self._token.label} does not open")
        secret = key.derive_key(
            KeyType.GENERIC_SECRET,
            _SECRET_BITS,
            mechanism=Mechanism.ECDH1_DERIVE,
            mechanism_param=(KDF.NULL, None, point),
            template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
        )
        try:
            return bytes(secret[Attribute.VALUE])
        finally:
            secret.destroy()

    def _made(self, session: pkcs11.Session, kid: str) -> bytes:
        if kid in self._fresh(session):
            raise FileExistsError(kid)
        self._forget()
        uses = MechanismFlag.DERIVE if self._is_for_opening(kid) else MechanismFlag.SIGN | MechanismFlag.VERIFY
        with session.token.open(rw=True) as writing:
            parameters = writing.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
            )
            public_key, _ = parameters.generate_keypair(
                label=kid,
                id=kid.encode(),
                store=True,
                mechanism=Mechanism.EC_KEY_PAIR_GEN,
                capabilities=uses,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
            self._had_keys = True
            return _point(public_key)

    def _destroyed(self, session: pkcs11.Session, kid: str) -> None:
        self._forget()
        with session.token.open(rw=True) as writing:
            for part in list(writing.get_objects({Attribute.LABEL: kid, Attribute.KEY_TYPE: KeyType.EC})):
                part.destroy()

    def _is_for_opening(self, kid: str) -> bool:
        return kid.removeprefix(self._prefix).startswith(OPENING_NAME)

    def _forget(self) -> None:
        self._session, self._keys = None, {}

    def _missing(self, kid: str) -> UnavailableError:
        return UnavailableError(CODE, f"token {self._token.label} holds no key {kid}")


class _NothingFoundError(PKCS11Error):
    """What some tokens answer that were taken away; believed of a token that was signed in to anew."""


def _point(public_key: pkcs11.PublicKey) -> bytes:
    loaded = load_der_public_key(encode_ec_public_key(public_key))
    if not isinstance(loaded, ec.EllipticCurvePublicKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise UnavailableError(CODE, f"{public_key.label} on the token is not a P-256 key")
    return loaded.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
