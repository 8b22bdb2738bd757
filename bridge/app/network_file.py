"""The file that a network is founded from: its name, its countries, and the contact points that governance admits.

TOML, read strictly: an unknown key, a code in no list, a country without a national desk is a fault that names where it
is. What a contact point does not say, `[defaults]` says; what neither says, the defaults here. Broker accounts are
named by the topology, not by this file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.core.countries import COUNTRY_CODES
from bridge.core.directory import ContactPoint, DutyOffice, Remit
from bridge.core.errors import BadInputError, Problem
from bridge.core.ids import CONTACT_POINT_PATTERN, ORGANISATION_PREFIXES, prefix_of
from bridge.core.vocabulary import CODE_LISTS, DIRECTORY_NOTICE, SEALED_KINDS
from bridge.core.wire.payload import CONTROL_KINDS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_FILE_BYTES: Final = 1024 * 1024
CODE: Final = "E_NETWORK_FILE"

_FORM = ConfigDict(frozen=True, strict=True, extra="forbid")
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Words = Annotated[tuple[str, ...], Field(strict=False, max_length=256)]
_Status = Literal["actual", "exercise", "system", "test"]
_Statuses = Annotated[tuple[_Status, ...], Field(strict=False, min_length=1)]
_Policy = Annotated[tuple[Literal["ES256"], ...], Field(strict=False, min_length=1, max_length=1)]


class _Defaults(BaseModel):
    model_config = _FORM

    mode: Literal["live", "test"] = "live"
    sends: _Words = tuple(kind for kind in SEALED_KINDS if kind != DIRECTORY_NOTICE)  # that is a secretariat's
    receives: _Words = SEALED_KINDS
    statuses: _Statuses = ("actual", "exercise", "system")
    signature_policy: _Policy = ("ES256",)


class SigningRole(BaseModel):
    """Who signs for a role, and how many of them must.

    Attributes:
        keys: how many keys are made in the network's folder; `None` where there are holders.
        holders: one public key file for each holder, as `network key` makes them, beside the network file.
    """

    model_config = _FORM

    keys: Annotated[int, Field(ge=1, le=32)] | None = None
    holders: Annotated[tuple[_Text, ...], Field(strict=False, max_length=32)] = ()
    threshold: Annotated[int, Field(ge=1, le=32)]


class _DutyOffice(BaseModel):
    model_config = _FORM

    phone: _Text | None = None
    email: _Text | None = None
    hours: _Text | None = None


class _Remit(BaseModel):
    model_config = _FORM

    kinds: _Words | None = None
    exploitation: _Words | None = None
    children_only: bool = False
    crossings: _Words | None = None


class _ContactPoint(BaseModel):
    model_config = _FORM

    id: Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    national_desk: bool = False
    remit: _Remit = _Remit()
    languages: _Words = ()
    duty_office: _DutyOffice | None = None
    deputies: _Words = ()
    mode: Literal["live", "test"] | None = None
    sends: _Words | None = None
    receives: _Words | None = None
    statuses: _Statuses | None = None
    signature_policy: _Policy | None = None
    suspended: _Text | None = None
    transfer_basis: Annotated[dict[str, str], Field(max_length=256)] = {}


class _Transfer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=False)

    senders: Annotated[_Words, Field(alias="from")]
    recipients: Annotated[_Words, Field(alias="to")]
    basis: str


class _NetworkFile(BaseModel):
    model_config = _FORM

    network: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    countries: Annotated[tuple[str, ...], Field(strict=False, min_length=1, max_length=256)]
    governance: SigningRole = SigningRole(keys=3, threshold=2)
    revocation: SigningRole = SigningRole(keys=2, threshold=1)
    defaults: _Defaults = _Defaults()
    transfers: Annotated[tuple[_Transfer, ...], Field(strict=False, max_length=256)] = ()
    contact_points: Annotated[tuple[_ContactPoint, ...], Field(strict=False, min_length=1, max_length=4096)]


_FORMS: Final = (_NetworkFile, SigningRole, _Defaults, _Transfer, _ContactPoint, _DutyOffice, _Remit)
_NAMES: Final = frozenset(field.alias or name for form in _FORMS for name, field in form.model_fields.items())


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What a network is founded with, or what governance wants it to be from now on."""

    network: str
    countries: tuple[str, ...]
    contact_points: tuple[ContactPoint, ...]
    governance: SigningRole
    revocation: SigningRole


def read_network_file(data: bytes, *, accounts: Callable[[str], Mapping[str, str]]) -> NetworkPlan:
    """The plan in a network file.

    Args:
        data: the file's bytes.
        accounts: for a contact point id the broker accounts that act for it, by role.

    Raises:
        BadInputError: the file is not such a file; every fault is in its `problems`.
    """
    form = _parse(data)
    problems = tuple(_faults(form))
    if problems:
        raise BadInputError.of(problems)
    points = (_contact_point(entry, form, accounts(entry.id)) for entry in form.contact_points)
    return NetworkPlan(
        network=form.network,
        countries=tuple(sorted(form.countries)),
        contact_points=tuple(sorted(points, key=lambda point: point.id)),
        governance=form.governance,
        revocation=form.revocation,
    )


