"""The node's membership list: verified from the mirror, kept in a cache, never older than what was seen before.

Rules:
1. What is in memory is replaced by a list that verified completely, in one assignment, and by nothing else. Whatever
   fails, the last valid list stays; its age is judged by the verification of each message.
2. The highest version ever seen here outlives a restart; a lower one is refused. The list in memory has the highest
   version that this process knows, at every moment: what another process of the node saw counts once its list is here.
3. A list confirmed in the future is refused: its age would mean nothing.
4. A key that was seen revoked stays revoked; a list that no longer says so is refused.
5. Trust begins with the pinned root file. Another pinned root is another network: what was seen under the old one does
   not count.

After a restart without a usable mirror the cached list is verified again as of the moment when it was verified last, so
that even an expired list is there, to be named as such. The same happens when another process of the node has verified
a newer list and the mirror failed since.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from bridge.adapters.trust.list_cache import ListCache, Seen
from bridge.adapters.trust.locking import LockedError
from bridge.adapters.trust.mirror import METADATA, TIMESTAMP, CutOffFetcher, MirrorFetcher, read_bounded
from bridge.adapters.trust.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.core.times import format_time
from bridge.core.verification import TrustView

CLOCK_DIFFERENCE: Final = timedelta(days=1)

_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The list in memory, and the mirror's timestamp that it stands for; `None`: look again."""

    directory: Directory
    revoked: frozenset[str]
    timestamp_bytes: bytes | None
    root_version: int


class TufTrustSource:
    """Implements `TrustSource` over a mirror folder.

    Args:
        mirror: the folder with `metadata/` and `targets/`, however it gets there.
        cache: a folder of this node's own, made when missing; several processes of the node may share it.
        root: the pinned first root file.
        now: the clock; a test gives another one.
    """

    def __init__(self, mirror: Path, cache: Path, root: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._mirror = mirror
        self._cache = ListCache(cache)
        self._root = root
        self._now = now
        self._turn = threading.Lock()  # refreshes of one process, each in a thread of its own
        self._loaded: _Loaded | None = None
        self._seen_unloaded = 0
        self._looked = False
        self._failure: str | None = None

    def current(self) -> Directory:
        """The last verified list, however old. The first call reads the disk, a few milliseconds; no other does.

        Raises:
            UnavailableError: no list was ever verified (`E_TRUST_LIST`).
        """
        return self.view().directory

    def highest_version(self) -> int:
        """The highest version ever seen here; 0 when none was."""
        if not self._looked:
            self._refresh()
        loaded = self._loaded
        return loaded.directory.version if loaded is not None else self._seen_unloaded

    def view(self) -> TrustView:
        """The last verified list with the highest version ever seen, both of one moment; raises like `current`."""
        if not self._looked:
            self._refresh()
        loaded = self._loaded
        if loaded is None:
            raise UnavailableError("E_TRUST_LIST", f"no membership list from {self._mirror}: {self._failure}")
        return TrustView(loaded.directory, loaded.directory.version)

    @property
    def failure(self) -> str | None:
        """Why the last refresh brought nothing, for the operator; `None` when the mirror's list is the current one."""
        return self._failure

    async def refresh(self) -> Directory:
        """Looks for a newer list and answers what is current then; on any failure that is the last valid one.

        Raises:
            UnavailableError: there is none (`E_TRUST_LIST`).
        """
        await asyncio.to_thread(self._refresh)
        return self.current()

    def _refresh(self) -> None:
        with self._turn:
            try:
                self._load_from_mirror()
                self._failure = None
            except (UntrustedError, LockedError, OSError) as error:
                self._failure = _sentence(error)
                _log.warning("trust.refresh_failed", reason=self._failure)
                self._load_from_cache()
            self._looked = True

    def _load_from_mirror(self) -> None:
        # Read before the work: should the mirror change meanwhile, the next refresh sees a difference.
        timestamp_bytes = read_bounded(self._mirror / METADATA / TIMESTAMP)
        if self._is_loaded(timestamp_bytes):
            return
        root_bytes = read_bounded(self._root)
        root_sha256 = hashlib.sha256(root_bytes).hexdigest()
        with self._cache.copy(root_sha256) as copy:
            now, highest = self._now(), max(self._version, copy.seen.highest_version if copy.seen else 0)
            revoked = self._revoked | (copy.seen.revoked if copy.seen else frozenset())
            fetcher = MirrorFetcher(self._mirror)
            found = verify_list(fetcher, copy.folder, root_bytes=root_bytes, at=now, revoked=revoked)
            self._take(found, now, highest=highest)
            seen = Seen(
                root_sha256=root_sha256,
                highest_version=found.directory.version,
                verified_at=now,
                revoked=found.revoked,
            )
            self._cache.keep(copy.folder, seen)
        self._loaded = replace(self._loaded_of(found), timestamp_bytes=timestamp_bytes)  # kept: no need to look again

    def _load_from_cache(self) -> None:
        """Takes what was verified last, by whichever process of the node, where it is newer than what is here."""
        try:
            root_bytes = read_bounded(self._root)
            root_sha256 = hashlib.sha256(root_bytes).hexdigest()
            seen = self._cache.seen(root_sha256)
            if seen is None or seen.highest_version <= self._version:
                return
            with self._cache.copy(root_sha256) as copy:
                if copy.seen is None:
                    return
                if self._loaded is None:
                    self._seen_unloaded = copy.seen.highest_version
                at, highest = copy.seen.verified_at, max(self._version, copy.seen.highest_version)
                fetcher = CutOffFetcher(copy.folder / METADATA / TIMESTAMP)
                self._take(verify_list(fetcher, copy.folder, root_bytes=root_bytes, at=at), at, highest=highest)
        except (UntrustedError, LockedError, OSError) as error:
            _log.error("trust.cache_unusable", reason=_sentence(error))

    def _take(self, found: VerifiedList, at: datetime, *, highest: int) -> None:
        version = found.directory.version
        if version < highest:
            message = f"version {version} of the membership list is older than {highest}, seen before"
            raise UntrustedError(message)
        if found.directory.signed_at > at + CLOCK_DIFFERENCE:
            # The timestamp's one key must not make a list look fresh for longer than 45 days.
            message = f"the membership list expires on {format_time(found.directory.expires)}, more than 45 days ahead"
            raise UntrustedError(message)
        self._loaded = self._loaded_of(found)

    def _loaded_of(self, found: VerifiedList) -> _Loaded:
        return _Loaded(found.directory, found.revoked, None, found.root.version)

    @property
    def _revoked(self) -> frozenset[str]:
        return frozenset() if self._loaded is None else self._loaded.revoked

    @property
    def _version(self) -> int:
        """The version in memory; 0 while there is none."""
        return 0 if self._loaded is None else self._loaded.directory.version

    def _is_loaded(self, timestamp_bytes: bytes) -> bool:
        """Whether the mirror is as it was when the list in memory was verified: same timestamp, no newer root."""
        loaded = self._loaded
        if loaded is None or loaded.timestamp_bytes != timestamp_bytes:
            return False
        return not (self._mirror / METADATA / f"{loaded.root_version + 1}.root.json").exists()


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
