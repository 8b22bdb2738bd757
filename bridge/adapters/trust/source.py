"""The node's membership list: verified from its mirrors, kept in a cache, never older than what was seen before.

Rules:
1. What is in memory is replaced by a list that verified completely, in one assignment, and by nothing else. Whatever
   fails, the last valid list stays; its age is judged by the verification of each message.
2. The highest version ever seen here outlives a restart; a lower one is refused. The list in memory has the highest
   version that this process knows, at every moment: what another process of the node saw counts once its list is here.
   It counts until governance changes the online keys: whoever stole them could run ahead of every version to come.
3. A list confirmed in the future is refused: its age would mean nothing.
4. A key that was seen revoked stays revoked, and a suspension stays said; a list that no longer says so is refused.
5. Trust begins with the pinned root file. Another pinned root is another network: what was seen under the old one does
   not count.
6. Every mirror is asked, one after the other, and the newest list that verifies wins: the worst that one can do is to
   cost its deadline. What came through the bridge is a mirror like the others.

After a restart without a usable mirror the cached list is verified again as of the moment when it was verified last, so
that even an expired list is there, to be named as such. The same happens when another process of the node has verified
a newer list and the mirrors failed since.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog
from tuf.api.exceptions import DownloadError
from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.list_cache import ListCache, Seen
from bridge.adapters.trust.locking import LockedError
from bridge.adapters.trust.mirror import LIMITS, METADATA, TIMESTAMP, CutOffFetcher, Mirror, read_bounded
from bridge.adapters.trust.peers_ahead import PeersAhead
from bridge.adapters.trust.received import ReceivedFiles
from bridge.adapters.trust.seen_before import BehindError, is_current
from bridge.adapters.trust.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.core.times import format_time
from bridge.core.verification import TrustView
from bridge.ports.trust import PeerAhead

CLOCK_DIFFERENCE: Final = timedelta(days=1)
TAKE_SECONDS: Final = 2.0
FAULTS: Final = (UntrustedError, DownloadError, LockedError, OSError)

_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The list in memory, and the timestamp file that it was verified with; `None`: look again."""

    directory: Directory
    stops: frozenset[str]
    root_version: int
    online_keys: frozenset[str]
    timestamp_bytes: bytes | None = None


