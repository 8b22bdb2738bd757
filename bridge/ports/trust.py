"""The source of the membership list, and what looking at a network speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from bridge.core.directory import Directory
from bridge.core.verification import TrustView


@dataclass(frozen=True, slots=True)
class RoleState:
    """One signing role of the repository: `root`, `targets`, `snapshot`, `timestamp`, `revocations`, `member-rs`, ...

    Attributes:
        threshold: how many of the role's `keys` have to sign.
        holders: whose the keys are, by name; a key without a name by the beginning of its id.
    """

    role: str
    version: int
    expires: datetime
    threshold: int
    keys: int
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkState:
    """A verified network: the membership list, the countries it is for, and how it is signed.

    Attributes:
        root_sha256: hex digest of the first root file, which members compare out of band before they pin it.
        authorities: SHA-256 of each certificate authority's certificate -> whose it is until when.
    """

    directory: Directory
    countries: tuple[str, ...]
    roles: tuple[RoleState, ...]
    root_sha256: str
    authorities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class PeerAhead:
    """A peer that has used this version of the list since then, while this node had none as new."""

    peer: str
    version: int
    since: datetime


class TrustSource(Protocol):
    """Holds the newest verified membership list and refreshes it on demand."""

    def current(self) -> Directory:
        """The last verified list, however old; verification judges its age.

        Raises:
            UnavailableError: no list was ever verified.
        """
        ...

    def view(self) -> TrustView:
        """The last verified list and the highest version ever seen here (rollback), both of one moment.

        Raises:
            UnavailableError: no list was ever verified.
        """
        ...

    async def refresh(self) -> Directory:
        """Asks the mirrors for a newer list and returns what is current then; offline it keeps the last valid one."""
        ...

    @property
    def failures(self) -> Mapping[str, str]:
        """Mirror -> why the last refresh got nothing from it; those that are current are left out."""
        ...

    def note_version(self, peer: str, version: int, *, sent: datetime) -> None:
        """A proven peer's message, sent at that moment, named this version of the list."""
        ...

    def ahead(self) -> Sequence[PeerAhead]:
        """The peers whose version is still missing here although a refresh was tried; outlives a restart."""
        ...

    async def take(self, files: Mapping[str, bytes]) -> None:
        """Looks at files of the trust repository that came through the bridge; what does not verify changes nothing."""
        ...
