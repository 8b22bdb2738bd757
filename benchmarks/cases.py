"""What is measured: a sample alert as it is, and contact points with keys in memory to send it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.system import RandomIds
from bridge.app.keys.choosing import signer_of
from bridge.app.sending.make_message import Addressing
from bridge.app.sending.submit import alert_of
from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.messages import AlertFile
from bridge.core.times import to_milliseconds
from bridge.ports.keys import Signer

SAMPLE: Final = Path(__file__).parent.parent / "examples" / "alerts" / "01-rs-at-construction-recruitment-agency.json"
SENDER: Final = "rs.ncp"
SIGNING_KID: Final = f"{SENDER}#sig-1"
_KIND: Final = "route_alert"
_YEAR: Final = timedelta(days=365)


def sample_alert() -> AlertFile:
    """The sample alert; `BadInputError` when it is no longer one."""
    return alert_of(SAMPLE.read_bytes())


@dataclass(frozen=True, slots=True)
class Correspondents:
    """A sender and several recipients, all members of one network, with their private keys."""

    directory: Directory
    sender: KeyDesk
    sender_key: ec.EllipticCurvePrivateKey
    recipients: Mapping[str, KeyDesk]
    recipient_keys: Mapping[str, ec.EllipticCurvePrivateKey]

    @property
    def signer(self) -> Signer:
        """Signs as the sender."""
        return signer_of(self.sender, self.directory, at=self.directory.signed_at)

    def address(self, count: int) -> Addressing:
        """The sample alert's addressing to the first `count` recipients, sent now."""
        now = to_milliseconds(datetime.now(UTC))
        return Addressing(
            id=RandomIds().new(now),
            kind=_KIND,
            status="actual",
            urgency="expected",
            sender=SENDER,
            to=tuple(sorted(self.recipients)[:count]),
            sent=now,
            expires=now + timedelta(days=7),
            reply_within_s=3600,
        )


def make_correspondents(recipients: int) -> Correspondents:
    """A fresh network of one sender and so many recipients in different countries' names."""
    now = datetime.now(UTC)
    names = [f"{chr(ord('a') + index % 26)}x.ncp" for index in range(recipients)]
    signing = {name: ec.generate_private_key(ec.SECP256R1()) for name in (SENDER, *names)}
    opening = {name: ec.generate_private_key(ec.SECP256R1()) for name in (SENDER, *names)}
    directory = Directory(
        network="bench",
        version=1,
        signed_at=now,
        contact_points={name: _contact_point(name) for name in (SENDER, *names)},
        signing_keys={key.kid: key for key in (_public(f"{n}#sig-1", "ES256", k, now) for n, k in signing.items())},
        encryption_keys={
            key.kid: key for key in (_public(f"{n}#enc-1", "ECDH-ES+A256KW", k, now) for n, k in opening.items())
        },
    )
    desks = {
        name: KeyDesk(name, PrivateKeys({f"{name}#sig-1": signing[name], f"{name}#enc-1": opening[name]}))
        for name in (SENDER, *names)
    }
    return Correspondents(
        directory=directory,
        sender=desks.pop(SENDER),
        sender_key=signing[SENDER],
        recipients=desks,
        recipient_keys={name: opening[name] for name in names},
    )


def _public(kid: str, alg: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> PublicKey:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return PublicKey(kid=kid, alg=alg, point=point, use_until=now + _YEAR, verify_until=now + _YEAR)


def _contact_point(identifier: str) -> ContactPoint:
    return ContactPoint(
        id=identifier,
        name=identifier,
        country=identifier[:2].upper(),
        mode="live",
        remit=Remit(national_desk=True),
        sends=frozenset({_KIND}),
        receives=frozenset({_KIND}),
        statuses=frozenset({"actual"}),
        signature_policy=("ES256",),
    )
