"""The two kinds of signed document in a trust repository: the network, and one contact point with its public keys.

Rules:
1. Read only after the repository proved length and digest; read strictly all the same: no member twice, none unknown,
   none missing, every list bounded.
2. A document may speak of its own contact point only: ids, prefix, country and key ids agree, or it is refused.
3. Every public key is a point on P-256.

The control kinds stand in no document: every contact point sends and receives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from bridge.core.directory import ContactPoint, PublicKey, Remit
from bridge.core.errors import BadInputError
from bridge.core.ids import CONTACT_POINT_PATTERN, KID_PATTERN, ORGANISATION_PREFIXES, owner_of, prefix_of
from bridge.core.times import format_time, parse_time
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.ports.trust import Member

MAX_DOCUMENT_BYTES: Final = 256 * 1024
MAX_CONTACT_POINTS: Final = 4096
MAX_KEYS: Final = 32
VERIFY_LONGER: Final = timedelta(days=31)  # wire-format: Keys and the trust list
SEALING_ALGORITHM: Final = "ECDH-ES+A256KW"

_FORM = ConfigDict(frozen=True, strict=True, extra="forbid")


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        message = "expected a time as text"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a validation error
    return parse_time(value)


def _point(text: str) -> str:
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(text))
    return text


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(items)) != len(items):
        message = "an entry stands twice"
        raise ValueError(message)
    return items


Time = Annotated[datetime, BeforeValidator(_time), PlainSerializer(format_time, return_type=str)]
Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Word = Annotated[str, Field(min_length=1, max_length=80)]
Id = Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
# A tuple in Python, a list in JSON: strictness would refuse the list.
Kinds = Annotated[tuple[Kind, ...], Field(strict=False, max_length=64), AfterValidator(_unique)]
Words = Annotated[tuple[Word, ...], Field(strict=False, max_length=256), AfterValidator(_unique)]


class NetworkDocument(BaseModel):
    """`network.json`: the network's name, the countries it is for, and whose documents belong to it."""

    model_config = _FORM

    v: Annotated[int, Field(ge=1, le=1)]
    network: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    countries: Annotated[tuple[Country, ...], Field(strict=False, max_length=256), AfterValidator(_unique)]
    contact_points: Annotated[
        tuple[Id, ...], Field(strict=False, max_length=MAX_CONTACT_POINTS), AfterValidator(_unique)
    ]


class KeyDocument(BaseModel):
    """One public key with its times."""

    model_config = _FORM

    kid: Annotated[str, Field(pattern=KID_PATTERN)]
    alg: Literal["ES256", "ECDH-ES+A256KW"]
    point: Annotated[str, Field(min_length=87, max_length=87), AfterValidator(_point)]
    use_until: Time
    verify_until: Time
    revoked_at: Time | None

    @model_validator(mode="after")
    def _verified_longer_than_used(self) -> KeyDocument:
        if self.verify_until - self.use_until < VERIFY_LONGER:
            message = f"{self.kid}: verify_until is less than {VERIFY_LONGER.days} days after use_until"
            raise ValueError(message)
        return self


class RemitDocument(BaseModel):
    """What a contact point is responsible for; `null` is everything."""

    model_config = _FORM

    national_desk: bool
    kinds: Kinds | None
    exploitation: Words | None
    children_only: bool
    crossings: Words | None


class AccountsDocument(BaseModel):
    """The broker accounts that act for a contact point."""

    model_config = _FORM

    relay: Word
    router: Word
    inbox: Word


class ContactPointDocument(BaseModel):
    """`contact-points/<id>.json`: what governance admitted, and the public keys that its owner enrolled."""

    model_config = _FORM

    v: Annotated[int, Field(ge=1, le=1)]
    id: Id
    name: Text
    country: Country | None
    mode: Literal["live", "test"]
    remit: RemitDocument
    sends: Kinds
    receives: Kinds
    statuses: Annotated[
        tuple[Literal["actual", "exercise", "system", "test"], ...], Field(strict=False), AfterValidator(_unique)
    ]
    signature_policy: Annotated[
        tuple[Literal["ES256"], ...], Field(strict=False, min_length=1, max_length=3), AfterValidator(_unique)
    ]
    languages: Words
    transfer_basis: Annotated[dict[Country, Word], Field(max_length=256)]
    accounts: AccountsDocument
    suspended: Text | None
    keys: Annotated[tuple[KeyDocument, ...], Field(strict=False, max_length=MAX_KEYS)]

    @model_validator(mode="after")
    def _speaks_of_itself_only(self) -> ContactPointDocument:
        prefix = prefix_of(self.id)
        if (self.country.lower() if self.country else None) != (None if prefix in ORGANISATION_PREFIXES else prefix):
            message = f"{self.id}: country {self.country} does not go with its prefix"
            raise ValueError(message)
        _unique(tuple(key.kid for key in self.keys))
        for key in self.keys:
            if owner_of(key.kid) != self.id:
                message = f"{self.id}: the key {key.kid} is another's"
                raise ValueError(message)
        return self


Document = TypeVar("Document", NetworkDocument, ContactPointDocument)


def read_document(form: type[Document], data: bytes) -> Document:
    """The document in verified bytes.

    Raises:
        BadInputError: the bytes are not such a document; the sentence names the member.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise BadInputError("E_TRUST_DOCUMENT", f"a trust document is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return form.model_validate(strict_json.parse_object(data))
    except strict_json.StrictJsonError as error:
        raise BadInputError("E_TRUST_DOCUMENT", f"a trust document is not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
        raise BadInputError("E_TRUST_DOCUMENT", f"a trust document: {path}: {fault['msg']}", path=path) from None


def write_document(document: NetworkDocument | ContactPointDocument) -> bytes:
    """The document's bytes: readable JSON, the same bytes for the same content."""
    return strict_json.encode(document.model_dump(mode="json")) + b"\n"


def document_of(member: Member) -> ContactPointDocument:
    """A member as its document.

    Raises:
        BadInputError: the member breaks a rule of the document.
    """
    point, remit = member.point, member.point.remit
    return read_document(
        ContactPointDocument,
        strict_json.encode(
            {
                "v": 1,
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
                "suspended": point.suspended,
                "keys": [_key_members(key) for key in sorted(member.keys, key=lambda key: key.kid)],
            }
        ),
    )


def member_of(document: ContactPointDocument) -> Member:
    """The member that a document describes."""
    remit = document.remit
    point = ContactPoint(
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
        suspended=document.suspended,
    )
    return Member(point, tuple(_key_of(key) for key in document.keys))


def _key_members(key: PublicKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "point": base64url.encode(key.point),
        "use_until": format_time(key.use_until),
        "verify_until": format_time(key.verify_until),
        "revoked_at": format_time(key.revoked_at) if key.revoked_at else None,
    }


def _key_of(key: KeyDocument) -> PublicKey:
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
