"""The network's repository where it is published: takes what is signed, verifies it as nodes will, makes it visible.

Rules:
1. Every change is a new version. Files are named by version or digest and never change; the timestamp, which comes last
   and by one rename, is what makes a version visible. A reader sees the old version or the new one, nothing between. A
   command that was interrupted is finished by the next one, before it looks at anything.
2. What is to be published is first read as a node reads that has the present version: thresholds, versions, digests,
   documents. What a node would refuse is not published.
3. On what does not verify nothing is built.
4. One change at a time.

Layout: `mirror/metadata/` and `mirror/targets/` are what nodes read; `keys/` stays here: the online keys, and those of
governance and the revocation role where a network has not given them to holders of their own.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp, VerificationResult

from bridge.adapters.trust.governance.ceremony_keys import load_signers
from bridge.adapters.trust.governance.changes import HASHES
from bridge.adapters.trust.governance.holder_key import holder_of
from bridge.adapters.trust.governance.publication import Publication, keyids_of, root_and_targets, signatures
from bridge.adapters.trust.governance.publishing import finish, is_unfinished, publish_files, write_file
from bridge.adapters.trust.governance.reading import FIRST_ROOT, MIRROR, last_valid_moment, read_state
from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.locking import LockedError, locked
from bridge.adapters.trust.membership.mirror import METADATA, TARGETS, TIMESTAMP, MirrorFetcher, OverlayFetcher
from bridge.adapters.trust.membership.stops import check_stops
from bridge.adapters.trust.membership.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.core.directory import LIST_LIFETIME
from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.trust import NetworkState

LOCK_SECONDS: Final = 30.0
KEYS: Final = "keys"


class TufRepository:
    """One network's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._metadata = folder / MIRROR / METADATA

    @property
    def mirror(self) -> Path:
        """The folder that nodes read."""
        return self._folder / MIRROR

    @property
    def keys(self) -> Path:
        """The folder of private keys."""
        return self._folder / KEYS

    @property
    def first_root(self) -> Path:
        """The root file that members pin."""
        return self._metadata / FIRST_ROOT

    def found(self, make: Callable[[], Publication], *, at: datetime) -> Publication | None:
        """Publishes the first version where the keys that sign it are here; otherwise answers it, for others to sign.

        `make` is called once it is certain that no network is there.

        Raises:
            RefusedError: a network is there already (`E_NETWORK_EXISTS`).
            UnavailableError: the folder cannot be written.
        """
        with self._one_change():
            if self._metadata.exists() or any(self.keys.glob("*.pem")):
                raise RefusedError("E_NETWORK_EXISTS", f"{self._folder} already holds a network; nothing was changed")
            publication = self._signed_here(make(), None)
            if not all(result for results in signatures(publication, None).values() for result in results):
                return publication
            self._publish(publication, None, at)
            return None

    def state(self, *, at: datetime | None = None) -> NetworkState:
        """The verified state as of `at`, or now.

        Raises:
            UnavailableError: no network is there (`E_NETWORK_FOLDER`).
            RefusedError: signatures, digests or expiry do not hold (`E_NETWORK_INVALID`).
        """
        return read_state(self._folder, at=at)[0]

    def verified(self, *, at: datetime) -> VerifiedList:
        """The verified list with the documents it was read from; raises like `state`."""
        return read_state(self._folder, at=at)[1]

    def change(self, make: Callable[[VerifiedList], Publication], *, at: datetime) -> int:
        """Publishes what `make` makes of the present list, signed with whatever keys are here; answers the version.

        Raises:
            RefusedError: too few keys are here (`E_THRESHOLD`), or the network or the change does not verify.
            UnavailableError: the folder is busy or cannot be written.
        """
        with self._one_change():
            found = self._present(at)
            return self._publish(self._signed_here(make(found), found), found, at)

    def publish(self, publication: Publication, *, at: datetime) -> int:
        """Publishes what others signed, the founding of a network too, and answers the version.

        Raises:
            RefusedError: it is another network's or not the next version of what it changes (`E_PUBLICATION`), too few
                have signed (`E_THRESHOLD`), or a node would not accept it (`E_NETWORK_INVALID`).
            UnavailableError: the folder is busy or cannot be written, or the online keys are not here.
        """
        with self._one_change():
            return self._publish(publication, self._present(at) if self._metadata.exists() else None, at)

    def confirm(self, *, at: datetime) -> None:
        """Signs the present version anew: the list is as before, and fresh. Due every 6 hours."""
        with self._one_change():
            found = self._present(at)
            if found.snapshot.expires - at < LIST_LIFETIME:
                self._publish(Publication(found.network.network, {}), found, at)
                return
            timestamp = self._timestamp()
            timestamp.version += 1
            timestamp.expires = roles.expiry(roles.TIMESTAMP, at)
            write_file(self._metadata / TIMESTAMP, self._signed_online(timestamp, found.root.roles))

    def finish(self) -> None:
        """Finishes a publication that was interrupted, where there is one; raises like `change`."""
        if is_unfinished(self.mirror):
            with self._one_change():
                pass

    def _present(self, at: datetime) -> VerifiedList:
        """The list to build on. One that has expired serves: a secretariat that was silent for too long comes back."""
        return self.verified(at=last_valid_moment(self.mirror, now=at))

    def _publish(self, publication: Publication, found: VerifiedList | None, at: datetime) -> int:
        root, _ = root_and_targets(publication, found)
        if found is not None and publication.network != found.network.network:
            detail = f"the publication is of {publication.network}, this network is {found.network.network}"
            raise RefusedError("E_PUBLICATION", detail)
        for role, results in signatures(publication, found).items():
            for result in results:
                _check_threshold(role, result)
        new_files = self._files(publication, found, at, online=root.roles)
        version = self._check_as_a_node(new_files, found, at)
        publish_files(self.mirror, new_files)
        return version

    def _files(
        self, publication: Publication, found: VerifiedList | None, at: datetime, *, online: Mapping[str, Any]
    ) -> dict[str, bytes]:
        """Every file that is new, by its name in the mirror."""
        files = {}
        for target, data in publication.documents.items():
            folder, _, name = f"{TARGETS}/{target}".rpartition("/")
            files[f"{folder}/{hashlib.sha256(data).hexdigest()}.{name}"] = data
        snapshot = Snapshot() if found is None else Snapshot.from_dict(found.snapshot.to_dict())
        timestamp = Timestamp() if found is None else self._timestamp()
        for role, metadata in publication.metadata.items():
            data = metadata.to_bytes()
            files[f"{METADATA}/{metadata.signed.version}.{role}.json"] = data
            if role != roles.ROOT:
                snapshot.meta[f"{role}.json"] = MetaFile.from_data(metadata.signed.version, data, HASHES)
        if found is not None:
            snapshot.version += 1
            timestamp.version += 1
        snapshot.expires = roles.expiry(roles.SNAPSHOT, at)
        snapshot_bytes = self._signed_online(snapshot, online)
        files[f"{METADATA}/{snapshot.version}.snapshot.json"] = snapshot_bytes
        timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, snapshot_bytes, HASHES)
        timestamp.expires = roles.expiry(roles.TIMESTAMP, at)
        files[f"{METADATA}/{TIMESTAMP}"] = self._signed_online(timestamp, online)
        return files

    def _check_as_a_node(self, new_files: Mapping[str, bytes], found: VerifiedList | None, at: datetime) -> int:
        """Reads old and new as a node does that has the present version; answers the new one."""
        with tempfile.TemporaryDirectory(prefix="ncp-bridge-") as scratch:
            cache = Path(scratch)
            first_root = f"{METADATA}/{FIRST_ROOT}"
            root_bytes = new_files[first_root] if found is None else self.first_root.read_bytes()
            stops = frozenset() if found is None else found.stops
            try:
                if found is not None:
                    before = last_valid_moment(self.mirror, now=at)
                    verify_list(MirrorFetcher(self.mirror), cache, root_bytes=root_bytes, at=before)
                overlay = OverlayFetcher(new_files, self.mirror)
                new = verify_list(overlay, cache, root_bytes=root_bytes, at=at, stops=stops)
            except UntrustedError as error:
                raise RefusedError("E_NETWORK_INVALID", f"no node would accept this: {error}") from None
        spoilt = new.directory.unread.keys() - (found.directory.unread.keys() if found else set())
        if spoilt:
            member = min(spoilt)
            raise RefusedError("E_NETWORK_INVALID", f"the keys of {member}: {new.directory.unread[member]}")
        if found is not None:
            check_stops(found, new)
        return new.directory.version

    def _signed_here(self, publication: Publication, found: VerifiedList | None) -> Publication:
        return publication.signed_by(load_signers(self.keys.glob("*.pem")), keyids_of(signatures(publication, found)))

    def _signed_online(self, signed: Snapshot | Timestamp, online: Mapping[str, Any]) -> bytes:
        signers = load_signers(self.keys.glob(f"{signed.type}-*.pem"))
        usable = [signer for signer in signers if signer.public_key.keyid in online[signed.type].keyids]
        if not usable:
            raise UnavailableError("E_CEREMONY_KEYS", f"{self.keys}: no key of the role {signed.type} is here")
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(usable[0])
        return metadata.to_bytes()

    def _timestamp(self) -> Timestamp:
        timestamp: Timestamp = self._read(TIMESTAMP)
        return timestamp

    def _read(self, name: str) -> Any:  # noqa: ANN401 - whoever asks knows which of python-tuf's forms it is
        return Metadata.from_file(str(self._metadata / name)).signed

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        try:
            with locked(self.keys / "lock", wait_seconds=LOCK_SECONDS):
                if is_unfinished(self.mirror):
                    finish(self.mirror)
                yield
        except LockedError as error:
            raise UnavailableError("E_NETWORK_BUSY", str(error)) from None
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None


def _check_threshold(role: str, result: VerificationResult) -> None:
    """So that a want of signatures has a sentence of its own; a node's own verification comes after."""
    if not result:
        missing = "; ".join(sorted(map(holder_of, result.unsigned.values())))
        detail = f"{role}: {len(result.signed)} of {result.threshold} signatures; not signed by {missing}"
        raise RefusedError("E_THRESHOLD", detail)
