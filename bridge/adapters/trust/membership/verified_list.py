"""From a trust repository to a membership list: python-tuf's client verifies, this reads what it verified.

Rules:
1. Root, timestamp, snapshot, targets and the delegated roles are checked by python-tuf's client: thresholds, versions,
   expiry, rollback.
2. Every document is read after its length and digest were proved by signed metadata, and is bounded before.
3. All or nothing: a document of governance's or of the revocation role that does not hold, or any file that is missing,
   and the whole new version is not used. A member whose own document expired, or is faulty as the member signed it, has
   no keys until it publishes them anew; it must not be able to keep the list from everybody else.
4. What the revocation role said once stays said: a version in which a key is no longer revoked, or a suspension is
   missing, is not used. Governance takes a suspension back beside it, and everything by a new base (`stops`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tuf.api.exceptions import DownloadError, ExpiredMetadataError, RepositoryError, StorageError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater

from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.documents import (
    SEALING_ALGORITHM,
    contact_point_of,
    keys_of,
    revoked_keys,
    suspensions,
)
from bridge.adapters.trust.membership.forms import (
    MAX_DOCUMENT_BYTES,
    ContactPointDocument,
    Document,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    read_document,
)
from bridge.adapters.trust.membership.mirror import LIMITS, METADATA, TARGETS, TIMESTAMP
from bridge.core.directory import LIST_LIFETIME, Directory, PublicKey
from bridge.core.errors import BadInputError
from bridge.core.ids import prefix_of
from bridge.core.times import format_time

if TYPE_CHECKING:
    from tuf.ngclient.fetcher import FetcherInterface

NO_STOPS: Final[frozenset[str]] = frozenset()


class UntrustedError(Exception):
    """The repository or the cache does not yield a list that verifies; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifiedList:
    """What one verification yields: the list, the documents that it was read from, and how they were signed."""

    directory: Directory
    network: NetworkDocument
    contact_points: Mapping[str, ContactPointDocument]
    keys: Mapping[str, KeysDocument]
    revocations: RevocationsDocument
    root: Root
    targets: Targets
    snapshot: Snapshot

    @property
    def revoked(self) -> frozenset[str]:
        """Every key that the revocation role revoked."""
        return frozenset(entry.kid for entry in self.revocations.keys)

    @property
    def stops(self) -> frozenset[str]:
        """Everything that the revocation role said: a revoked key by its kid, a suspension as `rs.ncp <its moment>`.

        With the number of a later base than the first one before it: `2.rs.ncp#sig-2026a`.
        """
        suspended = {f"{entry.who} {format_time(entry.at)}" for entry in self.revocations.suspensions}
        base = self.network.base_number
        return frozenset(f"{base}.{stop}" if base else stop for stop in self.revoked | suspended)

    @property
    def online_keys(self) -> frozenset[str]:
        """The ids of the keys that sign snapshot and timestamp."""
        return frozenset(keyid for role in (roles.SNAPSHOT, roles.TIMESTAMP) for keyid in self.root.roles[role].keyids)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The members by prefix, sorted."""
        return tuple(sorted({prefix_of(identifier) for identifier in self.contact_points}))


def verify_list(
    fetcher: FetcherInterface,
    cache: Path,
    *,
    root_bytes: bytes,
    at: datetime,
    stops: frozenset[str] = NO_STOPS,
) -> VerifiedList:
    """Brings `cache` up to date from the fetcher's mirror and reads the membership list in it.

    Args:
        fetcher: serves the mirror.
        cache: a folder of ours that may hold what was verified before; after a failure it is spoilt.
        root_bytes: the pinned root file, the only thing trusted beforehand.
        at: the moment whose validity is asked for.
        stops: what the revocation role was seen to say before.

    Raises:
        UntrustedError: something does not verify, or a file is missing.
    """
    try:
        (cache / TARGETS).mkdir(parents=True, exist_ok=True)
        updater = Updater(
            str(cache / METADATA),
            METADATA,
            target_dir=str(cache / TARGETS),
            target_base_url=TARGETS,
            fetcher=fetcher,
            config=LIMITS,
            bootstrap=root_bytes,
        )
        # python-tuf has no argument for the moment to judge by. Its own procedure with another moment is worth more
        # than a second procedure of ours; a test fails should this attribute lose its meaning.
        updater._trusted_set.reference_time = at  # noqa: SLF001 - see above
        updater.refresh()
        found = _read(updater, cache)
    except BadInputError as error:
        raise UntrustedError(error.message) from None
    except (RepositoryError, DownloadError, StorageError, OSError) as error:
        raise UntrustedError(_sentence(error)) from None
    refuse_forgotten(found, stops)
    return found


def refuse_forgotten(found: VerifiedList, stops: frozenset[str]) -> None:
    """Raises `UntrustedError` where a list does not say any more what the revocation role was seen to say."""
    for forgotten in sorted(
        _without_base(stop) for stop in stops - found.stops if _base(stop) >= found.network.base_number
    ):
        what = "revoked" if "#" in forgotten else "suspended"
        message = f"version {found.directory.version} no longer says that {forgotten.partition(' ')[0]} was {what}"
        raise UntrustedError(message)


def _base(stop: str) -> int:
    number, _, _ = stop.partition(".")
    return int(number) if number.isdigit() else 0  # a member's prefix


def _without_base(stop: str) -> str:
    return stop.partition(".")[2] if _base(stop) else stop


def _read(updater: Updater, cache: Path) -> VerifiedList:
    # What the client keeps in its cache is what it has just verified.
    metadata, documents = cache / METADATA, _Documents(updater, cache / TARGETS)
    root = Metadata[Root].from_file(str(metadata / "root.json")).signed
    timestamp = Metadata[Timestamp].from_file(str(metadata / TIMESTAMP)).signed
    snapshot = Metadata[Snapshot].from_file(str(metadata / "snapshot.json")).signed
    targets = Metadata[Targets].from_file(str(metadata / "targets.json")).signed
    network = documents.read(NetworkDocument, roles.NETWORK_FILE)
    points = {identifier: _contact_point(documents, identifier, network) for identifier in network.contact_points}
    if f"{roles.REVOCATIONS}.json" not in snapshot.meta:
        # It is there from the founding on. Without this, the online keys could hide every revocation from a new node.
        message = "the snapshot names no revocations"
        raise UntrustedError(message)
    revocations = documents.read(RevocationsDocument, roles.REVOCATIONS_FILE)
    prefixes = sorted({prefix_of(identifier) for identifier in points})
    speaking = (targets.delegations.roles if targets.delegations else None) or {}
    published = [roles.member_role(prefix) for prefix in prefixes]
    published = [role for role in published if role in speaking and f"{role}.json" in snapshot.meta]
    keys, unread = _member_keys(documents, [role.removeprefix(roles.MEMBER) for role in published])
    found = VerifiedList(
        directory=_directory(network, points, keys.values(), revocations, timestamp),
        network=network,
        contact_points=points,
        keys=keys,
        revocations=revocations,
        root=root,
        targets=targets,
        snapshot=snapshot,
    )
    own = {role: _expiry(updater, role) for role in (*published, roles.REVOCATIONS)}
    expiries = {"root": root.expires, "targets": targets.expires, "snapshot": snapshot.expires}
    expiries |= {role: expires for role, expires in own.items() if expires is not None}
    directory = replace(found.directory, unread=MappingProxyType(unread), expiries=MappingProxyType(expiries))
    return replace(found, directory=directory)


def _expiry(updater: Updater, role: str) -> datetime | None:
    """Until when a delegated role's signature holds; `None` where it did not verify."""
    signed = updater._trusted_set.get(role)  # noqa: SLF001 - see above; parsed once more they would cost as much again
    return None if signed is None else signed.expires


