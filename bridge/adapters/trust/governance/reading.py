"""Looks at a network folder where it is founded: verifies its mirror from its own first root, as of any moment.

It says whether the repository is sound in itself. Whether its first root is the right one is for people to compare.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadError, StorageError
from tuf.api.metadata import Delegations, Metadata, Role, Signed
from tuf.api.serialization import DeserializationError

from bridge.adapters.trust.governance.holder_key import holder_of
from bridge.adapters.trust.governance.publishing import UNFINISHED, is_unfinished
from bridge.adapters.trust.membership.documents import authority_of
from bridge.adapters.trust.membership.mirror import MAX_FILE_BYTES, METADATA, Mirror, MirrorFetcher, read_bounded
from bridge.adapters.trust.membership.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.core.directory import Directory
from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.trust import NetworkState, RoleState

MIRROR = "mirror"
FIRST_ROOT = "1.root.json"


def read_repository(folder: Path, *, at: datetime | None = None) -> Directory:
    """The membership list of a network folder, verified as of `at` (aware), or now.

    Raises:
        UnavailableError: no network is there (`E_NETWORK_FOLDER`).
        RefusedError: signatures, digests or expiry do not hold as of that moment (`E_NETWORK_INVALID`).
    """
    return _verified(folder, at)[0].directory


def read_state(folder: Path, *, at: datetime | None = None) -> tuple[NetworkState, VerifiedList]:
    """The membership list and how it is signed; raises like `read_repository`."""
    found, roles, root_bytes = _verified(folder, at)
    digest = hashlib.sha256(root_bytes).hexdigest()
    authorities = dict(map(authority_of, found.network.certificate_authorities))
    return NetworkState(found.directory, found.network.countries, roles, digest, authorities), found


def read_mirror(mirror: Path, *, root: Path | None = None, at: datetime | None = None) -> VerifiedList:
    """The list in a copy of a network's mirror, verified from `root`, or from the copy's own first root.

    Raises like `read_repository`.
    """
    return _verified_mirror(mirror, root or mirror / METADATA / FIRST_ROOT, at)[0]


def read_first(mirror: Mirror, *, root: Path | None, at: datetime) -> tuple[VerifiedList, bytes]:
    """The list of a mirror that is met for the first time, and the root that it was verified from.

    Args:
        mirror: a folder or a server.
        root: as it came another way; `None`: the mirror's own, which people compare.
        at: the moment whose validity is asked for.

    Raises like `read_repository`.
    """
    first = f"{METADATA}/{FIRST_ROOT}"
    try:
        root_bytes = read_bounded(root) if root else mirror.attempt().download_bytes(first, MAX_FILE_BYTES)
    except OSError as error:
        raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None
    except DownloadError as error:
        raise UnavailableError("E_NETWORK_FOLDER", f"{mirror.name} holds no network: {error}") from None
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-") as scratch:
        try:
            return verify_list(mirror.attempt(), Path(scratch), root_bytes=root_bytes, at=at), root_bytes
        except UntrustedError as error:
            raise RefusedError("E_NETWORK_INVALID", f"the network in {mirror.name} does not verify: {error}") from None


def mirror_in(folder: Path) -> Path:
    """The mirror in a network's folder, or the folder itself where it is a copy of one."""
    inside = folder / MIRROR
    return inside if inside.is_dir() else folder


def last_valid_moment(mirror: Path, *, now: datetime) -> datetime:
    """Now, or the second before the list expired. It only says as of when to verify, and proves nothing."""
    metadata = mirror / METADATA

    def signed(name: str) -> Any:  # noqa: ANN401 - whoever asks knows which of python-tuf's forms it is
        return Metadata.from_file(str(metadata / f"{name}.json")).signed

    try:
        timestamp = signed("timestamp")
        snapshot = signed(f"{timestamp.snapshot_meta.version}.snapshot")
        targets = signed(f"{snapshot.meta['targets.json'].version}.targets")
        newest_root = max(int(path.name.partition(".")[0]) for path in metadata.glob("*.root.json"))
        parts = (timestamp, snapshot, targets, signed(f"{newest_root}.root"))
    except (StorageError, DeserializationError, AttributeError, KeyError, ValueError):
        return now
    expires: datetime = min(part.expires for part in parts)
    return min(now, expires - timedelta(seconds=1))


def _verified(folder: Path, at: datetime | None) -> tuple[VerifiedList, tuple[RoleState, ...], bytes]:
    mirror = folder / MIRROR
    return _verified_mirror(mirror, mirror / METADATA / FIRST_ROOT, at)


def _verified_mirror(
    mirror: Path, root: Path, at: datetime | None
) -> tuple[VerifiedList, tuple[RoleState, ...], bytes]:
    try:
        root_bytes = read_bounded(root)
    except OSError as error:
        raise UnavailableError(
            "E_NETWORK_FOLDER", f"{mirror} holds no network: {error.filename}: {error.strerror}"
        ) from None
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-") as scratch:
        cache = Path(scratch)
        try:
            found = verify_list(MirrorFetcher(mirror), cache, root_bytes=root_bytes, at=at or datetime.now(UTC))
        except UntrustedError as error:
            sentence = f"the network in {mirror} does not verify: {error}"
            hint = f"; {UNFINISHED}" if is_unfinished(mirror) else ""
            raise RefusedError("E_NETWORK_INVALID", f"{sentence}{hint}") from None
        return found, _roles(cache / METADATA, found), root_bytes


def _roles(metadata: Path, found: VerifiedList) -> tuple[RoleState, ...]:
    """The four of every repository, then the delegated ones by name; one that never signed has no state."""
    delegations = found.targets.delegations or Delegations({}, {})
    delegated = delegations.roles or {}
    keys = {**delegations.keys, **found.root.keys}
    rules: dict[str, Role] = {role: found.root.roles[role] for role in ("root", "targets", "snapshot", "timestamp")}
    rules |= {role: delegated[role] for role in sorted(delegated)}
    states = []
    for role, rule in rules.items():
        path = metadata / f"{role}.json"
        if path.exists():
            signed: Signed = Metadata.from_file(str(path)).signed
            holders = tuple(sorted(holder_of(keys[keyid]) for keyid in rule.keyids))
            states.append(RoleState(role, signed.version, signed.expires, rule.threshold, len(holders), holders))
    return tuple(states)
