"""The four kinds of signed document in a trust repository, as forms, and the strict way of reading them.

| target | says | signed by |
|---|---|---|
| `network.json` | the network's name, countries, contact points, certificate authorities | governance |
| `contact-points/<id>.json` | what governance admitted a contact point for | governance |
| `keys/<prefix>.json` | the public keys of one member's contact points | that member |
| `revocations.json` | which keys and members count no more | the revocation role |

Rules:
1. Read only after the repository proved length and digest; read strictly all the same: no member twice, none unknown,
   none missing, every list bounded.
2. A document may speak of its own contact points only: ids, prefix, country and key ids agree, or it is refused.
3. Every public key is a point on P-256, and so is that in every certificate.

The control kinds stand in no document: every contact point sends and receives them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
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

from bridge.core.errors import BadInputError
from bridge.core.ids import (
    CONTACT_POINT_PATTERN,
    KID_PATTERN,
    ORGANISATION_PREFIXES,
    PREFIX_PATTERN,
    owner_of,
    prefix_of,
)
from bridge.core.times import format_time, parse_time
from bridge.core.wire import base64url, strict_json

MAX_DOCUMENT_BYTES: Final = 1024 * 1024
MAX_CONTACT_POINTS: Final = 4096
MAX_KEYS: Final = 32
MAX_REVOKED: Final = 4096
VERIFY_LONGER: Final = timedelta(days=31)  # wire-format: Keys and the trust list
CODE: Final = "E_TRUST_DOCUMENT"

_FORM = ConfigDict(frozen=True, strict=True, extra="forbid")


def _time(value: object) -> datetime:
    if isinstance(value, datetime):  # made here; JSON has none
        return value
    if not isinstance(value, str):
        message = "expected a time as text"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a validation error
    return parse_time(value)


def _point(text: str) -> str:
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(text))
    return text


def _authority(pem: str) -> str:
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode("ascii"))
        key = certificate.public_key()
    except (UnsupportedAlgorithm, x509.InvalidVersion) as error:  # neither is a ValueError
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        message = "expected a certificate on a P-256 key"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a validation error
    return pem


def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(items)) != len(items):
        message = "an entry stands twice"
        raise ValueError(message)
    return items


Time = Annotated[datetime, BeforeValidator(_time), PlainSerializer(format_time, return_type=str)]
Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Prefix = Annotated[str, Field(pattern=rf"^{PREFIX_PATTERN}$")]
Word = Annotated[str, Field(min_length=1, max_length=80)]
Id = Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
MemberOrId = Annotated[str, Field(pattern=rf"^{PREFIX_PATTERN}(\.[a-z0-9-]{{1,32}})?$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Certificate = Annotated[
    str, Field(max_length=8192, pattern=r"^-----BEGIN CERTIFICATE-----\n"), AfterValidator(_authority)
]
# A tuple in Python, a list in JSON: strictness would refuse the list.
Kinds = Annotated[tuple[Kind, ...], Field(strict=False, max_length=64), AfterValidator(_unique)]
Words = Annotated[tuple[Word, ...], Field(strict=False, max_length=256), AfterValidator(_unique)]
Ids = Annotated[tuple[Id, ...], Field(strict=False, max_length=MAX_CONTACT_POINTS), AfterValidator(_unique)]
Version = Annotated[int, Field(ge=2, le=2)]  # 1 had the keys of contact points in governance's own documents


class StopsBase(BaseModel):
    """With which `revocations.json` the revocation role began anew: one number after the other, and its SHA-256."""

    model_config = _FORM

    number: Annotated[int, Field(ge=1, le=999_999)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class NetworkDocument(BaseModel):
    """`network.json`.

    Attributes:
        stops_base: `None` where the revocation role has never begun anew.
        reinstated: member or contact point -> moment; suspensions by the revocation role up to then count no more.
        certificate_authorities: in PEM; whoever they issued may sign in to the broker, the broker itself included.
    """

    model_config = _FORM

    v: Version
    network: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    countries: Annotated[tuple[Country, ...], Field(strict=False, max_length=256), AfterValidator(_unique)]
    contact_points: Ids
    reinstated: Annotated[dict[MemberOrId, Time], Field(max_length=MAX_REVOKED)]
    certificate_authorities: Annotated[tuple[Certificate, ...], Field(strict=False, max_length=8)]
    stops_base: StopsBase | None = None

    @property
    def base_number(self) -> int:
        """Under which base the revocation role speaks; 0 is that of the founding."""
        return 0 if self.stops_base is None else self.stops_base.number


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


class DutyOfficeDocument(BaseModel):
    """Where people reach an office when the bridge does not: an office, never a person's own number."""

    model_config = _FORM

    phone: Text | None
    email: Text | None
    hours: Text | None


