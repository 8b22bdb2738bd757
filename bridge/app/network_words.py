"""What changes in a network, in words: for those who sign it.

Rules:
1. Words come from comparing what the documents say before and after, never from a text that travels with a change.
2. Whatever differs is mentioned. Records are walked field by field, so that a field which nobody thought of here is
   shown under its own name rather than left out.
3. Text that others chose stands in quotes as soon as it could be taken for words of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Final, TypeVar

from bridge.app.network_standing import Signers, Standing, Stop
from bridge.core.directory import Remit
from bridge.core.ids import owner_of
from bridge.core.times import format_time
from bridge.core.wire.payload import CONTROL_KINDS

# Where the field's own name, with blanks for underscores, would not be understood.
_LABELS: Final[Mapping[str, str]] = {
    "sends": "may send",
    "receives": "may receive",
    "statuses": "may send with status",
    "transfer_basis": "transfer basis to",
    "accounts": "broker account",
    "deputies": "deputies, in this order",
    "suspended": "suspended by governance",
    "use_until": "used until",
    "verify_until": "verified until",
    "point": "public key, SHA-256",
}
_PLAIN: Final = re.compile(r"(?!(?:none|everything|yes|no)\Z)[\w.+@/()*'-](?:[\w .+@/()*'-]*[\w.+@/()*'-])?")
Item = TypeVar("Item", str, tuple[str, str, str])
Value = TypeVar("Value")

_NONE: Final = "none"
_EVERYTHING: Final = object()  # what a remit without limits holds
_SIGNING: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes, for everybody whom it concerns alike."""

    who: tuple[str, ...]
    what: str


def changes(before: Standing | None, after: Standing) -> tuple[Change, ...]:
    """What is different after, in the order in which people want to know it; `None` before is a network's founding."""
    old = before or Standing(after.network)
    found = (
        *_network(old, after, is_new=before is None),
        *_stops(old, after),
        *_effects(old, after),
        *_contact_points(old, after),
        *_signers(old, after),
        *_keys(old, after),
    )
    by_text: dict[str, list[str]] = {}
    for who, what in found:
        by_text.setdefault(what, []).append(who)
    return tuple(Change(tuple(who), what) for what, who in by_text.items())


_Found = Iterator[tuple[str, str]]  # who, what


def _network(old: Standing, new: Standing, *, is_new: bool) -> _Found:
    if is_new:
        yield new.network, "is FOUNDED"
    for country in _new(old.countries, new.countries):
        yield country, "a country of the network from now on"
    for country in _new(new.countries, old.countries):
        yield country, "NO country of the network any more"
    for digest, whose in _differing(old.certificate_authorities, new.certificate_authorities):
        yield "certificates for the broker", f"issued by {_text(whose)} from now on (SHA-256 {digest})"
    for digest, whose in _differing(new.certificate_authorities, old.certificate_authorities):
        yield "certificates for the broker", f"NO longer trusted when issued by {_text(whose)} (SHA-256 {digest})"


def _stops(old: Standing, new: Standing) -> _Found:
    begins_anew = old.stops_base != new.stops_base
    if begins_anew:
        base = f"base {new.stops_base}"
        yield (
            "revocations",
            f"begin ANEW ({base}): every node forgets what it was shown before, and takes what stands here",
        )
    for kid, at, reason in _new(map(_as_text, old.revoked), map(_as_text, new.revoked)):
        yield kid, f"REVOKED from {at}: nothing under this key is accepted or sealed any more; reason: {reason}"
    for kid, at, _ in _new(map(_as_text, new.revoked), map(_as_text, old.revoked)):
        yield (
            kid,
            f"TAKEN BACK: revoked on {at} no more, the key counts again"
            if begins_anew
            else (f"no longer revoked from {at}; no node accepts that"),
        )
    for who, at, reason in _new(map(_as_text, old.suspensions), map(_as_text, new.suspensions)):
        yield who, f"SUSPENDED from {at} by the revocation role; reason: {reason}"
    for who, at, _ in _new(map(_as_text, new.suspensions), map(_as_text, old.suspensions)):
        yield (
            who,
            f"TAKEN BACK: suspended on {at} by the revocation role no more"
            if begins_anew
            else (f"no longer suspended from {at} by the revocation role"),
        )
    for who, until in _differing(old.reinstated, new.reinstated):
        yield who, f"REINSTATED: no suspension up to {format_time(until)} counts any more; revoked keys stay revoked"
    for who, until in _differing(new.reinstated, old.reinstated):
        yield who, f"reinstated no more up to {format_time(until)}"


