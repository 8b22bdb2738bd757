"""The bridge as one more contact point beside the two peers: the same calls, done with the bridge's own code.

Promises: `make_message` and `make_control` go through `bridge.app.sending.make_message`; `read_message` and
`read_control` go through steps 1 to 17 of `bridge.core.verification`. The membership list holds the keys that they are
given.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from bridge.adapters.jose.desk import StoredSigner
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.jose.signatures import is_signature
from bridge.app.sending.make_message import Addressing, MadeMessage, make_control, make_sealed
from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.ids import owner_of
from bridge.core.times import parse_time
from bridge.core.verification import (
    Authenticated,
    Receiver,
    SentDigests,
    TrustView,
    VerifiedMessage,
    authenticate,
    control_of,
    open_message,
    read_receipt,
)
from bridge.core.wire import base64url

if TYPE_CHECKING:
    from sample_messages import KeyPair
    from strict_text import JsonObject

    from bridge.core.messages import ControlBody

KINDS = frozenset({"route_alert", "acknowledgement", "receipt"})


def private_key_of(pair: KeyPair) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(base64url.decode(pair.private["d"]), "big"), ec.SECP256R1())


def directory_of(signing_key: KeyPair, sealing_keys: list[KeyPair]) -> Directory:
    """A membership list of the owners of these keys, confirmed an hour ago."""
    owners = sorted({owner_of(key.kid) for key in (signing_key, *sealing_keys)})
    return Directory(
        network="see",
        version=42,
        signed_at=datetime.now(UTC) - timedelta(hours=1),
        contact_points={owner: _contact_point(owner) for owner in owners},
        signing_keys={signing_key.kid: _listed(signing_key, "ES256")},
        encryption_keys={key.kid: _listed(key, "ECDH-ES+A256KW") for key in sealing_keys},
    )


def _contact_point(name: str) -> ContactPoint:
    return ContactPoint(
        id=name,
        name=name,
        country=None if name.startswith("xo.") else name[:2].upper(),
        mode="live",
        remit=Remit(),
        sends=KINDS,
        receives=KINDS,
        statuses=frozenset({"actual"}),
        signature_policy=("ES256",),
    )


def _listed(pair: KeyPair, alg: str) -> PublicKey:
    point = b"\x04" + base64url.decode(pair.public["x"]) + base64url.decode(pair.public["y"])
    until = datetime.now(UTC) + timedelta(days=60)
    return PublicKey(pair.kid, alg, point, until, until + timedelta(days=31))


def made_sealed(
    fields: JsonObject, body: JsonObject, *, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> MadeMessage:
    """What the bridge makes of the peers' payload fields and body."""
    return make_sealed(
        _addressing(fields),
        body=body,
        numbers=fields["seq"]["n"],
        epoch=fields["seq"]["epoch"],
        directory=directory_of(signing_key, sealing_keys),
        signer=_signer(signing_key),
        seal=seal,
    )


def made_control(fields: JsonObject, control: JsonObject, *, signing_key: KeyPair) -> MadeMessage:
    """What the bridge makes of the peers' payload fields and control member."""
    return make_control(
        _addressing(fields), control=control, directory=directory_of(signing_key, []), signer=_signer(signing_key)
    )


def read_message(
    raw_bytes: bytes, *, signing_key: KeyPair, sealing_keys: list[KeyPair], opening_key: KeyPair
) -> VerifiedMessage:
    """Steps 1 to 12 and 15 to 17 as the owner of `opening_key`."""
    owner = owner_of(opening_key.kid)
    message = _authenticate(raw_bytes, owner, directory_of(signing_key, sealing_keys))
    keys = StoredOpeningKeys(PrivateKeys({opening_key.kid: private_key_of(opening_key)}))
    return open_message(message, contact_point=owner, keys=keys)


def read_control(
    raw_bytes: bytes, *, signing_key: KeyPair, sealing_keys: list[KeyPair], to: str, sent: SentDigests
) -> ControlBody:
    """Steps 1 to 12 and what follows them for a receipt, as `to`."""
    control = control_of(_authenticate(raw_bytes, to, directory_of(signing_key, sealing_keys)))
    read_receipt(control, sent=sent)  # type: ignore[arg-type]
    return control


def _authenticate(raw_bytes: bytes, owner: str, directory: Directory) -> Authenticated:
    return authenticate(
        raw_bytes,
        trust=TrustView(directory, 42),
        receiver=Receiver(owner[:2], owner),
        now=datetime.now(UTC),
        hints=None,
        is_signature=is_signature,
    )


def _addressing(fields: JsonObject) -> Addressing:
    return Addressing(
        id=fields["id"],
        kind=fields["kind"],
        status=fields["status"],
        urgency=fields["urgency"],
        sender=fields["from"],
        to=tuple(fields["to"]),
        sent=parse_time(fields["sent"]),
        expires=parse_time(fields["expires"]),
        reply_within_s=fields.get("reply_within_s"),
    )


def _signer(pair: KeyPair) -> StoredSigner:
    return StoredSigner(PrivateKeys({pair.kid: private_key_of(pair)}), pair.kid)
