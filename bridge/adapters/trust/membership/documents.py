"""From members to the documents that say the same, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bridge.adapters.trust.membership.forms import (
    ContactPointDocument,
    KeyDocument,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    read_document,
)
from bridge.core.directory import ContactPoint, DutyOffice, PublicKey, Remit
from bridge.core.ids import owner_of, prefix_of
from bridge.core.times import format_time
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.payload import CONTROL_KINDS

SEALING_ALGORITHM: Final = "ECDH-ES+A256KW"


def contact_point_document(point: ContactPoint) -> ContactPointDocument:
    """A contact point as governance's document.

    Raises:
        BadInputError: it breaks a rule of the document.
    """
    remit, office = point.remit, point.duty_office
    members: dict[str, object] = {
        "v": 2,
        "id": point.id,
        "name": point.name,
        "country": point.country,
        "mode": point.mode,
        "remit": {
            "national_desk": remit.national_desk,
            "kinds": _sorted(remit.kinds),
            "exploitation": _sorted(remit.exploitation),
            "children_only": remit.children_only,
            "crossings": _sorted(remit.crossings),
        },
        "sends": sorted(point.sends - CONTROL_KINDS),
        "receives": sorted(point.receives - CONTROL_KINDS),
        "statuses": sorted(point.statuses),
        "signature_policy": list(point.signature_policy),
        "languages": list(point.languages),
        "transfer_basis": dict(sorted(point.transfer_basis.items())),
        "accounts": dict(sorted(point.accounts.items())),
        "duty_office": {"phone": office.phone, "email": office.email, "hours": office.hours} if office else None,
        "deputies": list(point.deputies),
        "suspended": point.suspended,
    }
    return read_document(ContactPointDocument, strict_json.encode(members))


def contact_point_of(document: ContactPointDocument) -> ContactPoint:
    """The contact point that a document admits."""
    remit, office = document.remit, document.duty_office
    return ContactPoint(
        id=document.id,
        name=document.name,
        country=document.country,
        mode=document.mode,
        remit=Remit(
            national_desk=remit.national_desk,
            kinds=_frozen(remit.kinds),
            exploitation=_frozen(remit.exploitation),
            children_only=remit.children_only,
            crossings=_frozen(remit.crossings),
        ),
        sends=frozenset(document.sends) | CONTROL_KINDS,
        receives=frozenset(document.receives) | CONTROL_KINDS,
        statuses=frozenset(document.statuses),
        signature_policy=document.signature_policy,
        languages=document.languages,
        transfer_basis=MappingProxyType(document.transfer_basis),
        accounts=MappingProxyType(document.accounts.model_dump()),
        duty_office=DutyOffice(office.phone, office.email, office.hours) if office else None,
        deputies=document.deputies,
        suspended=document.suspended,
    )


def keys_document(prefix: str, keys: Iterable[PublicKey]) -> KeysDocument:
    """All keys of one member as its own document.

    Raises:
        BadInputError: a key is another's, or breaks a rule of the document.
    """
    by_owner: dict[str, list[dict[str, object]]] = {}
    for key in sorted(keys, key=lambda key: key.kid):
        by_owner.setdefault(owner_of(key.kid), []).append(_key_members(key))
    return read_document(KeysDocument, strict_json.encode({"v": 2, "member": prefix, "contact_points": by_owner}))


def keys_of(document: KeysDocument) -> tuple[PublicKey, ...]:
    """The keys in a member's document."""
    return tuple(key_of(key) for keys in document.contact_points.values() for key in keys)


def network_document(
    network: str,
    countries: Iterable[str],
    contact_points: Iterable[str],
    *,
    certificate_authorities: Sequence[str] = (),
) -> NetworkDocument:
    """The network's own document.

    Raises:
        BadInputError: it breaks a rule of the document.
    """
    members: dict[str, object] = {
        "v": 2,
        "network": network,
        "countries": sorted(countries),
        "contact_points": sorted(contact_points),
        "reinstated": {},
        "certificate_authorities": list(certificate_authorities),
    }
    return read_document(NetworkDocument, strict_json.encode(members))


def authority_of(pem: str) -> tuple[str, str]:
    """A certificate authority: the SHA-256 of its certificate in hexadecimal, and whose it is until when."""
    certificate = x509.load_pem_x509_certificate(pem.encode("ascii"))
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    return digest, f"{certificate.subject.rfc4514_string()} until {certificate.not_valid_after_utc:%Y-%m-%d}"


def revoked_keys(keys: Iterable[PublicKey], revocations: RevocationsDocument) -> tuple[PublicKey, ...]:
    """The keys with what the revocation role says of them; a member's own revocation stays."""
    revoked = {entry.kid: entry.at for entry in revocations.keys}
    return tuple(replace(key, revoked_at=revoked.get(key.kid, key.revoked_at)) for key in keys)


def suspensions(
    identifiers: Iterable[str], revocations: RevocationsDocument, network: NetworkDocument
) -> Mapping[str, str]:
    """Contact point -> reason, for those that the revocation role suspended and governance has not reinstated since."""
    found = {}
    for identifier in identifiers:
        whole = {identifier, prefix_of(identifier)}
        back = max((at for who, at in network.reinstated.items() if who in whole), default=None)
        for entry in revocations.suspensions:
            if entry.who in whole and (back is None or entry.at > back):
                found[identifier] = entry.reason
    return found


def _key_members(key: PublicKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "point": base64url.encode(key.point),
        "use_until": format_time(key.use_until),
        "verify_until": format_time(key.verify_until),
        "revoked_at": format_time(key.revoked_at) if key.revoked_at else None,
    }


def key_of(key: KeyDocument) -> PublicKey:
    """The key that an entry of a member's document is."""
    return PublicKey(
        kid=key.kid,
        alg=key.alg,
        point=base64url.decode(key.point),
        use_until=key.use_until,
        verify_until=key.verify_until,
        revoked_at=key.revoked_at,
    )


def _sorted(items: frozenset[str] | None) -> Sequence[str] | None:
    return None if items is None else sorted(items)


def _frozen(items: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if items is None else frozenset(items)