def _effects(old: Standing, new: Standing) -> _Found:
    for identifier in _new(old.suspended, new.suspended):
        yield identifier, "is neither sent to nor listened to from now on"
    for identifier in _new(new.suspended, old.suspended):
        if identifier in new.contact_points:
            yield identifier, "is sent to and listened to again"
    for owner in _new(_silent(old), _silent(new)):
        yield owner, "is left without a signing key: it can send nothing until it publishes another"


def _contact_points(old: Standing, new: Standing) -> _Found:
    for identifier in _new(old.contact_points, new.contact_points):
        yield identifier, "is ADMITTED"
    for identifier in _new(new.contact_points, old.contact_points):
        yield identifier, "is REMOVED: nobody sends to it or listens to it, and its keys count no more"
    for identifier, point in sorted(new.contact_points.items()):
        before = old.contact_points.get(identifier)
        for what in _differences(before, point):
            yield identifier, what


def _signers(old: Standing, new: Standing) -> _Found:
    nobody = Signers({}, 0)
    for role in sorted(old.signers.keys() | new.signers.keys()):
        before, after = old.signers.get(role, nobody), new.signers.get(role, nobody)
        for keyid, holder in _differing(before.holders, after.holders):
            known = before.holders.get(keyid)
            name = _text(holder)
            what = f"signed by {name} from now on" if known is None else f"its signer {_text(known)} is called {name}"
            yield role, f"{what} (key {keyid})"
        for keyid in _new(after.holders, before.holders):
            yield role, f"signed NO longer by {_text(before.holders[keyid])} (key {keyid})"
        sizes = [f"{signers.threshold} of {len(signers.holders)}" for signers in (before, after)]
        if sizes[0] != sizes[1] and after.holders:
            yield role, f"{sizes[1]} must sign" + (f" (before: {sizes[0]})" if before.holders else "")


def _keys(old: Standing, new: Standing) -> _Found:
    for kid, key in sorted(new.keys.items()):
        before = old.keys.get(kid)
        if before is None:
            yield kid, "is a new key"
        for what in _differences(before, key):
            yield kid, what
    for kid in _new(new.keys, old.keys):
        yield kid, "is a key no more"


def _differences(before: object, after: object) -> Iterator[str]:
    """Each field that differs, with its old and new value; of what is new only what it has."""
    old, new = (dict(_flat(record)) if record is not None else {} for record in (before, after))
    for label in dict.fromkeys((*new, *old)):
        was, now = old.get(label), new.get(label)
        if was == now or label in {"id", "kid"}:
            continue
        if before is None:
            if (text := _text(now)) not in {_NONE, "no"}:
                yield f"{label}: {text}"
        elif isinstance(was, frozenset) and isinstance(now, frozenset):
            also, no_longer = _text(now - was), _text(was - now)
            parts = [f"from now on also {also}"] if now - was else []
            parts += [f"NO longer {no_longer}"] if was - now else []
            yield f"{label}: {'; '.join(parts)}"
        else:
            yield f"{label}: {_text(was)} -> {_text(now)}"


def _flat(record: object, where: str = "") -> Iterator[tuple[str, object]]:
    """Label -> value for every field of a record and of the records in it; a mapping has one entry for each key."""
    if not is_dataclass(record):
        return
    for one in fields(record):
        value = getattr(record, one.name)
        label = where + _LABELS.get(one.name, one.name.replace("_", " "))
        if is_dataclass(value):
            yield from _flat(value, f"{label}: ")
        elif isinstance(value, Mapping):
            yield from ((f"{label} {key}", inner) for key, inner in sorted(value.items()))
        elif isinstance(value, frozenset):
            yield label, value - CONTROL_KINDS  # everybody's
        else:
            yield label, _EVERYTHING if value is None and isinstance(record, Remit) else value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, frozenset | tuple):
        return ", ".join(map(_text, sorted(value) if isinstance(value, frozenset) else value)) or _NONE
    if value is None or value is _EVERYTHING:
        return "everything" if value is _EVERYTHING else _NONE
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())


def _silent(standing: Standing) -> Iterable[str]:
    """The contact points whose every signing key is revoked."""
    revoked = {stop.who for stop in standing.revoked}
    signing = [key for key in standing.keys.values() if key.alg == _SIGNING]
    usable = {owner_of(key.kid) for key in signing if key.kid not in revoked and key.revoked_at is None}
    return {owner_of(key.kid) for key in signing} - usable


def _as_text(stop: Stop) -> tuple[str, str, str]:
    return stop.who, format_time(stop.at), _text(stop.reason)


def _new(old: Iterable[Item], new: Iterable[Item]) -> list[Item]:
    """What is in the one and not in the other, sorted."""
    return sorted(set(new) - set(old))


def _differing(old: Mapping[str, Value], new: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """The entries that are new or different, sorted."""
    return [(key, value) for key, value in sorted(new.items()) if old.get(key) != value]
