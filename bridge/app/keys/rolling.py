"""A key follows on another: what a member's list of keys says from then on. Pure; it makes no key and writes no file.

Rules:
1. The old key ends when the overlap is over, if it would not end sooner, and is verified (or kept for opening) for 31
   days more. Until then it signs, so the new one begins when everybody can have it.
2. The new signing key lives a year, the new encryption key 90 days (wire-format: Keys).
3. A key id is never used twice: `sig-2026a` to `sig-2026zz`, then `sig-2026-1` and on. Names run out for nobody, not
   even where a thief of the revocation key has used hundreds of them up.
4. What ended a year ago no longer stands in the list: everything under it expired long before. Revoked keys stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from string import ascii_lowercase
from typing import Final, Literal

from bridge.app.enrol_node import SEAL_FOR, SEALING, SIGN_FOR, SIGNING, VERIFY_LONGER, KeyOrder
from bridge.core.directory import PublicKey
from bridge.core.errors import RefusedError
from bridge.core.ids import OPENING_NAME, SIGNING_NAME, owner_of
from bridge.core.times import to_milliseconds

Use = Literal["signing", "encryption"]
USES: Final[tuple[Use, ...]] = ("signing", "encryption")
OVERLAP: Final = timedelta(hours=1)
OVERLAP_OF_A_FILE: Final = timedelta(days=7)  # until somebody publishes it, and then as above
FORGOTTEN_AFTER: Final = timedelta(days=365)

_NAMES: Final = {"signing": SIGNING_NAME, "encryption": OPENING_NAME}
_ALGORITHMS: Final = {"signing": SIGNING, "encryption": SEALING}
_LIVES: Final = {"signing": SIGN_FOR, "encryption": SEAL_FOR}


def use_of(key: PublicKey) -> Use:
    """What a key is for."""
    return "encryption" if key.alg == SEALING else "signing"


def successor_order(
    contact_point: str, use: Use, *, taken: Collection[str], here: Collection[str], at: datetime
) -> KeyOrder:
    """The next key of a contact point.

    Args:
        contact_point: whose.
        use: for what.
        taken: every key id that the list has.
        here: every private key that is here. One that is not in the list was made by a roll that did not come to its
            end, or whose file nobody has published yet: it is taken up again.
        at: the moment.
    """
    prefix = f"{contact_point}#{_NAMES[use]}"
    waiting = sorted((kid for kid in here if kid.startswith(prefix) and kid not in taken), key=_in_order)
    names = (f"{prefix}{at.year}{ending}" for ending in _endings())
    kid = waiting[-1] if waiting else next(name for name in names if name not in taken)
    until = to_milliseconds(at) + _LIVES[use]
    return KeyOrder(kid, _ALGORITHMS[use], until, until + VERIFY_LONGER)


def rolled(
    keys: Iterable[PublicKey], successors: Sequence[PublicKey], *, at: datetime, overlap: timedelta
) -> list[PublicKey]:
    """A member's keys from now on, each successor beside those that it follows on."""
    ends = to_milliseconds(at) + overlap
    followed = {(owner_of(key.kid), key.alg) for key in successors}
    kept = [key for key in keys if not _is_forgotten(key, at)]
    return [*(_ending(key, ends) if (owner_of(key.kid), key.alg) in followed else key for key in kept), *successors]


def revoked(keys: Iterable[PublicKey], kid: str, *, at: datetime) -> list[PublicKey]:
    """A member's keys with one revoked; one that was revoked before stays as it was.

    Raises:
        RefusedError: there is no such key (`E_KEY_UNKNOWN`).
    """
    keys = list(keys)
    if kid not in {key.kid for key in keys}:
        known = ", ".join(sorted(key.kid for key in keys)) or "none"
        raise RefusedError("E_KEY_UNKNOWN", f"{kid} is none of our keys in the membership list; those are {known}")
    now = to_milliseconds(at)
    return [replace(key, revoked_at=now) if key.kid == kid and key.revoked_at is None else key for key in keys]


def has_another(keys: Iterable[PublicKey], revoked_key: PublicKey, *, here: Collection[str], at: datetime) -> bool:
    """Whether another key, whose private part is here, does what the revoked one did, and for as long at least."""
    return any(
        key.kid != revoked_key.kid and key.kid in here and key.is_usable(at) and key.use_until >= revoked_key.use_until
        for key in keys
        if (owner_of(key.kid), key.alg) == (owner_of(revoked_key.kid), revoked_key.alg)
    )


def _ending(key: PublicKey, ends: datetime) -> PublicKey:
    if key.revoked_at is not None or key.use_until <= ends:
        return key
    return replace(key, use_until=ends, verify_until=ends + VERIFY_LONGER)


def _is_forgotten(key: PublicKey, at: datetime) -> bool:
    return key.revoked_at is None and at - key.verify_until > FORGOTTEN_AFTER


def _endings() -> Iterator[str]:
    yield from ascii_lowercase
    for first in ascii_lowercase:
        yield from (f"{first}{second}" for second in ascii_lowercase)
    yield from (f"-{number}" for number in count(1))


def _in_order(kid: str) -> tuple[int, str]:
    """`sig-2026z` before `sig-2026aa`, and that before `sig-2026-1`."""
    return len(kid), kid