class TufTrustSource:
    """Implements `TrustSource` over mirrors.

    Args:
        mirrors: where the files can be read, in the order in which they are asked.
        cache: a folder of this node's own, made when missing; several processes of the node may share it.
        root: the pinned first root file.
        received: the folder of what comes through the bridge; `None` where nothing does.
        now: the clock; a test gives another one.
    """

    def __init__(
        self,
        mirrors: Sequence[Mirror],
        cache: Path,
        root: Path,
        *,
        received: Path | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._mirrors = tuple(mirrors)
        self._received = None if received is None else ReceivedFiles(received)
        self._cache = ListCache(cache)
        self._ahead = PeersAhead(cache)
        self._root = root
        self._now = now
        self._turn = threading.Lock()  # refreshes of one process, each in a thread of its own
        self._loaded: _Loaded | None = None
        self._seen_unloaded = 0
        self._looked = False
        self._failures: Mapping[str, str] = MappingProxyType({})

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
            raise UnavailableError("E_TRUST_LIST", f"no membership list: {'; '.join(self._failures.values())}")
        return TrustView(loaded.directory, loaded.directory.version)

    @property
    def failures(self) -> Mapping[str, str]:
        """Mirror -> why the last refresh got nothing from it, for the operator; those that are current are left out."""
        return self._failures

    @property
    def failure(self) -> str | None:
        """Why the last refresh could confirm nothing; `None` when one of the mirrors is current."""
        is_confirmed = len(self._failures) < len(self._mirrors)
        return None if is_confirmed or not self._failures else "; ".join(self._failures.values())

    async def refresh(self) -> Directory:
        """Looks for a newer list and answers what is current then; on any failure that is the last valid one.

        Raises:
            UnavailableError: there is none (`E_TRUST_LIST`).
        """
        await asyncio.to_thread(self._refresh)
        return self.current()

    async def take(self, files: Mapping[str, bytes]) -> None:
        """Keeps files that came through the bridge, and looks at them at once; forged ones change nothing."""
        await asyncio.to_thread(self._take, files)

    def note_ahead(self, peer: str, version: int) -> None:
        """A proven peer used a version that this node could not get."""
        self._ahead.note(PeerAhead(peer, version, self._now()), own_version=self._version)

    def ahead(self) -> Sequence[PeerAhead]:
        """Peers that use a newer list than this node can get, and since when."""
        return self._ahead.known(own_version=self._version)

    def _refresh(self) -> None:
        with self._turn:
            failures = {}
            for mirror in self._mirrors:
                try:
                    self._load_from(mirror.attempt())
                except FAULTS as error:
                    failures[mirror.name] = _sentence(error)
            self._load_from_received()
            for name, reason in failures.items():
                if self._failures.get(name) != reason:
                    _log.warning("trust.refresh_failed", name=name, reason=reason)
            self._failures = MappingProxyType(failures)
            if failures:
                self._load_from_cache()
            self._looked = True

    def _take(self, files: Mapping[str, bytes]) -> None:
        if self._received is None:
            return
        try:
            self._received.keep(files)
        except FAULTS as error:
            _log.warning("trust.notice_not_kept", reason=_sentence(error))
            return
        if self._turn.acquire(timeout=TAKE_SECONDS):  # else a refresh is at a slow mirror, and looks at them in the end
            try:
                self._load_from_received()
            finally:
                self._turn.release()

    def _load_from_received(self) -> None:
        """What came through the bridge; older than what is here is how it mostly is, and no fault."""
        received = self._received
        if received is None or not received.is_there:
            return
        try:
            with received.turn():
                self._look_at(received)
        except FAULTS as error:
            _log.warning("trust.notice_unread", reason=_sentence(error))

    def _look_at(self, received: ReceivedFiles) -> None:
        try:
            self._load_from(received.attempt())
        except BehindError:
            return
        except UntrustedError as error:
            _log.warning("trust.notice_refused", reason=_sentence(error))
            received.discard()

    def _load_from(self, files: FetcherInterface) -> None:
        """Takes a mirror's list where it is newer; nothing happens where it is the one in memory.

        Raises:
            UntrustedError: it does not verify, or is older.
            DownloadError: the mirror could not be read; LockedError or OSError: the cache could not be used.
        """
        timestamp_bytes = files.download_bytes(f"{METADATA}/{TIMESTAMP}", LIMITS.timestamp_max_length)
        if self._is_loaded(timestamp_bytes, files):
            return
        root_bytes = read_bounded(self._root)
        root_sha256 = hashlib.sha256(root_bytes).hexdigest()
        with self._cache.copy(root_sha256) as copy:
            now = self._now()
            stops = self._stops | (copy.seen.stops if copy.seen else frozenset())
            found = verify_list(files, copy.folder, root_bytes=root_bytes, at=now, stops=stops)
            self._check(found, now, highest=self._highest(found, copy.seen))
            seen = Seen(
                root_sha256=root_sha256,
                highest_version=found.directory.version,
                root_version=found.root.version,
                online_keys=found.online_keys,
                verified_at=now,
                stops=found.stops,
            )
            self._loaded = _loaded_of(found)  # once more at the next refresh, should it not be kept
            verified_bytes = read_bounded(copy.folder / METADATA / TIMESTAMP)
            self._cache.keep(copy.folder, seen)
        self._loaded = _loaded_of(found, verified_bytes)

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
                found = verify_list(fetcher, copy.folder, root_bytes=root_bytes, at=at)
                self._check(found, at, highest=highest)
                self._loaded = _loaded_of(found)
        except FAULTS as error:
            _log.error("trust.cache_unusable", reason=_sentence(error))

    def _check(self, found: VerifiedList, at: datetime, *, highest: int) -> None:
        version = found.directory.version
        if version < highest:
            message = f"version {version} of the membership list is older than {highest}, seen before"
            raise UntrustedError(message)
        if found.directory.signed_at > at + CLOCK_DIFFERENCE:
            # The timestamp's one key must not make a list look fresh for longer than 45 days.
            message = f"the membership list expires on {format_time(found.directory.expires)}, more than 45 days ahead"
            raise UntrustedError(message)

    def _highest(self, found: VerifiedList, seen: Seen | None) -> int:
        """The highest version seen; what was seen before a newer root changed the online keys is left out (rule 2)."""
        known: list[tuple[_Loaded | Seen, int]] = [(self._loaded, self._version)] if self._loaded else []
        known += [(seen, seen.highest_version)] if seen else []
        counting = [
            version
            for before, version in known
            if before.online_keys == found.online_keys or before.root_version >= found.root.version
        ]
        return max(counting, default=0)

    @property
    def _stops(self) -> frozenset[str]:
        return frozenset() if self._loaded is None else self._loaded.stops

    @property
    def _version(self) -> int:
        """The version in memory; 0 while there is none."""
        return 0 if self._loaded is None else self._loaded.directory.version

    def _is_loaded(self, timestamp_bytes: bytes, files: FetcherInterface) -> bool:
        """Whether the mirror has what is in memory; raises `BehindError` where it claims to have less."""
        loaded = self._loaded
        if loaded is None or loaded.timestamp_bytes is None:
            return False
        return is_current(timestamp_bytes, files, known=loaded.timestamp_bytes, root_version=loaded.root_version)


def _loaded_of(found: VerifiedList, timestamp_bytes: bytes | None = None) -> _Loaded:
    return _Loaded(found.directory, found.stops, found.root.version, found.online_keys, timestamp_bytes)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
