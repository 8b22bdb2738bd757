"""A small network by hand: three contact points with real keys, a clock that stands still, a broker that is a list.

The store and the cryptography are the real ones; what stands in for the outside is the clock, the membership list and
the broker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec

from bridge.adapters.jose.desk import KeyDesk, StoredSigner
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import ALGORITHM
from bridge.adapters.system import RandomIds
from bridge.app.sending.make_message import Addressing, MadeMessage, make_control, make_sealed
from bridge.core.directory import ContactPoint, Directory, PublicKey, Remit
from bridge.core.errors import UnavailableError
from bridge.core.ids import owner_of, prefix_of
from bridge.core.times import format_time
from bridge.core.verification import Hints, TrustView
from bridge.core.wire import base64url
from bridge.core.wire.envelope import TYP_CONTROL, build_envelope, parse_envelope, protected_header
from bridge.core.wire.payload import lane_of
from bridge.core.wire.sealed import KEY_ALGORITHM
from bridge.ports.broker import Delivery, Publication, PublishOutcome

START = datetime(2026, 11, 23, 18, 40, 1, 234000, tzinfo=UTC)
MEMBERS = ("at.ncp", "at.border-police", "hu.ncp", "rs.ncp")
KINDS = frozenset(
    {"route_alert", "alert_update", "alert_cancel", "acknowledgement", "receipt", "heartbeat", "resend_request"}
)
STORAGE_KEYS = {member: hashlib.sha256(member.encode()).digest() for member in MEMBERS}

_ids = RandomIds()
_numbers = count(1000)


@dataclass
class StillClock:
    """Tells the time it was told."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class ListedTrust:
    """The membership list as an attribute."""

    directory: Directory
    newer: Directory | None = None
    ahead_noted: dict[str, int] = field(default_factory=dict)
    taken: list[Mapping[str, bytes]] = field(default_factory=list)

    def current(self) -> Directory:
        return self.directory

    def view(self) -> TrustView:
        return TrustView(self.directory, self.directory.version)

    async def refresh(self) -> Directory:
        self.directory = self.newer or self.directory
        return self.directory

    def note_version(self, peer: str, version: int, *, sent: datetime) -> None:  # noqa: ARG002 - of the port
        if version > self.directory.version:
            self.ahead_noted.setdefault(peer, version)

    async def take(self, files: Mapping[str, bytes]) -> None:
        self.taken.append(files)
        await self.refresh()


@dataclass
class ListPublisher:
    """Keeps what was published and answers as told: by routing key, else confirmed."""

    published: list[Publication] = field(default_factory=list)
    outcomes: dict[str, PublishOutcome] = field(default_factory=dict)
    is_away: bool = False

    async def publish(self, batch: Sequence[Publication]) -> Sequence[PublishOutcome]:
        if self.is_away:
            raise UnavailableError("E_BROKER", "the broker cannot be reached")
        self.published += batch
        return [self.outcomes.get(publication.routing_key, PublishOutcome.CONFIRMED) for publication in batch]


@cache
def private_keys(contact_point: str) -> PrivateKeys:
    """The keys of the list."""
    kids = (f"{contact_point}#sig-1", f"{contact_point}#enc-1")
    return PrivateKeys({kid: ec.generate_private_key(ec.SECP256R1()) for kid in kids})


@cache
def desk(contact_point: str) -> KeyDesk:
    return KeyDesk(contact_point, private_keys(contact_point))


def signer(contact_point: str) -> StoredSigner:
    """Signs with the key of the list."""
    return StoredSigner(private_keys(contact_point), f"{contact_point}#sig-1")


def directory(*, without: Sequence[str] = (), **given: object) -> Directory:
    """The membership list; `without` leaves out the signing keys of members."""
    signing = {f"{own}#sig-1": _public(f"{own}#sig-1", ALGORITHM) for own in MEMBERS if own not in without}
    opening = {f"{own}#enc-1": _public(f"{own}#enc-1", KEY_ALGORITHM) for own in MEMBERS}
    points = {member: _contact_point(member) for member in MEMBERS}
    made = Directory("see", 7, START, MappingProxyType(points), MappingProxyType(signing), MappingProxyType(opening))
    return replace(made, **given)


def _contact_point(member: str) -> ContactPoint:
    return ContactPoint(
        id=member,
        name=member,
        country=prefix_of(member).upper(),
        mode="live",
        remit=Remit(national_desk=True),
        sends=KINDS,
        receives=KINDS,
        statuses=frozenset({"actual", "exercise"}),
        signature_policy=(ALGORITHM,),
    )


def _public(kid: str, alg: str) -> PublicKey:
    return public_of(kid, alg, private_keys(owner_of(kid)).point(kid))


def public_of(kid: str, alg: str, point: bytes) -> PublicKey:
    until = START + timedelta(days=200)
    return PublicKey(kid, alg, point, use_until=until, verify_until=until)


