"""From a trust repository to a membership list: python-tuf's client verifies, this reads what it verified.

Rules:
1. Root, timestamp, snapshot and targets are checked by python-tuf's client: thresholds, versions, expiry, rollback.
2. Every document is read after its length and digest were proved by the signed targets, and is bounded before.
3. All or nothing: one document that does not hold, and the whole new version is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tuf.api.exceptions import DownloadError, RepositoryError, StorageError
from tuf.api.metadata import Metadata, Root, Timestamp
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.documents import (
    MAX_DOCUMENT_BYTES,
    SEALING_ALGORITHM,
    ContactPointDocument,
    NetworkDocument,
    member_of,
    read_document,
)
from bridge.adapters.trust.mirror import LIMITS, METADATA, TARGETS, TIMESTAMP
from bridge.core.directory import LIST_LIFETIME, Directory
from bridge.core.errors import BadInputError
from bridge.ports.trust import Member

NETWORK: Final = "network.json"


class UntrustedError(Exception):
    """The repository or the cache does not yield a list that verifies; the message says why."""


@dataclass(frozen=True, slots=True)
class VerifiedList:
    """What one verification yields."""

    directory: Directory
    countries: tuple[str, ...]
    members: tuple[Member, ...]
    root_version: int


def contact_point_target(identifier: str) -> str:
    """The name of a contact point's document in the signed targets."""
    return f"contact-points/{identifier}.json"


def verify_list(fetcher: FetcherInterface, cache: Path, *, root_bytes: bytes, at: datetime) -> VerifiedList:
    """Brings `cache` up to date from the fetcher's mirror and reads the membership list in it.

    Args:
        fetcher: serves the mirror.
        cache: a folder of ours that may hold what was verified before; after a failure it is spoilt.
        root_bytes: the pinned root file, the only thing trusted beforehand.
        at: the moment whose validity is asked for.

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
        return _read(updater, cache)
    except BadInputError as error:
        raise UntrustedError(error.message) from None
    except (RepositoryError, DownloadError, StorageError, OSError) as error:
        raise UntrustedError(_sentence(error)) from None


def directory_of(network: str, members: tuple[Member, ...], *, version: int, signed_at: datetime) -> Directory:
    """The membership list of these members."""
    keys = [key for member in members for key in member.keys]
    return Directory(
        network=network,
        version=version,
        signed_at=signed_at,
        contact_points=MappingProxyType({member.point.id: member.point for member in members}),
        signing_keys=MappingProxyType({key.kid: key for key in keys if key.alg != SEALING_ALGORITHM}),
        encryption_keys=MappingProxyType({key.kid: key for key in keys if key.alg == SEALING_ALGORITHM}),
    )


def _read(updater: Updater, cache: Path) -> VerifiedList:
    # What the client keeps in its cache is what it has just verified.
    timestamp = Metadata[Timestamp].from_file(str(cache / METADATA / TIMESTAMP)).signed
    root = Metadata[Root].from_file(str(cache / METADATA / "root.json")).signed
    network = read_document(NetworkDocument, _document_bytes(updater, NETWORK))
    members = []
    for identifier in network.contact_points:
        document = read_document(ContactPointDocument, _document_bytes(updater, contact_point_target(identifier)))
        if document.id != identifier:
            message = f"the document of {identifier} speaks of {document.id}"
            raise UntrustedError(message)
        if document.country is not None and document.country not in network.countries:
            message = f"{identifier} is of {document.country}, which is not a country of the network"
            raise UntrustedError(message)
        members.append(member_of(document))
    directory = directory_of(
        network.network,
        tuple(members),
        version=timestamp.snapshot_meta.version,
        signed_at=timestamp.expires - LIST_LIFETIME,
    )
    return VerifiedList(directory, network.countries, tuple(members), root.version)


def _document_bytes(updater: Updater, target: str) -> bytes:
    info = updater.get_targetinfo(target)
    if info is None:
        message = f"{target} is not among the signed targets"
        raise UntrustedError(message)
    if info.length > MAX_DOCUMENT_BYTES:
        message = f"{target} is larger than {MAX_DOCUMENT_BYTES} bytes"
        raise UntrustedError(message)
    path = updater.find_cached_target(info) or updater.download_target(info)
    return Path(path).read_bytes()


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return text.removesuffix(".")