def _contact_point(documents: _Documents, identifier: str, network: NetworkDocument) -> ContactPointDocument:
    document = documents.read(ContactPointDocument, roles.contact_point_file(identifier))
    if document.id != identifier:
        message = f"the document of {identifier} speaks of {document.id}"
        raise UntrustedError(message)
    if document.country is not None and document.country not in network.countries:
        message = f"{identifier} is of {document.country}, which is not a country of the network"
        raise UntrustedError(message)
    return document


def _member_keys(documents: _Documents, prefixes: Iterable[str]) -> tuple[dict[str, KeysDocument], dict[str, str]]:
    """The members' own documents, and why one could not be read.

    A member is at fault for what it signed itself, and for its age. What it did not sign, or what is missing or not
    the file that was signed, is a mirror's fault, or that of a thief of the online keys, and ends it all: neither must
    be able to take a member's keys out of the list.
    """
    keys, unread = {}, {}
    for prefix in prefixes:
        try:
            document = documents.read(KeysDocument, roles.keys_file(prefix))
            if document.member == prefix:
                keys[prefix] = document
            else:
                unread[prefix] = f"the keys of {prefix} speak of {document.member}"
        except BadInputError as error:
            unread[prefix] = error.message
        except (UntrustedError, ExpiredMetadataError) as error:
            unread[prefix] = _sentence(error)
    return keys, unread


def _directory(
    network: NetworkDocument,
    points: Mapping[str, ContactPointDocument],
    keys: Iterable[KeysDocument],
    revocations: RevocationsDocument,
    timestamp: Timestamp,
) -> Directory:
    suspended = suspensions(points, revocations, network)
    members = {identifier: contact_point_of(document) for identifier, document in points.items()}
    for identifier, reason in suspended.items():
        if members[identifier].suspended is None:
            members[identifier] = replace(members[identifier], suspended=reason)
    all_keys = revoked_keys((key for document in keys for key in keys_of(document)), revocations)
    return Directory(
        network=network.network,
        version=timestamp.snapshot_meta.version,
        signed_at=timestamp.expires - LIST_LIFETIME,
        contact_points=MappingProxyType(members),
        signing_keys=_by_kid(key for key in all_keys if key.alg != SEALING_ALGORITHM),
        encryption_keys=_by_kid(key for key in all_keys if key.alg == SEALING_ALGORITHM),
        certificate_authorities=network.certificate_authorities,
    )


def _by_kid(keys: Iterable[PublicKey]) -> Mapping[str, PublicKey]:
    return MappingProxyType({key.kid: key for key in keys})


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents behind verified metadata, from the cache or from the mirror."""

    updater: Updater
    folder: Path

    def read(self, form: type[Document], target: str) -> Document:
        info = self.updater.get_targetinfo(target)
        if info is None:
            message = f"{target} is not among the signed targets"
            raise UntrustedError(message)
        if info.length > MAX_DOCUMENT_BYTES:
            message = f"{target} is larger than {MAX_DOCUMENT_BYTES} bytes"
            raise UntrustedError(message)
        path = self.folder / quote(target, safe="")
        if self.updater.find_cached_target(info, str(path)) is None:
            path.unlink(missing_ok=True)  # the same file may stand in the copy before: nothing is written into it
            self.updater.download_target(info, str(path))
        return read_document(form, path.read_bytes())


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return text.removesuffix(".")