@dataclass(frozen=True)
class Sent:
    """A message that was made, with what a test wants to say about it."""

    made: MadeMessage
    addressing: Addressing
    number: int | None = None

    @property
    def id(self) -> str:
        return self.addressing.id

    @property
    def reference(self) -> dict[str, str]:
        return {"from": self.addressing.sender, "id": self.id, "payload_sha256": self.made.payload_sha256}

    def delivery(self, *, to: str | None = None, **hinted: object) -> Delivery:
        """As it comes out of a queue: of the contact point `to`, or of a country when there is none."""
        own = self.addressing
        hints = Hints(correlation_id=own.id, type=own.kind, app_id=own.sender)
        lane = lane_of(own.urgency)
        if to is None:
            key = f"{prefix_of(own.sender)}.{prefix_of(own.to[0])}.{lane}.{own.kind}"
            hints = replace(hints, routing_key=key)
        queue = f"inbox.{to}.{lane}" if to else f"country.{prefix_of(own.to[0])}.{lane}"
        return Delivery(1, queue, self.made.wire_bytes, replace(hints, **hinted), redelivered=False)


def address(kind: str, *, sender: str, to: Sequence[str], at: datetime = START, **given: object) -> Addressing:
    made = Addressing(
        id=_ids.new(at),
        kind=kind,
        status="actual",
        urgency="immediate",
        sender=sender,
        to=tuple(sorted(to)),
        sent=at,
        expires=at + timedelta(days=7),
    )
    return replace(made, **given)


def alert(
    *,
    to: Sequence[str] = ("at.ncp",),
    sender: str = "rs.ncp",
    kind: str = "route_alert",
    body: Mapping[str, object] | None = None,
    thread: str | None = None,
    number: int | None = None,
    at: datetime = START,
    **given: object,
) -> Sent:
    """A sealed message, a route alert unless told otherwise."""
    addressing = address(kind, sender=sender, to=to, at=at, **given)
    number = next(_numbers) if number is None else number
    made = make_sealed(
        addressing,
        body={**(body or route_body(at)), "thread": thread or addressing.id, "references": []},
        numbers=dict.fromkeys(addressing.to, number),
        epoch=1,
        directory=directory(),
        signer=signer(sender),
        seal=seal,
    )
    return Sent(made, addressing, number)


def control(
    kind: str, members: Mapping[str, object], *, sender: str = "at.ncp", to: str = "rs.ncp", at: datetime = START
) -> Sent:
    addressing = address(kind, sender=sender, to=[to], at=at)
    made = make_control(addressing, control=members, directory=directory(), signer=signer(sender))
    return Sent(made, addressing)


def receipt_for(sent: Sent, *, by: str = "at.ncp", code: str | None = None, **changed: str) -> Sent:
    """The receipt of `by` for a message, with digests changed on demand."""
    made = sent.made
    of = {"id": sent.id, "payload_sha256": made.payload_sha256, "sealed_sha256": made.sealed_sha256, **changed}
    verdict = {"state": "delivered"} if code is None else {"state": "rejected", "code": code}
    return control("receipt", {**verdict, "of": of}, sender=by, to=sent.addressing.sender)


def head(at: datetime = START) -> dict[str, object]:
    return {
        "title": "Vans at Horgoš",
        "language": "en",
        "tlp": "AMBER",
        "handling": [],
        "purpose": "victim_protection",
        "legal_basis": "Directive (EU) 2016/680, national law",
        "retain_until": format_time(at + timedelta(days=90)),
    }


def route_body(at: datetime = START) -> dict[str, object]:
    leg = {"from": {"country": "RS"}, "to": {"country": "AT"}, "confirmed": True}
    return {**head(at), "legs": [leg], "means": ["deception"], "exploitation": ["sexual"]}


def update_body(earlier: Sent) -> dict[str, object]:
    return {**route_body(), "change_summary": "Another crossing", "supersedes": earlier.reference}


def cancel_body(earlier: Sent) -> dict[str, object]:
    return {**head(), "reason": "disrupted", "supersedes": earlier.reference}


def acknowledgement_body(of: Mapping[str, str], *, level: str = "accepted") -> dict[str, object]:
    return {**head(), "of": dict(of), "level": level, "officer": "Ana Anić", "at": format_time(START)}


def bent(sent: Sent) -> Sent:
    """The same message with another signature than its signer's."""
    wire_bytes = sent.made.wire_bytes
    end = wire_bytes.index(b'"signature":"') + len(b'"signature":"') + 4
    changed = b"B" if wire_bytes[end : end + 1] == b"A" else b"A"
    return replace(sent, made=replace(sent.made, wire_bytes=wire_bytes[:end] + changed + wire_bytes[end + 1 :]))


def signed_as(sent: Sent, typ: str) -> Sent:
    """The same payload, signed by its sender under a header with this `typ`; nothing sealed beside it in control."""
    envelope = parse_envelope(sent.made.wire_bytes)
    own = signer(sent.addressing.sender)
    header = protected_header(alg=ALGORITHM, kid=own.kid, typ=typ)
    signature_bytes = own.sign(f"{header}.{envelope.payload}".encode("ascii"))
    sealed = None if typ == TYP_CONTROL else envelope.sealed
    return replace(
        sent,
        made=replace(sent.made, wire_bytes=build_envelope(envelope.payload_bytes, [(header, signature_bytes)], sealed)),
    )


def unsealed_digest(text: str) -> str:
    return base64url.encode(hashlib.sha256(text.encode()).digest())
