"""A network as it is, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.cli.certificate_words import told, warnings
from bridge.cli.output import emit, table
from bridge.core.certificates import CertificateTimes
from bridge.core.countries import KOSOVO_NOTE, country_name
from bridge.core.directory import LIST_ALARM_AGE
from bridge.core.times import format_time
from bridge.ports.trust import NetworkState

WARN_BEFORE: Final = timedelta(days=60)
_SIGNED_BY_PEOPLE: Final = ("root", "targets", "revocations", "member-")


def show_state(state: NetworkState, *, issued: Sequence[CertificateTimes] = (), as_json: bool) -> None:
    """Prints a network, and what its secretariat issued certificates for."""
    now = datetime.now(UTC)
    data = {**state_data(state, now=now), "certificates": told(issued, now)}
    text = "\n".join((_text(state, now), *(f"WARNING: {warning}" for warning in warnings(issued, now))))
    emit(data, as_json=as_json, text=lambda: text)


def state_data(state: NetworkState, *, now: datetime) -> Mapping[str, object]:
    """A network as JSON."""
    directory = state.directory
    return {
        "network": directory.network,
        "version": directory.version,
        "countries": list(state.countries),
        "contact_points": sorted(directory.contact_points),
        "keys": len(directory.signing_keys) + len(directory.encryption_keys),
        "signed_at": format_time(directory.signed_at),
        "expires": format_time(directory.expires),
        "valid": now < directory.expires,
        "root_sha256": state.root_sha256,
        "roles": [
            {
                "role": role.role,
                "version": role.version,
                "expires": format_time(role.expires),
                "threshold": role.threshold,
                "keys": role.keys,
                "holders": list(role.holders),
            }
            for role in state.roles
        ],
        "certificate_authorities": [
            {"sha256": digest, "subject": subject} for digest, subject in state.authorities.items()
        ],
        "suspended": {
            point.id: point.suspended for point in directory.contact_points.values() if point.suspended is not None
        },
        "unread": dict(directory.unread),
        "warnings": list(_warnings(state, now)),
    }


def _text(state: NetworkState, now: datetime) -> str:
    directory = state.directory
    expiry = "valid until" if now < directory.expires else "EXPIRED on"
    points = [
        (
            point.id,
            country_name(point.country) if point.country else "-",
            _remit(state, identifier),
            _keys(state, identifier),
        )
        for identifier, point in sorted(directory.contact_points.items())
    ]
    roles = [
        (
            role.role,
            role.version,
            f"{role.threshold} of {role.keys}",
            format_time(role.expires),
            "; ".join(role.holders),
        )
        for role in state.roles
    ]
    keys = len(directory.signing_keys) + len(directory.encryption_keys)
    size = f"{len(state.countries)} countries, {keys} keys"
    note = ("", KOSOVO_NOTE) if "XK" in state.countries else ()
    return "\n".join(
        (
            f"network {directory.network}, version {directory.version}, {size}",
            f"confirmed {format_time(directory.signed_at)}, {expiry} {format_time(directory.expires)}",
            f"first root, SHA-256: {state.root_sha256}",
            "",
            table(("contact point", "country", "remit", "keys"), points),
            "",
            table(("signed by", "version", "threshold", "expires", "holders"), roles),
            "",
            *(f"certificates for the broker: {whose}, SHA-256 {digest}" for digest, whose in state.authorities.items()),
            *(f"WARNING: {warning}" for warning in _warnings(state, now)),
            *note,
        )
    )


def _warnings(state: NetworkState, now: datetime) -> Iterator[str]:
    """What people have to do something about."""
    if now - state.directory.signed_at > LIST_ALARM_AGE:
        yield f"last confirmed {format_time(state.directory.signed_at)}; `network confirm` is due every 6 hours"
    for role in state.roles:
        if role.role.startswith(_SIGNED_BY_PEOPLE) and role.expires - now < WARN_BEFORE:
            yield f"{role.role} holds until {format_time(role.expires)}; {'; '.join(role.holders)} have to sign it anew"
    for prefix, reason in sorted(state.directory.unread.items()):
        yield f"the keys of {prefix} cannot be read, so nobody hears it: {reason}"


def _remit(state: NetworkState, identifier: str) -> str:
    point = state.directory.contact_points[identifier]
    remit = point.remit
    parts = ["national desk"] if remit.national_desk else []
    parts += ["children only"] if remit.children_only else []
    parts += [
        ", ".join(sorted(words)) for words in (remit.kinds, remit.exploitation, remit.crossings) if words is not None
    ]
    text = "; ".join(parts) or "everything"
    return f"SUSPENDED: {point.suspended}" if point.suspended is not None else text


def _keys(state: NetworkState, identifier: str) -> int:
    kids = (*state.directory.signing_keys, *state.directory.encryption_keys)
    return sum(kid.startswith(f"{identifier}#") for kid in kids)
