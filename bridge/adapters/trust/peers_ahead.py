"""Which peers have used a newer list than this node could get, and since when: kept beside the list in the cache.

Written when a peer is first seen ahead, not with every message. All processes of a node write into one file. An entry
is over as soon as this node has the version that it names. A peer can claim any version: it is believed as far as that
an operator is told its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.adapters.trust.forms import Id, Time
from bridge.adapters.trust.locking import LockedError, locked
from bridge.adapters.trust.mirror import read_bounded
from bridge.core.wire import strict_json
from bridge.ports.trust import PeerAhead

LOCK_SECONDS: Final = 1.0
MOST_PEERS: Final = 4096

_log = structlog.get_logger(__name__)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**53 - 1)]
    since: Time


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    peers: Annotated[dict[Id, _Entry], Field(max_length=MOST_PEERS)]


class PeersAhead:
    """The file in one cache folder."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "ahead.json"
        self._lock = cache / "ahead.lock"
        self._noted: dict[str, int] = {}  # what this process need not write again

    def note(self, found: PeerAhead, *, own_version: int) -> None:
        """Remembers a peer that is ahead, unless a version that it named before is still missing here."""
        if self._noted.get(found.peer, 0) > own_version:
            return
        try:
            with locked(self._lock, wait_seconds=LOCK_SECONDS):
                peers = {peer: entry for peer, entry in self._read().items() if entry.version > own_version}
                entry = peers.setdefault(found.peer, _Entry(version=found.version, since=found.since))
                if len(peers) <= MOST_PEERS:
                    self._write(_File(peers=peers))
            self._noted[found.peer] = entry.version
        except (LockedError, OSError) as error:
            _log.warning("trust.peer_ahead_not_kept", reason=str(error))

    def known(self, *, own_version: int) -> Sequence[PeerAhead]:
        """The peers that name a version which is not here, those of the longest standing first."""
        entries = [PeerAhead(peer, entry.version, entry.since) for peer, entry in self._read().items()]
        return sorted((one for one in entries if one.version > own_version), key=lambda one: (one.since, one.peer))

    def _read(self) -> Mapping[str, _Entry]:
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
