"""The membership list as the bridge uses it: who belongs, with which keys, for what, and what each may send.

It is read from the trust repository, verified there, and immutable here: a new list is a new `Directory`. Look-ups are
by dictionary, so that verification costs the same for ten members and for ten thousand. What it does not do: fetch,
verify signatures of, or change the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

from bridge.core.ids import owner_of, prefix_of

# wire-format: Keys and the trust list. The timestamp is signed anew every 6 h and valid for 45 days.
LIST_LIFETIME: Final = timedelta(days=45)
LIST_ALARM_AGE: Final = timedelta(hours=48)
LIST_SECOND_PERSON_AGE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public P-256 key of a contact point.

    Attributes:
        kid: `<contact point>#<name>`.
        alg: the one algorithm the key is pinned to (`ES256` or `ECDH-ES+A256KW`).
        point: the uncompressed point, 65 bytes.
        use_until: signing keys: `sign_until`; encryption keys: the last moment to seal to it.
        verify_until: signing keys only: signatures are accepted before this moment.
        revoked_at: set when the key was revoked; from then on nothing under it is accepted.
    """

    kid: str
    alg: str
    point: bytes
    use_until: datetime
    verify_until: datetime
    revoked_at: datetime | None = None

    def is_usable(self, at: datetime) -> bool:
        """Whether one may sign with it, or seal to it, at this moment."""
        return self.revoked_at is None and at < self.use_until


@dataclass(frozen=True, slots=True)
class Remit:
    """What a contact point is responsible for within its country.

    `None` means everything. `children_only` desks take alerts that involve a child; a `national_desk` takes every
    alert that concerns its country, whatever the other fields say.
    """

    national_desk: bool = False
    kinds: frozenset[str] | None = None
    exploitation: frozenset[str] | None = None
    children_only: bool = False
    crossings: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class DutyOffice:
    """Where people reach an office when the bridge does not; `hours` in words, as governance wrote them."""

    phone: str | None = None
    email: str | None = None
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One desk of one country, or an organisation, as governance admitted it.

    Attributes:
        id: `rs.border-police`.
        country: ISO 3166-1 alpha-2 or XK; `None` for organisations.
        mode: `live` or `test`; a live contact point refuses test traffic.
        sends, receives: message kinds; `statuses`: the statuses it may send.
        signature_policy: the algorithms that every message of it must carry.
        transfer_basis: recipient country -> basis for sending person-level data there.
        accounts: broker role (`relay`, `router`, `inbox`) -> account name.
        deputies: contact points that stand in for it, in this order.
        suspended: the reason, when the member must not be sent to nor listened to.
    """

    id: str
    name: str
    country: str | None
    mode: str
    remit: Remit
    sends: frozenset[str]
    receives: frozenset[str]
    statuses: frozenset[str]
    signature_policy: tuple[str, ...]
    languages: tuple[str, ...] = ()
    transfer_basis: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    accounts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    duty_office: DutyOffice | None = None
    deputies: tuple[str, ...] = ()
    suspended: str | None = None

    @property
    def prefix(self) -> str:
        """The country or organisation prefix in routing keys."""
        return prefix_of(self.id)


@dataclass(frozen=True)
class Directory:
    """One version of the membership list.

    Attributes:
        network: the network's name, repeated in every payload.
        version: grows with every change, by which peers notice a newer list.
        signed_at: when the list was last confirmed; its age decides the freshness.
        certificate_authorities: in PEM; who signs in to the broker, and the broker itself, show a certificate of one.
        expiries: signing role of the list -> until when what it signed holds.
        unread: member -> why its keys could not be read; they are unknown until it publishes them anew.
    """

    network: str
    version: int
    signed_at: datetime
    contact_points: Mapping[str, ContactPoint]
    signing_keys: Mapping[str, PublicKey]
    encryption_keys: Mapping[str, PublicKey]
    certificate_authorities: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    expiries: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def expires(self) -> datetime:
        """From this moment on nothing can be verified against this list."""
        return self.signed_at + LIST_LIFETIME

    @property
    def countries(self) -> tuple[str, ...]:
        """The member countries, sorted."""
        return tuple(sorted({point.country for point in self.contact_points.values() if point.country}))

    def in_country(self, country: str) -> tuple[ContactPoint, ...]:
        """The contact points of a country, sorted by id."""
        return tuple(sorted((p for p in self.contact_points.values() if p.country == country), key=lambda p: p.id))

    def seal_key(self, contact_point: str, now: datetime) -> PublicKey | None:
        """The newest encryption key of a contact point that may still be sealed to, or `None`."""
        usable = [key for key in self.encryption_keys_of(contact_point) if key.is_usable(now)]
        return max(usable, key=lambda key: (key.use_until, key.kid), default=None)

    def signing_keys_of(self, contact_point: str) -> tuple[PublicKey, ...]:
        """Every signing key of a contact point, whatever its state."""
        return self._signing_keys_by_owner.get(contact_point, ())

    def encryption_keys_of(self, contact_point: str) -> tuple[PublicKey, ...]:
        """Every encryption key of a contact point, whatever its state."""
        return self._encryption_keys_by_owner.get(contact_point, ())

    @cached_property
    def _signing_keys_by_owner(self) -> Mapping[str, tuple[PublicKey, ...]]:
        return _by_owner(self.signing_keys.values())

    @cached_property
    def _encryption_keys_by_owner(self) -> Mapping[str, tuple[PublicKey, ...]]:
        return _by_owner(self.encryption_keys.values())


def _by_owner(keys: Iterable[PublicKey]) -> Mapping[str, tuple[PublicKey, ...]]:
    by_owner: dict[str, tuple[PublicKey, ...]] = {}
    for key in keys:
        owner = owner_of(key.kid)
        by_owner[owner] = (*by_owner.get(owner, ()), key)
    return by_owner
