"""The network's repository where it is signed: founds it, enrols keys, confirms the list.

Rules:
1. Every change is a new version. Files are named by version or digest and never change; the timestamp, written last
   and by one rename, is what makes a version visible. A reader sees the old version or the new one, nothing between.
2. A document is written only after it was read back by the rules that readers apply.
3. Before a change the present version is verified; on what does not verify nothing is built.
4. One change at a time.

Layout: `mirror/metadata/` and `mirror/targets/` are what nodes read; `keys/` stays here.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import StorageError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from bridge.adapters.trust.ceremony_keys import ROLES, Signers, load_ceremony_keys, make_ceremony_keys
from bridge.adapters.trust.documents import NetworkDocument, document_of, read_document, write_document
from bridge.adapters.trust.locking import LockedError, locked
from bridge.adapters.trust.mirror import METADATA, TARGETS, TIMESTAMP
from bridge.adapters.trust.reading import FIRST_ROOT, MIRROR, read_state
from bridge.adapters.trust.verified_list import NETWORK, contact_point_target
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import owner_of
from bridge.core.wire import strict_json
from bridge.ports.trust import Member, NetworkState

LOCK_SECONDS: Final = 30.0
KEYS: Final = "keys"

Part = TypeVar("Part", Root, Timestamp, Snapshot, Targets)


class TufRepository:
    """One network's folder. Every change is one new version, signed by the thresholds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._metadata = folder / MIRROR / METADATA
        self._targets = folder / MIRROR / TARGETS

    @property
    def mirror(self) -> Path:
        """The folder that nodes read."""
        return self._folder / MIRROR

    @property
    def first_root(self) -> Path:
        """The root file that members pin."""
        return self._metadata / FIRST_ROOT

    def found(self, network: str, countries: Sequence[str], members: Sequence[Member], *, at: datetime) -> None:
        """Makes the ceremony keys and the first version, signed as of `at`.

        Raises:
            RefusedError: a network is there already (`E_NETWORK_EXISTS`).
            BadInputError: a member breaks a rule of the membership list.
            UnavailableError: the folder cannot be written.
        """
        documents = {contact_point_target(member.point.id): write_document(document_of(member)) for member in members}
        documents[NETWORK] = _network_bytes(network, countries, members)
        with self._one_change():
            if self._metadata.exists() or any((self._folder / KEYS).glob("*.pem")):
                raise RefusedError("E_NETWORK_EXISTS", f"{self._folder} already holds a network; nothing was changed")
            signers = make_ceremony_keys(self._folder / KEYS)
            self._metadata.mkdir(parents=True)
            root = Root(expires=_expires("root", at), consistent_snapshot=True)
            for role, rule in ROLES.items():
                for signer in signers[role]:
                    root.add_key(signer.public_key, role)
                root.roles[role].threshold = rule.threshold
            self._write(FIRST_ROOT, root, signers["root"])
            self._publish(Targets(), Snapshot(), Timestamp(), documents, signers=signers, at=at)

    def state(self, *, at: datetime | None = None) -> NetworkState:
        """The verified state as of `at`, or now.

        Raises:
            UnavailableError: no network is there (`E_NETWORK_FOLDER`).
            RefusedError: signatures, digests or expiry do not hold (`E_NETWORK_INVALID`).
        """
        return read_state(self._folder, at=at)[0]

    def last_valid_moment(self, *, now: datetime) -> datetime:
        """Now, or the second before the timestamp expired. It only says as of when to verify, and proves nothing."""
        try:
            expires = self._last(TIMESTAMP, Timestamp).expires
        except (StorageError, DeserializationError):
            return now
        return min(now, expires - timedelta(seconds=1))

    def enrol(self, keys: Sequence[PublicKey], *, at: datetime) -> int:
        """Adds public keys to their owners' documents in one new version, and answers that version.

        Raises:
            BadInputError: an owner is not a member, or a key breaks a rule of the membership list.
            RefusedError: a key id is enrolled already (`E_KEY_EXISTS`), or the network does not verify.
            UnavailableError: too few ceremony keys are here, or the folder is busy or cannot be written.
        """
        with self._one_change():
            members = {member.point.id: member for member in read_state(self._folder, at=at)[1].members}
            changed: dict[str, Member] = {}
            for key in keys:
                owner = owner_of(key.kid)
                if owner not in members:
                    raise BadInputError("E_NOT_A_MEMBER", f"{owner} is not a contact point of the network")
                member = changed.get(owner, members[owner])
                if any(there.kid == key.kid for there in member.keys):
                    raise RefusedError("E_KEY_EXISTS", f"the key {key.kid} is enrolled already; nothing was changed")
                changed[owner] = Member(member.point, (*member.keys, key))
            return self._publish_members(list(changed.values()), at)

    def revise(self, members: Sequence[Member], *, at: datetime) -> int:
        """Replaces the documents of existing members (a suspension, a revoked key) in one new version; answers it.

        Raises:
            BadInputError: one of them is not a member, or breaks a rule of the membership list.
        """
        with self._one_change():
            there = {member.point.id for member in read_state(self._folder, at=at)[1].members}
            strangers = sorted(member.point.id for member in members if member.point.id not in there)
            if strangers:
                raise BadInputError("E_NOT_A_MEMBER", f"{', '.join(strangers)}: not in the network")
            return self._publish_members(members, at)

    def confirm(self, *, at: datetime) -> None:
        """Signs the present version anew: the list is as before, and fresh. Due every 6 hours."""
        with self._one_change():
            read_state(self._folder, at=at)
            root, timestamp = self._last_root(), self._last(TIMESTAMP, Timestamp)
            timestamp.version += 1
            timestamp.expires = _expires("timestamp", at)
            self._write(TIMESTAMP, timestamp, load_ceremony_keys(self._folder / KEYS, root)["timestamp"])

    def _publish_members(self, members: Sequence[Member], at: datetime) -> int:
        timestamp = self._last(TIMESTAMP, Timestamp)
        snapshot = self._last(f"{timestamp.snapshot_meta.version}.snapshot.json", Snapshot)
        targets = self._last(f"{snapshot.meta['targets.json'].version}.targets.json", Targets)
        for signed in (targets, snapshot, timestamp):
            signed.version += 1
        documents = {contact_point_target(member.point.id): write_document(document_of(member)) for member in members}
        signers = load_ceremony_keys(self._folder / KEYS, self._last_root())
        return self._publish(targets, snapshot, timestamp, documents, signers=signers, at=at)

    def _publish(
        self,
        targets: Targets,
        snapshot: Snapshot,
        timestamp: Timestamp,
        documents: Mapping[str, bytes],
        *,
        signers: Signers,
        at: datetime,
    ) -> int:
        for target, data in documents.items():
            folder, _, name = target.rpartition("/")
            _write_file(self._targets / folder / f"{hashlib.sha256(data).hexdigest()}.{name}", data)
            targets.targets[target] = TargetFile.from_data(target, data, ["sha256"])
        targets.expires = _expires("targets", at)
        targets_bytes = self._write(f"{targets.version}.targets.json", targets, signers["targets"])
        snapshot.meta["targets.json"] = MetaFile.from_data(targets.version, targets_bytes, ["sha256"])
        snapshot.expires = _expires("snapshot", at)
        snapshot_bytes = self._write(f"{snapshot.version}.snapshot.json", snapshot, signers["snapshot"])
        timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, snapshot_bytes, ["sha256"])
        timestamp.expires = _expires("timestamp", at)
        self._write(TIMESTAMP, timestamp, signers["timestamp"])
        return snapshot.version

    def _write(self, name: str, signed: Part, signers: Sequence[CryptoSigner]) -> bytes:
        metadata: Metadata[Part] = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes()
        _write_file(self._metadata / name, data)
        return data

    def _last(self, name: str, form: type[Part]) -> Part:
        """A metadata file of the version that was just verified."""
        signed = Metadata.from_file(str(self._metadata / name)).signed
        if not isinstance(signed, form):
            raise RefusedError("E_NETWORK_INVALID", f"{self._metadata / name} is not {form.__name__.lower()} metadata")
        return signed

    def _last_root(self) -> Root:
        version = max(int(path.name.partition(".")[0]) for path in self._metadata.glob("*.root.json"))
        return self._last(f"{version}.root.json", Root)

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        try:
            with locked(self._folder / KEYS / "lock", wait_seconds=LOCK_SECONDS):
                yield
        except LockedError as error:
            raise UnavailableError("E_NETWORK_BUSY", str(error)) from None
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None


def _network_bytes(network: str, countries: Sequence[str], members: Sequence[Member]) -> bytes:
    document = {
        "v": 1,
        "network": network,
        "countries": sorted(countries),
        "contact_points": sorted(member.point.id for member in members),
    }
    return write_document(read_document(NetworkDocument, strict_json.encode(document)))


def _expires(role: str, at: datetime) -> datetime:
    return at + timedelta(days=ROLES[role].days)


def _write_file(path: Path, data: bytes) -> None:
    """A file whole or not at all, on the disk before it is visible."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)  # nodes read it
    Path(file.name).replace(path)