class ContactPointDocument(BaseModel):
    """`contact-points/<id>.json`."""

    model_config = _FORM

    v: Version
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
    duty_office: DutyOfficeDocument | None
    deputies: Ids
    suspended: Text | None

    @model_validator(mode="after")
    def _is_of_its_country(self) -> Self:
        prefix = prefix_of(self.id)
        if (self.country.lower() if self.country else None) != (None if prefix in ORGANISATION_PREFIXES else prefix):
            message = f"{self.id}: country {self.country} does not go with its prefix"
            raise ValueError(message)
        return self


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
    def _verified_longer_than_used(self) -> Self:
        if self.verify_until - self.use_until < VERIFY_LONGER:
            message = f"{self.kid}: verify_until is less than {VERIFY_LONGER.days} days after use_until"
            raise ValueError(message)
        return self


class KeysDocument(BaseModel):
    """`keys/<prefix>.json`; a contact point without keys need not stand in it."""

    model_config = _FORM

    v: Version
    member: Prefix
    contact_points: Annotated[
        dict[Id, Annotated[tuple[KeyDocument, ...], Field(strict=False, max_length=MAX_KEYS)]], Field(max_length=256)
    ]

    @model_validator(mode="after")
    def _speaks_of_itself_only(self) -> Self:
        for identifier, keys in self.contact_points.items():
            if prefix_of(identifier) != self.member:
                message = f"{identifier} is not of {self.member}"
                raise ValueError(message)
            _unique(tuple(key.kid for key in keys))
            for key in keys:
                if owner_of(key.kid) != identifier:
                    message = f"{identifier}: the key {key.kid} is another's"
                    raise ValueError(message)
        return self


class RevokedKey(BaseModel):
    """A key under which nothing is accepted any more."""

    model_config = _FORM

    kid: Annotated[str, Field(pattern=KID_PATTERN)]
    at: Time
    reason: Text


class Suspension(BaseModel):
    """A member, or one contact point of it, that is neither sent to nor listened to."""

    model_config = _FORM

    who: MemberOrId
    at: Time
    reason: Text


class RevocationsDocument(BaseModel):
    """`revocations.json`. It only grows: governance takes back what is taken back (`reinstated`, `stops_base`)."""

    model_config = _FORM

    v: Version
    keys: Annotated[tuple[RevokedKey, ...], Field(strict=False, max_length=MAX_REVOKED)]
    suspensions: Annotated[tuple[Suspension, ...], Field(strict=False, max_length=MAX_REVOKED)]

    @model_validator(mode="after")
    def _names_a_key_once(self) -> Self:
        _unique(tuple(entry.kid for entry in self.keys))
        return self


NOTHING_REVOKED: Final = RevocationsDocument(v=2, keys=(), suspensions=())

Document = TypeVar("Document", NetworkDocument, ContactPointDocument, KeysDocument, RevocationsDocument)


def read_document(form: type[Document], data: bytes) -> Document:
    """The document in verified bytes.

    Raises:
        BadInputError: the bytes are not such a document; the sentence names the member.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise BadInputError(CODE, f"a trust document is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return form.model_validate(strict_json.parse_object(data))
    except strict_json.StrictJsonError as error:
        raise BadInputError(CODE, f"a trust document is not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part[:64]}" for part in fault["loc"])
        raise BadInputError(CODE, f"a trust document: {path}: {fault['msg']}", path=path) from None


def write_document(document: NetworkDocument | ContactPointDocument | KeysDocument | RevocationsDocument) -> bytes:
    """The document's bytes: readable JSON, the same bytes for the same content."""
    return strict_json.encode(document.model_dump(mode="json")) + b"\n"
