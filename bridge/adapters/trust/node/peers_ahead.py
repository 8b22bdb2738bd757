"""Which peers have used a newer list than this node could get, and since when: kept beside the list in the cache.

Written when a peer is first seen ahead, and once an hour while it is, not with every message. All processes of a node
write into one file. A peer can claim any version: it is believed as far as that an operator is told its name. What it
claimed is over

1. when this node has a version that it named, or the peer has left the list, or is suspended;
2. when the peer names a version that is here in a message that it sent later. An earlier one does not count: who holds
   the list back could bring it again;
3. a week after it last named one that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.adapters.trust.membership.forms import Id, Time
from bridge.adapters.trust.membership.locking import LockedError, locked
from bridge.adapters.trust.membership.mirror import read_bounded
from bridge.core.directory import Directory
from bridge.core.wire import strict_json
from bridge.ports.trust import PeerAhead

LOCK_SECONDS: Final = 1.0
MOST_PEERS: Final = 4096
RENEWED_EVERY: Final = timedelta(hours=1)
ENDS_AFTER: Final = timedelta(days=7)

_log = structlog.get_logger(__name__)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**53 - 1)]
    since: Time
    sent: Time  # of the last message known that named a missing version, by its sender's clock


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    peers: Annotated[dict[Id, _Entry], Field(max_length=MOST_PEERS)]


_Peers = Mapping[str, _Entry]


class PeersAhead:
    """The file in one cache folder."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "ahead.json"
        self._lock = cache / "ahead.lock"
        self._noted: dict[str, _Entry] = {}  # what this process need not write again
        self._level: dict[str, datetime] = {}  # peer -> when it last sent a message that names a version which is here

    def note(self, found: PeerAhead, *, sent: datetime, own_version: int) -> None:
        """Remembers what a peer's message named; `found.since` is now.

        Args:
            found: the peer and the version.
            sent: when it sent the message; what was sent after now was sent now.
            own_version: the one that is here.
        """
        peer, sent = found.peer, min(sent, found.since)
        if found.version <= own_version:
            self._level[peer] = max(sent, self._level.get(peer, sent))
        elif not self._has_caught_up(peer, sent) and not self._is_noted(peer, sent, own_version):
            self._add(found, sent, own_version)

    def known(self, directory: Directory, *, now: datetime) -> Sequence[PeerAhead]:
        """The peers that name a version which is not here, those of the longest standing first."""
        peers, version = self._read(), directory.version
        if any(self._has_caught_up(peer, entry.sent) for peer, entry in peers.items()):
            self._change(lambda there: self._going_on(there, version, now))  # it is over for the other processes, too
        members = {peer for peer, point in directory.contact_points.items() if point.suspended is None}
        going_on = self._going_on(peers, version, now)
        found = [PeerAhead(peer, one.version, one.since) for peer, one in going_on.items() if peer in members]
        return sorted(found, key=lambda one: (one.since, one.peer))

    def _is_noted(self, peer: str, sent: datetime, own_version: int) -> bool:
        noted = self._noted.get(peer)
        if noted is None or noted.version <= own_version or self._has_caught_up(peer, noted.sent):
            return False
        return sent - noted.sent < RENEWED_EVERY

    def _has_caught_up(self, peer: str, sent: datetime) -> bool:
        """Whether the peer sent a message later than this that names a version which is here."""
        level = self._level.get(peer)
        return level is not None and level > sent

    def _going_on(self, peers: _Peers, own_version: int, now: datetime) -> _Peers:
        return {
            peer: entry
            for peer, entry in peers.items()
            if entry.version > own_version
            and now - entry.sent < ENDS_AFTER
            and not self._has_caught_up(peer, entry.sent)
        }

    def _add(self, found: PeerAhead, sent: datetime, own_version: int) -> None:
        entry = _Entry(version=found.version, since=found.since, sent=sent)

        def added(there: _Peers) -> _Peers:
            nonlocal entry
            peers = dict(self._going_on(there, own_version, found.since))
            before = peers.get(found.peer)
            if before is not None:
                version, last = min(before.version, found.version), max(before.sent, sent)
                entry = _Entry(version=version, since=before.since, sent=last)
            peers[found.peer] = entry
            return peers if len(peers) <= MOST_PEERS else there

        if self._change(added):
            self._noted[found.peer] = entry

    def _change(self, change: Callable[[_Peers], _Peers]) -> bool:
        """Whether the file could be written."""
        try:
            with locked(self._lock, wait_seconds=LOCK_SECONDS):
                self._write(_File(peers=dict(change(self._read()))))
        except (LockedError, OSError) as error:
            _log.warning("trust.peer_ahead_not_kept", reason=str(error))
            return False
        return True

    def _read(self) -> _Peers:
        try:
            return _File.model_validate(strict_json.parse_object(read_bounded(self._path))).peers
        except FileNotFoundError:
            return {}
        except (OSError, strict_json.StrictJsonError, ValidationError):
            _log.error("trust.peers_ahead_damaged", path=str(self._path))
            return {}

    def _write(self, file: _File) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_bytes(strict_json.encode(file.model_dump(mode="json")))
        beside.replace(self._path)
