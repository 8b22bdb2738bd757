"""The membership list as one plain JSON object, for an implementation without a TUF client: what was verified here.

The object proves nothing: whoever reads it believes the node or the folder that it came from. It has the members of the
documents that governance and members signed, with each key as a JWK (RFC 7517).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.adapters.trust.membership.documents import (
    SEALING_ALGORITHM,
    contact_point_document,
    contact_point_of,
    key_of,
)
from bridge.adapters.trust.membership.forms import (
    MAX_CONTACT_POINTS,
    MAX_KEYS,
    Certificate,
    ContactPointDocument,
    KeyDocument,
    Time,
    Word,
    read_document,
)
from bridge.adapters.trust.membership.mirror import MAX_FILE_BYTES, read_bounded
from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.ids import owner_of
from bridge.core.times import format_time
from bridge.core.wire import base64url, strict_json

CODE: Final = "E_MEMBERSHIP_EXPORT"
_COORDINATE: Final = 32
_FORM = ConfigDict(frozen=True, strict=True, extra="forbid")
_Coordinate = Annotated[str, Field(min_length=43, max_length=43)]


class Jwk(BaseModel):
    """A public key on P-256 (RFC 7518, 6.2)."""

    model_config = _FORM

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: _Coordinate
    y: _Coordinate


class ExportedKey(BaseModel):
    """One public key of a contact point with its times; `alg` is what it is pinned to."""

    model_config = _FORM

    kid: str
    alg: Literal["ES256", "ECDH-ES+A256KW"]
    jwk: Jwk
    use_until: Time
    verify_until: Time
    revoked_at: Time | None


class MembershipExport(BaseModel):
    """The membership list as plain JSON.

    `signed_at` is when it was last confirmed; nothing is verified against it from `expires` on. A contact point has the
    members of its signed document (without `v`), and its keys.
    """

    model_config = _FORM

    v: Literal[1]
    network: Word
    version: Annotated[int, Field(ge=1)]
    signed_at: Time
    expires: Time
    contact_points: Annotated[tuple[dict[str, Any], ...], Field(strict=False, max_length=MAX_CONTACT_POINTS)]
    certificate_authorities: Annotated[tuple[Certificate, ...], Field(strict=False, max_length=16)]


def export_of(directory: Directory) -> Mapping[str, object]:
    """A verified list as plain JSON, sorted by contact point and key id."""
    return {
        "v": 1,
        "network": directory.network,
        "version": directory.version,
        "signed_at": format_time(directory.signed_at),
        "expires": format_time(directory.expires),
        "contact_points": [_contact_point(directory, identifier) for identifier in sorted(directory.contact_points)],
        "certificate_authorities": list(directory.certificate_authorities),
    }


def read_export(path: Path) -> Directory:
    """The list in an export's file.

    Raises:
        UnavailableError: `E_FILE`.
        BadInputError: as `directory_of`.
    """
    try:
        return directory_of(read_bounded(path))
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None


def directory_of(data: bytes) -> Directory:
    """The list that an export holds; its `expires` follows from `signed_at`.

    Raises:
        BadInputError: it is no export (`E_MEMBERSHIP_EXPORT`, in its contact points `E_TRUST_DOCUMENT`); the sentence
            names the member.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadInputError(CODE, f"a membership export is larger than {MAX_FILE_BYTES} bytes")
    try:
        export = MembershipExport.model_validate(strict_json.parse_object(data))
    except strict_json.StrictJsonError as error:
        raise BadInputError(CODE, f"a membership export is not strict JSON: {error.for_author}") from None
    except ValidationError as error:
        raise _fault(error, "$") from None
    points, keys = {}, {}
    for index, members in enumerate(export.contact_points):
        document = read_document(
            ContactPointDocument, strict_json.encode({"v": 2, **{k: v for k, v in members.items() if k != "keys"}})
        )
        points[document.id] = contact_point_of(document)
        for key in _keys(members.get("keys"), f"$.contact_points[{index}].keys"):
            if owner_of(key.kid) != document.id or key.kid in keys:
                raise BadInputError(CODE, f"$.contact_points[{index}].keys: {key.kid} is another's, or stands twice")
            keys[key.kid] = key
    if len(points) < len(export.contact_points):
        raise BadInputError(CODE, "$.contact_points: expected each contact point once")
    directory = Directory(
        network=export.network,
        version=export.version,
        signed_at=export.signed_at,
        contact_points=points,
        signing_keys={kid: key for kid, key in keys.items() if key.alg != SEALING_ALGORITHM},
        encryption_keys={kid: key for kid, key in keys.items() if key.alg == SEALING_ALGORITHM},
        certificate_authorities=export.certificate_authorities,
    )
    if directory.expires != export.expires:
        expected = format_time(directory.expires)
        raise BadInputError(CODE, f"$.expires: found another time, expected {expected}, 45 days after signed_at")
    return directory


def _contact_point(directory: Directory, identifier: str) -> Mapping[str, object]:
    document = contact_point_document(directory.contact_points[identifier]).model_dump(mode="json", exclude={"v"})
    keys = (*directory.signing_keys_of(identifier), *directory.encryption_keys_of(identifier))
    return {**document, "keys": [_exported(key) for key in sorted(keys, key=lambda key: key.kid)]}


def _exported(key: PublicKey) -> Mapping[str, object]:
    x, y = key.point[1 : 1 + _COORDINATE], key.point[1 + _COORDINATE :]
    return {
        "kid": key.kid,
        "alg": key.alg,
        "jwk": {"kty": "EC", "crv": "P-256", "x": base64url.encode(x), "y": base64url.encode(y)},
        "use_until": format_time(key.use_until),
        "verify_until": format_time(key.verify_until),
        "revoked_at": _time_or_none(key.revoked_at),
    }


def _keys(value: object, at: str) -> list[PublicKey]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise BadInputError(CODE, f"{at}: expected a list of at most {MAX_KEYS} keys", path=at)
    return [_key(members, f"{at}[{index}]") for index, members in enumerate(value)]


def _key(members: object, at: str) -> PublicKey:
    try:
        key = ExportedKey.model_validate(members)
        point = b"\x04" + base64url.decode(key.jwk.x) + base64url.decode(key.jwk.y)
        document = {
            "kid": key.kid,
            "alg": key.alg,
            "point": base64url.encode(point),
            "use_until": format_time(key.use_until),
            "verify_until": format_time(key.verify_until),
            "revoked_at": _time_or_none(key.revoked_at),
        }
        return key_of(KeyDocument.model_validate(document))
    except ValidationError as error:
        raise _fault(error, at) from None
    except ValueError as error:
        raise BadInputError(CODE, f"{at}.jwk: {error}", path=f"{at}.jwk") from None


def _time_or_none(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def _fault(error: ValidationError, at: str) -> BadInputError:
    fault = error.errors()[0]
    path = at + "".join(f"[{part}]" if isinstance(part, int) else f".{part[:64]}" for part in fault["loc"])
    return BadInputError(CODE, f"{path}: {fault['msg']}", path=path)