def _parse(data: bytes) -> _NetworkFile:
    if len(data) > MAX_FILE_BYTES:
        raise BadInputError(CODE, f"the network file is larger than {MAX_FILE_BYTES} bytes")
    try:
        return _NetworkFile.model_validate(tomllib.loads(data.decode("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(CODE, f"the network file is not TOML: {error}") from None
    except ValidationError as error:
        raise BadInputError.of(tuple(map(_problem, error.errors()))) from None


def _problem(fault: ErrorDetails) -> Problem:
    """What pydantic says of a field: it begins with "Input should be"."""
    path, found = _path(*fault["loc"]), _found(fault["input"])
    if fault["type"] == "extra_forbidden":
        name = str(fault["loc"][-1])
        near = difflib.get_close_matches(name, _NAMES - {name}, n=1)
        return Problem(path, found, "no such name here", CODE, near[0] if near else None)
    return Problem(path, found, fault["msg"].removeprefix("Input should be "), CODE)


def _faults(form: _NetworkFile) -> Iterable[Problem]:
    yield from _codes("countries", form.countries, COUNTRY_CODES)
    yield from _signing_roles(form)
    for field in ("sends", "receives"):
        yield from _codes(f"defaults.{field}", getattr(form.defaults, field), SEALED_KINDS)
    for number, transfer in enumerate(form.transfers):
        where = f"transfers[{number}]"
        yield from _codes(f"{where}.from", transfer.senders, form.countries)
        yield from _codes(f"{where}.to", transfer.recipients, form.countries)
        yield from _codes(f"{where}.basis", (transfer.basis,), CODE_LISTS["transfer_basis"])
    known, seen = {entry.id for entry in form.contact_points}, set[str]()
    for number, entry in enumerate(form.contact_points):
        where = f"contact_points[{number}]"
        if entry.id in seen:
            yield Problem(f"$.{where}.id", f"{entry.id} twice", "every contact point once", CODE)
        seen.add(entry.id)
        prefix = prefix_of(entry.id)
        if prefix not in ORGANISATION_PREFIXES:
            yield from _codes(f"{where}.id", (prefix,), tuple(country.lower() for country in form.countries))
        yield from _codes(f"{where}.sends", entry.sends or (), SEALED_KINDS)
        yield from _codes(f"{where}.receives", entry.receives or (), SEALED_KINDS)
        yield from _codes(f"{where}.remit.kinds", entry.remit.kinds or (), SEALED_KINDS)
        yield from _codes(f"{where}.remit.exploitation", entry.remit.exploitation or (), CODE_LISTS["exploitation"])
        yield from _codes(f"{where}.deputies", entry.deputies, known - {entry.id})
        yield from _codes(f"{where}.transfer_basis", entry.transfer_basis, form.countries)
        yield from _codes(f"{where}.transfer_basis", entry.transfer_basis.values(), CODE_LISTS["transfer_basis"])
    desks = {prefix_of(entry.id) for entry in form.contact_points if entry.national_desk}
    for country in form.countries:
        if country.lower() not in desks:
            # Without one, an alert that no special remit covers would reach nobody there.
            yield Problem("$.contact_points", f"no national desk of {country}", "one for every country", CODE)


def _signing_roles(form: _NetworkFile) -> Iterable[Problem]:
    for name, role in (("governance", form.governance), ("revocation", form.revocation)):
        if (role.keys is None) == (not role.holders):
            found = "neither keys nor holders" if role.keys is None else "keys and holders"
            yield Problem(f"$.{name}", found, "one of them: how many keys to make here, or whose there are", CODE)
        elif role.threshold > (number := role.keys or len(role.holders)):
            yield Problem(f"$.{name}.threshold", str(role.threshold), f"at most its {number} keys", CODE)


def _codes(where: str, found: Iterable[str], known: Iterable[str]) -> Iterable[Problem]:
    codes = sorted(known)
    for code in found:
        if code not in codes:
            nearest = difflib.get_close_matches(code, codes, n=1)
            expected = "one of " + ", ".join(codes) if len(codes) <= 64 else "a code of its list"  # noqa: PLR2004 - as many as one can read
            yield Problem(f"$.{where}", code[:64], expected, CODE, nearest[0] if nearest else None)


def _contact_point(entry: _ContactPoint, form: _NetworkFile, accounts: Mapping[str, str]) -> ContactPoint:
    defaults, prefix = form.defaults, prefix_of(entry.id)
    country = None if prefix in ORGANISATION_PREFIXES else prefix.upper()
    bases = {
        recipient: transfer.basis
        for transfer in form.transfers
        if country in transfer.senders
        for recipient in transfer.recipients
        if recipient != country
    }
    return ContactPoint(
        id=entry.id,
        name=entry.name,
        country=country,
        mode=entry.mode or defaults.mode,
        remit=Remit(
            national_desk=entry.national_desk,
            kinds=_frozen(entry.remit.kinds),
            exploitation=_frozen(entry.remit.exploitation),
            children_only=entry.remit.children_only,
            crossings=_frozen(entry.remit.crossings),
        ),
        sends=frozenset(defaults.sends if entry.sends is None else entry.sends) | CONTROL_KINDS,
        receives=frozenset(defaults.receives if entry.receives is None else entry.receives) | CONTROL_KINDS,
        statuses=frozenset(entry.statuses or defaults.statuses),
        signature_policy=entry.signature_policy or defaults.signature_policy,
        languages=entry.languages,
        transfer_basis=MappingProxyType(bases | entry.transfer_basis),
        accounts=MappingProxyType(dict(accounts)),
        duty_office=DutyOffice(**entry.duty_office.model_dump()) if entry.duty_office else None,
        deputies=entry.deputies,
        suspended=entry.suspended,
    )


def _frozen(words: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _path(*location: int | str) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _found(value: object) -> str:
    return "nothing" if isinstance(value, dict) else str(value)[:64]
