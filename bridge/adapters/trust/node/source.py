"""The node's membership list: verified from its mirrors, kept in a cache, never older than what was seen before.

Rules:
1. What is in memory is replaced by a list that verified completely, in one assignment, and by nothing else. Whatever
   fails, the last valid list stays; its age is judged by the verification of each message.
2. The list in memory has the highest version that this process knows, at every moment: what another process of the node
   saw counts once its list is here.
3. Every mirror is asked, one after the other, and the newest list that verifies wins: the worst that one can do is to
   cost its deadline. What came through the bridge is looked at when it comes, whatever a mirror does meanwhile, and is
   a mirror like the others from then on.

What is refused, although python-tuf's client would take it, stands in `list_verifier`. After a restart without a usable
mirror the cached list is there; so is what another process of the node has verified, when the mirrors failed since.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog
from tuf.api.exceptions import DownloadError
from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.membership.locking import LockedError
from bridge.adapters.trust.membership.mirror import LIMITS, METADATA, TIMESTAMP, FilesFetcher, Mirror
from bridge.adapters.trust.membership.verified_list import UntrustedError
from bridge.adapters.trust.node.list_cache import ListCache
from bridge.adapters.trust.node.list_verifier import ListVerifier, Loaded, NotKeptError, order
from bridge.adapters.trust.node.peers_ahead import PeersAhead
from bridge.adapters.trust.node.received import ReceivedFiles
from bridge.adapters.trust.node.seen_before import BehindError, is_current
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.core.verification import TrustView
from bridge.ports.trust import PeerAhead

FAULTS: Final = (UntrustedError, DownloadError, LockedError, NotKeptError, OSError)

_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


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
        self._verifier = ListVerifier(ListCache(cache), root, now)
        self._ahead = PeersAhead(cache)
        self._now = now
        self._turn = threading.Lock()  # refreshes of one process, each in a thread of its own
        self._assigning = threading.Lock()
        self._loaded: Loaded | None = None
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
        loaded = self._first_look()
        return self._verifier.highest_kept() if loaded is None else loaded.highest_version

    def view(self) -> TrustView:
        """The last verified list with the highest version ever seen, both of one moment; raises like `current`."""
        loaded = self._first_look()
        if loaded is None:
            reasons = "; ".join(self._failures.values()) or "there is no mirror, and nothing came through the bridge"
            raise UnavailableError("E_TRUST_LIST", f"no membership list: {reasons}")
        return TrustView(loaded.directory, loaded.highest_version)

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
        """Looks at files that came through the bridge, and keeps those that verify; others change nothing."""
        await asyncio.to_thread(self._take, files)

    def note_version(self, peer: str, version: int, *, sent: datetime) -> None:
        """A proven peer's message of that moment named this version."""
        self._ahead.note(PeerAhead(peer, version, self._now()), sent=sent, own_version=self._version)

    def ahead(self) -> Sequence[PeerAhead]:
        """Peers that use a newer list than this node can get, and since when."""
        loaded = self._loaded
        return () if loaded is None else self._ahead.known(loaded.directory, now=self._now())

    def _first_look(self) -> Loaded | None:
        """What is in memory; the first time, what can be had."""
        if self._loaded is None and not self._looked:
            self._refresh()
        return self._loaded

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
            self._load_from_cache()
            self._looked = True

    def _take(self, files: Mapping[str, bytes]) -> None:
        """Files that verify are put where the node's other processes find them; of others nothing is written."""
        received = self._received
        if received is None:
            return
        try:
            if self._load_from(FilesFetcher(files)):
                received.keep(files)
        except BehindError:
            return
        except FAULTS as error:
            _log.warning("trust.notice_refused", reason=_sentence(error))

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

    def _load_from(self, files: FetcherInterface) -> bool:
        """Takes a mirror's list where it is newer; answers whether it was another one than that in memory.

        Raises:
            UntrustedError: it does not verify, or is older.
            DownloadError: the mirror could not be read; NotKeptError or OSError: the cache could not be used.
        """
        timestamp_bytes = files.download_bytes(f"{METADATA}/{TIMESTAMP}", LIMITS.timestamp_max_length)
        if self._is_loaded(timestamp_bytes, files):
            return False
        try:
            loaded = self._verifier.verify(files, self._loaded)
        except NotKeptError as error:
            self._assign(error.loaded)  # a full disk must not hide what was revoked
            raise
        self._assign(loaded)
        return True

    def _load_from_cache(self) -> None:
        """Takes what was verified last, by whichever process of the node, where it is newer than what is here."""
        try:
            loaded = self._verifier.kept(self._loaded)
        except FAULTS as error:
            _log.error("trust.cache_unusable", reason=_sentence(error))
            return
        if loaded is not None:
            self._assign(loaded)

    def _assign(self, loaded: Loaded) -> None:
        """Puts it in memory, unless another thread has put a later one there meanwhile."""
        with self._assigning:
            if self._loaded is None or order(loaded) >= order(self._loaded):
                self._loaded = loaded

    @property
    def _version(self) -> int:
        """The version in memory; 0 while there is none."""
        return 0 if self._loaded is None else self._loaded.highest_version

    def _is_loaded(self, timestamp_bytes: bytes, files: FetcherInterface) -> bool:
        """Whether the mirror has what is in memory; raises `BehindError` where it claims to have less."""
        loaded = self._loaded
        if loaded is None or loaded.timestamp_bytes is None:
            return False
        return is_current(timestamp_bytes, files, known=loaded.timestamp_bytes, root_version=loaded.root_version)


def _sentence(error: Exception) -> str:
    if isinstance(error, NotKeptError):
        return f"the list verified, and could not be kept: {_sentence(error.reason)}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
