"""A small network to test with: two countries, their keys, and ways to spoil a mirror."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner, Key

from bridge.adapters.trust.governance.ceremony_keys import GOVERNANCE, ONLINE, REVOCATIONS, make_keys
from bridge.adapters.trust.governance.changes import (
    Holders,
    founding,
    governance_change,
    keys_change,
    revocation_change,
)
from bridge.adapters.trust.governance.member_key import load_member_key, make_member_key
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import contact_point_document, keys_document, keys_of, network_document
from bridge.adapters.trust.membership.forms import ContactPointDocument, RevokedKey, Suspension
from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.membership.roles import member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.directory import ContactPoint, PublicKey, Remit
from bridge.core.ids import prefix_of
from bridge.core.wire.payload import CONTROL_KINDS

Run = Callable[..., tuple[int, dict[str, Any]]]  # a command with `--json`: its status and the one object on stdout
Documents = dict[str, ContactPointDocument]

SECRET = b"a machine secret of 32 bytes: 0123"
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


def contact_point(identifier: str, **changes: object) -> ContactPoint:
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
    return ContactPoint(**{**values, **changes})  # type: ignore[arg-type] - by name


def found(folder: Path, *points: ContactPoint, network: str = "see", at: datetime = FOUNDED) -> TufRepository:
    """A network of these contact points: governance 2 of 3, revocation 1 of 2, all keys in its folder."""
    repository = TufRepository(folder)

    def first_version() -> Publication:
        made = make_keys(repository.keys, {GOVERNANCE: 3, REVOCATIONS: 2, **dict.fromkeys(ONLINE, 1)})
        keys = {group: [signer.public_key for signer in signers] for group, signers in made.items()}
        return founding(
            network_document(network, {p.country for p in points if p.country}, [point.id for point in points]),
            [contact_point_document(point) for point in points],
            governance=Holders(keys[GOVERNANCE], 2),
            revocation=Holders(keys[REVOCATIONS], 1),
            online={group: keys[group][0] for group in ONLINE},
            at=at,
        )

    repository.found(first_version, at=at)
    return repository


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
        return TufTrustSource([FolderMirror(self.mirror)], self.folder / "cache", self.pinned_root(), now=self.clock)

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

    def put_mirror_at(self, place: Path) -> None:
        """Brings another mirror up to date."""
        shutil.rmtree(place)
        shutil.copytree(self.mirror, place)

    def put_mirror(self, kept: Path) -> None:
        """Puts a mirror that was kept in the place of the present one."""
        shutil.rmtree(self.mirror)
        shutil.copytree(kept, self.mirror)

    def confirm(self) -> None:
        """Signs the list anew now."""
        self.repository.confirm(at=self.clock())

    def enrol(self, *keys: PublicKey) -> int:
        """Each owner publishes these keys beside those it has; whoever publishes for the first time is admitted."""
        return self.repository.change(lambda present: self._with_keys(present, keys), at=self.clock())

    def revise(self, *points: ContactPoint) -> int:
        """Governance says something else of these contact points, or admits them."""
        return self._govern(lambda documents: documents | {p.id: contact_point_document(p) for p in points})

    def remove(self, prefix: str) -> int:
        """Governance removes a member."""
        return self._govern(lambda documents: {id_: one for id_, one in documents.items() if prefix_of(id_) != prefix})

    def reinstate(self, who: str) -> int:
        """Governance takes suspensions back."""
        return self._govern(lambda documents: documents, reinstated={who: self.clock()})

    def _govern(self, change: Callable[[Documents], Documents], **network: object) -> int:
        return self.repository.change(lambda present: self._revision(present, change, **network), at=self.clock())

    def revision(self, present: VerifiedList, *points: ContactPoint) -> Publication:
        """What governance is to sign for `revise`."""
        return self._revision(present, lambda documents: documents | {p.id: contact_point_document(p) for p in points})

    def _revision(
        self, present: VerifiedList, change: Callable[[Documents], Documents], **network: object
    ) -> Publication:
        documents = change(dict(present.contact_points))
        changed = present.network.model_copy(update={"contact_points": tuple(sorted(documents)), **network})
        return governance_change(present, network=changed, contact_points=documents, admitted={}, at=self.clock())

    def revoke(self, *kids: str, suspend: str | None = None) -> int:
        """The revocation role revokes these keys and suspends a member or contact point."""

        def change(present: VerifiedList) -> Publication:
            now = self.clock()
            before = present.revocations
            suspended = [Suspension(who=suspend, at=now, reason="stolen laptop")] if suspend else []
            document = before.model_copy(
                update={
                    "keys": (*before.keys, *(RevokedKey(kid=kid, at=now, reason="leaked") for kid in kids)),
                    "suspensions": (*before.suspensions, *suspended),
                }
            )
            return revocation_change(present, document, at=now)

        return self.repository.change(change, at=self.clock())

    def member_key(self, prefix: str) -> CryptoSigner:
        """The key with which a member publishes its keys."""
        path = self.folder / f"member-{prefix}.pem"
        if path.exists():
            return load_member_key(path, machine_secret=SECRET)
        return make_member_key(path, machine_secret=SECRET)

    def _with_keys(self, present: VerifiedList, keys: Sequence[PublicKey]) -> Publication:
        prefixes = sorted({prefix_of(key.kid) for key in keys})
        new = {prefix: self.member_key(prefix).public_key for prefix in prefixes if prefix not in present.keys}
        changes = [self._admission(present, new)] if new else []
        for prefix in prefixes:
            signer = self.member_key(prefix)
            there = keys_of(present.keys[prefix]) if prefix in present.keys else ()
            own = keys_document(prefix, [*there, *(key for key in keys if prefix_of(key.kid) == prefix)])
            change = keys_change(present, own, at=self.clock())
            changes.append(change.signed_by([signer], {member_role(prefix): [signer.public_key.keyid]}))
        return joined(changes)

    def _admission(self, present: VerifiedList, admitted: Mapping[str, Key]) -> Publication:
        return governance_change(
            present,
            network=present.network,
            contact_points=present.contact_points,
            admitted=admitted,
            at=self.clock(),
        )


def edit_json(path: Path, change: object) -> None:
    """Changes a JSON file in place; `change` is called with the document."""
    document = json.loads(path.read_bytes())
    change(document)  # type: ignore[operator] - a callable
    path.write_text(json.dumps(document))
