"""Verifies the list of one mirror, or the one in the cache, against everything that was seen here before.

Rules:
1. A version lower than the highest that was ever seen here is refused, also after a restart, until governance changes
   the online keys: whoever stole them could run ahead of every version to come.
2. A list confirmed in the future is refused: its age would mean nothing.
3. A key that was seen revoked stays revoked, and a suspension stays said; a list that no longer says so is refused.
4. Trust begins with the pinned root file. Another pinned root is another network: what was seen under the old one does
   not count.
5. It is looked at twice what was seen before: when the verification begins, and when its list is kept. A mirror may
   have taken its time, and another process have kept a newer list meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.membership.locking import LockedError
from bridge.adapters.trust.membership.mirror import METADATA, TIMESTAMP, CutOffFetcher, read_bounded
from bridge.adapters.trust.membership.verified_list import UntrustedError, VerifiedList, refuse_forgotten, verify_list
from bridge.adapters.trust.node.list_cache import ListCache, Seen
from bridge.adapters.trust.node.seen_before import claimed_version
from bridge.core.directory import Directory
from bridge.core.times import format_time

CLOCK_DIFFERENCE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A list that verified.

    Attributes:
        timestamp_bytes: the file that it was verified with; `None` where its mirror is to be looked at again.
    """

    directory: Directory
    stops: frozenset[str]
    root_version: int
    online_keys: frozenset[str]
    timestamp_version: int
    timestamp_bytes: bytes | None = None

    @property
    def highest_version(self) -> int:
        """Its version."""
        return self.directory.version


def order(one: Loaded | Seen) -> tuple[int, int, int]:
    """The greater is the later; a new root may begin the other versions anew."""
    return one.root_version, one.highest_version, one.timestamp_version


class NotKeptError(Exception):
    """The list verified and counts, and could not be written to the disk; the message says why."""

    def __init__(self, loaded: Loaded, reason: Exception) -> None:
        super().__init__(str(reason))
        self.loaded = replace(loaded, timestamp_bytes=None)
        self.reason = reason


class ListVerifier:
    """Verifies for one cache folder and one pinned root file; `now` is the clock."""

    def __init__(self, cache: ListCache, root: Path, now: Callable[[], datetime]) -> None:
        self._cache = cache
        self._root = root
        self._now = now

    def verify(self, files: FetcherInterface, known: Loaded | None) -> Loaded:
        """The list of a mirror, kept in the cache; `known` is the one in memory.

        Raises:
            UntrustedError: it does not verify, or is older than what was seen.
            NotKeptError: it verified, and could not be kept.
            OSError: the cache or the root file could not be used.
        """
        root_bytes, root_sha256 = self._pinned()
        with self._cache.copy(root_sha256) as copy:
            now = self._now()
            found = verify_list(files, copy.folder, root_bytes=root_bytes, at=now, stops=_stops(known, copy.seen))
            timestamp_bytes = read_bounded(copy.folder / METADATA / TIMESTAMP)
            loaded = _loaded(found, timestamp_bytes)
            _refuse_future(found, now)
            _refuse_older(loaded, known)
            _refuse_older(loaded, copy.seen)

            def seen_after(meanwhile: Seen | None) -> Seen:
                if meanwhile is not None and meanwhile != copy.seen:
                    _refuse_older(loaded, meanwhile)
                    refuse_forgotten(found, meanwhile.stops)
                return _seen(loaded, root_sha256, now)

            try:
                self._cache.keep(copy.folder, root_sha256, seen_after)
            except (LockedError, OSError) as error:
                raise NotKeptError(loaded, error) from error
        return loaded

    def kept(self, known: Loaded | None) -> Loaded | None:
        """What was verified last, by whichever process of the node, where it is newer than `known`.

        It is verified again, as of the moment when it was: even an expired list is there then, to be named as such.

        Raises:
            UntrustedError: it does not verify any more.
            OSError: the cache or the root file could not be used.
        """
        root_bytes, root_sha256 = self._pinned()
        seen = self._cache.seen(root_sha256)
        if seen is None or (known is not None and order(seen) <= order(known)):
            return None
        with self._cache.copy(root_sha256) as copy:
            if copy.seen is None:
                return None
            at = copy.seen.verified_at
            last = copy.folder / METADATA / TIMESTAMP
            found = verify_list(CutOffFetcher(last), copy.folder, root_bytes=root_bytes, at=at)
            loaded = _loaded(found, read_bounded(last))
            _refuse_future(found, at)
            _refuse_older(loaded, known)
            _refuse_older(loaded, copy.seen)
        return replace(loaded, timestamp_bytes=None)

    def highest_kept(self) -> int:
        """The highest version that was kept; 0 when none was, or it cannot be read."""
        try:
            seen = self._cache.seen(self._pinned()[1])
        except OSError:
            return 0
        return 0 if seen is None else seen.highest_version

    def _pinned(self) -> tuple[bytes, str]:
        root_bytes = read_bounded(self._root)
        return root_bytes, hashlib.sha256(root_bytes).hexdigest()


def _refuse_future(found: VerifiedList, at: datetime) -> None:
    """The timestamp's one key must not make a list look fresh for longer than 45 days."""
    if found.directory.signed_at > at + CLOCK_DIFFERENCE:
        message = f"the membership list expires on {format_time(found.directory.expires)}, more than 45 days ahead"
        raise UntrustedError(message)


def _refuse_older(found: Loaded, before: Loaded | Seen | None) -> None:
    """What was seen before a newer root changed the online keys does not count (rule 1)."""
    if before is None or (before.online_keys != found.online_keys and before.root_version < found.root_version):
        return
    version, highest = found.highest_version, before.highest_version
    if version < highest:
        message = f"version {version} of the membership list is older than {highest}, seen before"
        raise UntrustedError(message)
    if version == highest and found.timestamp_version < before.timestamp_version:
        message = f"version {version} of the membership list was confirmed later than this, as was seen before"
        raise UntrustedError(message)


def _stops(known: Loaded | None, seen: Seen | None) -> frozenset[str]:
    """What the revocation role was seen to say."""
    return (known.stops if known else frozenset()) | (seen.stops if seen else frozenset())


def _loaded(found: VerifiedList, timestamp_bytes: bytes) -> Loaded:
    return Loaded(
        directory=found.directory,
        stops=found.stops,
        root_version=found.root.version,
        online_keys=found.online_keys,
        timestamp_version=claimed_version(timestamp_bytes) or 0,
        timestamp_bytes=timestamp_bytes,
    )


def _seen(loaded: Loaded, root_sha256: str, at: datetime) -> Seen:
    return Seen(
        root_sha256=root_sha256,
        highest_version=loaded.highest_version,
        root_version=loaded.root_version,
        online_keys=loaded.online_keys,
        timestamp_version=loaded.timestamp_version,
        verified_at=at,
        stops=loaded.stops,
    )
