"""What a network's documents say, and how far a change of them is signed: what people are shown before they sign.

Built from signed documents by the trust repository; nothing that those can say may be missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bridge.core.directory import ContactPoint, PublicKey


@dataclass(frozen=True, slots=True)
class Signers:
    """Who signs for a role: key id -> its holder, and how many of them must."""

    holders: Mapping[str, str]
    threshold: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A key that the revocation role revoked, or a member or contact point that it suspended."""

    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A network at one moment.

    Attributes:
        contact_points: as governance admitted them; `suspended` is governance's own word there.
        signers: who signs, in words (`governance`, `keys of rs`, ...) -> the holders.
        keys: kid -> key, as the members published them.
        revoked, suspensions: what the revocation role said, and `reinstated` what governance took back, up to when.
        stops_base: how many times governance had that role begin anew.
        suspended: contact point -> reason; who is stopped in effect.
        certificate_authorities: SHA-256 of the certificate -> whose it is.
    """

    network: str
    countries: tuple[str, ...] = ()
    contact_points: Mapping[str, ContactPoint] = field(default_factory=lambda: MappingProxyType({}))
    signers: Mapping[str, Signers] = field(default_factory=lambda: MappingProxyType({}))
    keys: Mapping[str, PublicKey] = field(default_factory=lambda: MappingProxyType({}))
    revoked: tuple[Stop, ...] = ()
    suspensions: tuple[Stop, ...] = ()
    stops_base: int = 0
    reinstated: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    suspended: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    certificate_authorities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Tally:
    """How far one document of a change is signed.

    Attributes:
        role: whose document it is; `version` and `expires` are its own.
        signed, unsigned: the holders whose signature is there and holds, and the others.
        present: whether these are the holders so far, who have to let a new root in.
    """

    role: str
    version: int
    expires: datetime
    threshold: int
    signed: tuple[str, ...]
    unsigned: tuple[str, ...]
    present: bool = False

    @property
    def missing(self) -> int:
        """How many signatures it still takes."""
        return max(0, self.threshold - len(self.signed))


@dataclass(frozen=True, slots=True)
class Review:
    """A change as its signers see it; `before` is `None` where it founds a network."""

    before: Standing | None
    after: Standing
    tallies: tuple[Tally, ...]
