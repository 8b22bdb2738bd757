"""A small network to test with: two countries, their keys, and ways to spoil a mirror."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.trust import TufRepository, TufTrustSource
from bridge.core.directory import ContactPoint, PublicKey, Remit
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.ports.trust import Member

FOUNDED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def a_point() -> bytes:
    """A fresh public point."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def signing_key(kid: str, **changes: object) -> PublicKey:
    """A signing key that is used for a year."""
    until = FOUNDED + timedelta(days=365)
    values = {"kid": kid, "alg": "ES256", "point": a_point(), "use_until": until}
    return PublicKey(**{**values, "verify_until": until + timedelta(days=31), **changes})  # type: ignore[arg-type] - by name


def sealing_key(kid: str, **changes: object) -> PublicKey:
    """An encryption key that is used for 90 days."""
    until = FOUNDED + timedelta(days=90)
    return signing_key(
        kid, **{"alg": "ECDH-ES+A256KW", "use_until": until, "verify_until": until + timedelta(days=31), **changes}
    )


def member(identifier: str, *keys: PublicKey, **changes: object) -> Member:
    """A national desk with everything else ordinary."""
    prefix, _, name = identifier.partition(".")
    values: dict[str, object] = {
        "id": identifier,
        "name": f"Desk {identifier}",
        "country": prefix.upper(),
        "mode": "live",
        "remit": Remit(national_desk=True),
        "sends": frozenset({"route_alert", "acknowledgement"}) | CONTROL_KINDS,
        "receives": frozenset({"route_alert", "acknowledgement"}) | CONTROL_KINDS,
        "statuses": frozenset({"actual", "exercise"}),
        "signature_policy": ("ES256",),
        "accounts": {"relay": f"{prefix}-relay", "router": f"{prefix}-router", "inbox": f"{prefix}-inbox-{name}"},
    }
    return Member(ContactPoint(**{**values, **changes}), keys)  # type: ignore[arg-type] - by name


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class World:
    """A founded network, a node that reads it, and their clock."""

    folder: Path
    repository: TufRepository
    clock: SetClock

    @property
    def mirror(self) -> Path:
        return self.repository.mirror

    @property
    def metadata(self) -> Path:
        return self.mirror / "metadata"

    def node(self) -> TufTrustSource:
        """The node as after a start: nothing in memory, the cache of before."""
        return TufTrustSource(self.mirror, self.folder / "cache", self.pinned_root(), now=self.clock)

    def pinned_root(self) -> Path:
        """The node's own copy of the first root."""
        pinned = self.folder / "root.json"
        if not pinned.exists():
            shutil.copy(self.repository.first_root, pinned)
        return pinned

    def keep_mirror(self, name: str) -> Path:
        """Copies the mirror aside."""
        kept = self.folder / name
        shutil.copytree(self.mirror, kept)
        return kept

    def put_mirror(self, kept: Path) -> None:
        """Puts a mirror that was kept in the place of the present one."""
        shutil.rmtree(self.mirror)
        shutil.copytree(kept, self.mirror)

    def confirm(self) -> None:
        """Signs the list anew now."""
        self.repository.confirm(at=self.clock())

    def enrol(self, *keys: PublicKey) -> int:
        """Enrols keys now."""
        return self.repository.enrol(keys, at=self.clock())


def edit_json(path: Path, change: object) -> None:
    """Changes a JSON file in place; `change` is called with the document."""
    document = json.loads(path.read_bytes())
    change(document)  # type: ignore[operator] - a callable
    path.write_text(json.dumps(document))
