"""The membership list from its two sides: nodes read it, the secretariat founds and changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.core.directory import ContactPoint, Directory, PublicKey


@dataclass(frozen=True, slots=True)
class Member:
    """A contact point as governance admitted it, and all public keys enrolled for it so far."""

    point: ContactPoint
    keys: tuple[PublicKey, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleState:
    """One signing role of the repository: `root`, `targets`, `snapshot` or `timestamp`.

    Attributes:
        threshold: how many of the role's `keys` have to sign.
    """

    role: str
    version: int
    expires: datetime
    threshold: int
    keys: int


@dataclass(frozen=True, slots=True)
class NetworkState:
    """A verified network: the membership list, the countries it is for, and how it is signed.

    Attributes:
        root_sha256: hex digest of the first root file, which members compare out of band before they pin it.
    """

    directory: Directory
    countries: tuple[str, ...]
    roles: tuple[RoleState, ...]
    root_sha256: str


class TrustSource(Protocol):
    """Holds the newest verified membership list and refreshes it on demand."""

    def current(self) -> Directory:
        """The last verified list, however old; verification judges its age.

        Raises:
            UnavailableError: no list was ever verified.
        """
        ...

    def highest_version(self) -> int:
        """The highest list version ever seen here; an older list is not used (rollback)."""
        ...

    async def refresh(self) -> Directory:
        """Asks the mirror for a newer list and returns what is current then; offline it keeps the last valid one."""
        ...


class NetworkRepository(Protocol):
    """A network's repository where its ceremony keys are. Every change is one new version, signed by the thresholds."""

    def found(self, network: str, countries: Sequence[str], members: Sequence[Member], *, at: datetime) -> None:
        """Makes the ceremony keys and the first version.

        Raises:
            RefusedError: a network is there already.
            BadInputError: a member breaks a rule of the membership list.
        """
        ...

    def state(self, *, at: datetime | None = None) -> NetworkState:
        """The verified state as of `at`, or now.

        Raises:
            UnavailableError: no network is there.
            RefusedError: signatures, digests or expiry do not hold.
        """
        ...

    def enrol(self, keys: Sequence[PublicKey], *, at: datetime) -> int:
        """Adds public keys to their owners' documents in one new version, and answers that version.

        Raises:
            BadInputError: an owner is not a member.
            RefusedError: a key id is enrolled already, or the network does not verify.
        """
        ...
