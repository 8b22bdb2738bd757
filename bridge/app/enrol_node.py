"""Which keys a node's contact points get, and for how long: pure rules for setting up a node and enrolling it.

It makes no key and writes no file; the wiring does, with these names and times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.core.directory import ContactPoint, Directory, PublicKey
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.ids import owner_of
from bridge.core.times import to_milliseconds

# wire-format: Keys and the trust list. Encryption keys live 90 days and are destroyed 31 days after their successor.
SIGN_FOR: Final = timedelta(days=365)
SEAL_FOR: Final = timedelta(days=90)
VERIFY_LONGER: Final = timedelta(days=31)
SIGNING: Final = "ES256"
SEALING: Final = "ECDH-ES+A256KW"


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key to be made."""

    kid: str
    alg: str
    use_until: datetime
    verify_until: datetime

    def enrolled(self, point: bytes) -> PublicKey:
        """The made key as it is enrolled; `point` is the uncompressed public point, 65 bytes."""
        return PublicKey(self.kid, self.alg, point, self.use_until, self.verify_until)


def members_of_country(directory: Directory, country: str) -> Sequence[ContactPoint]:
    """The contact points that a country's node hosts, sorted; an organisation counts by its prefix.

    Raises:
        BadInputError: the network has none; the sentence names the countries it has.
    """
    found = [point for point in directory.contact_points.values() if point.prefix == country.lower()]
    if not found:
        known = ", ".join(sorted({point.prefix.upper() for point in directory.contact_points.values()}))
        detail = f"country: found {country[:16]}, expected one of {known}, the countries of the network"
        raise BadInputError("E_COUNTRY", detail, path="country")
    return sorted(found, key=lambda point: point.id)


def refuse_enrolled(directory: Directory, contact_points: Iterable[str]) -> None:
    """Refuses contact points that have keys already; a second node must not appear beside the first.

    Raises:
        RefusedError: the sentence names them (`E_KEY_EXISTS`).
    """
    owners = {owner_of(kid) for kid in (*directory.signing_keys, *directory.encryption_keys)}
    enrolled = sorted(owners.intersection(contact_points))
    if enrolled:
        detail = f"{', '.join(enrolled)}: keys are enrolled already; nothing was changed"
        raise RefusedError("E_KEY_EXISTS", detail)


def first_keys(contact_points: Iterable[str], *, version: int, at: datetime) -> Mapping[str, Sequence[KeyOrder]]:
    """For every contact point its first signing and its first encryption key, named by the year of `at`.

    `version` is that of the member's document: whoever was a member before gets names that it never had.
    """
    now = to_milliseconds(at)
    name = f"{now.year}a" if version == 1 else f"{now.year}v{version}"
    return {
        identifier: (
            KeyOrder(f"{identifier}#sig-{name}", SIGNING, now + SIGN_FOR, now + SIGN_FOR + VERIFY_LONGER),
            KeyOrder(f"{identifier}#enc-{name}", SEALING, now + SEAL_FOR, now + SEAL_FOR + VERIFY_LONGER),
        )
        for identifier in contact_points
    }
