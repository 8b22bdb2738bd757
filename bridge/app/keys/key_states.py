"""How a contact point's keys stand: what each is good for now, and when something ends that nothing follows on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.keys.choosing import in_turn
from bridge.app.keys.rolling import USES, Use, use_of
from bridge.core.directory import Directory, PublicKey
from bridge.core.ids import is_for_opening

IN_USE: Final = "in_use"  # signs, or is sealed to by whoever has our list
NEXT: Final = "next"  # signs as soon as the one before ends
KEPT: Final = "kept"  # what it signed is still verified; what was sealed to it is still opened
SPENT: Final = "spent"  # nothing of it is accepted any more
REVOKED: Final = "revoked"
MISSING: Final = "missing"  # the list lets us use it, but the private part is not here
UNLISTED: Final = "unlisted"  # the private part is here, and no list that we have has its public one


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key. `key` is `None` where the list does not have it; `is_here`: whether its private part is here."""

    kid: str
    use: Use
    state: str
    is_here: bool
    key: PublicKey | None


@dataclass(frozen=True, slots=True)
class End:
    """Something that ends, and nothing here that follows on it. `ends` is `None` where it has ended or never began."""

    what: str
    name: str
    ends: datetime | None


def key_states(directory: Directory, contact_point: str, *, here: Collection[str], at: datetime) -> list[KeyState]:
    """Every key of a contact point that the list has or that is here, signing keys first."""
    listed = (*directory.signing_keys_of(contact_point), *directory.encryption_keys_of(contact_point))
    in_use = {_first_kid(directory, contact_point, here, at), _sealed_to(directory, contact_point, at)}
    states = [_state(key, in_use, here, at) for key in sorted(listed, key=lambda key: (key.use_until, key.kid))]
    unlisted = sorted(set(here) - {key.kid for key in listed})
    states += [
        KeyState(kid, "encryption" if is_for_opening(kid) else "signing", UNLISTED, is_here=True, key=None)
        for kid in unlisted
    ]
    return sorted(states, key=lambda one: USES.index(one.use))


def key_ends(directory: Directory, contact_point: str, *, here: Collection[str], at: datetime) -> Iterator[End]:
    """When the last usable key of each use ends."""
    listed = (*directory.signing_keys_of(contact_point), *directory.encryption_keys_of(contact_point))
    for use in USES:
        usable = [key for key in listed if use_of(key) == use and key.is_usable(at) and key.kid in here]
        last = max(usable, key=lambda key: key.use_until, default=None)
        yield End(f"{use} key", last.kid if last else contact_point, last.use_until if last else None)


def _state(key: PublicKey, in_use: Collection[str | None], here: Collection[str], at: datetime) -> KeyState:
    return KeyState(key.kid, use_of(key), _word(key, in_use, here, at), key.kid in here, key)


def _word(key: PublicKey, in_use: Collection[str | None], here: Collection[str], at: datetime) -> str:
    if key.revoked_at is not None:
        return REVOKED
    if at >= key.verify_until:
        return SPENT
    if key.is_usable(at) and key.kid not in here:
        return MISSING
    if key.kid in in_use:
        return IN_USE
    return NEXT if key.is_usable(at) and use_of(key) == "signing" else KEPT


def _first_kid(directory: Directory, contact_point: str, here: Collection[str], at: datetime) -> str | None:
    return next((key.kid for key in in_turn(directory, contact_point, at=at) if key.kid in here), None)


def _sealed_to(directory: Directory, contact_point: str, at: datetime) -> str | None:
    key = directory.seal_key(contact_point, at)
    return None if key is None else key.kid
