"""What the revocation role says: that a key counts no more, that a member is stopped. It can take nothing back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from securesystemslib.signer import CryptoSigner

from bridge.adapters.trust.governance.ceremony_keys import REVOCATIONS, load_signers
from bridge.adapters.trust.governance.changes import revocation_change
from bridge.adapters.trust.governance.repository import KEYS
from bridge.adapters.trust.membership.forms import RevocationsDocument, RevokedKey, Suspension
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import owner_of
from bridge.core.times import to_milliseconds
from bridge.founding.ceremony import Travelling, compare, present_list

MAX_REASON: Final = 200
MOMENT: Final = timedelta(milliseconds=1)  # the resolution that travels


def revoke(place: Path, what: Sequence[str], *, reason: str, at: datetime | None = None) -> Travelling:
    """The unsigned revocation of keys, each named by its kid or, all those of a contact point, by the contact point.

    Raises:
        BadInputError: a key is unknown, the nearest ones are named; or the reason is empty or too long.
        RefusedError: a key is revoked already, or the present list does not verify.
        UnavailableError: no network is at `place`.
    """
    now = to_milliseconds(at or datetime.now(UTC))
    found = present_list(place, at=now)
    reason = _checked(reason)
    kids = sorted({kid for one in what for kid in _kids(found, one)})
    entries = tuple(RevokedKey(kid=kid, at=now, reason=reason) for kid in kids)
    return _change(found, found.revocations.model_copy(update={"keys": (*found.revocations.keys, *entries)}), now)


def suspend(place: Path, who: Sequence[str], *, reason: str, at: datetime | None = None) -> Travelling:
    """The unsigned suspension of members or contact points; raises like `revoke`."""
    now = to_milliseconds(at or datetime.now(UTC))
    found = present_list(place, at=now)
    reason = _checked(reason)
    whom = sorted({_whom(found, one) for one in who})
    # The clock of this machine may be behind: a suspension counts when it is later than what governance took back.
    later = max(found.network.reinstated.values(), default=now - MOMENT) + MOMENT
    entries = tuple(Suspension(who=one, at=max(now, later), reason=reason) for one in whom)
    suspensions = (*found.revocations.suspensions, *entries)
    return _change(found, found.revocations.model_copy(update={"suspensions": suspensions}), now)


def keys_here(folder: Path) -> tuple[CryptoSigner, ...]:
    """The revocation role's keys in a network's folder, where they were not given to holders.

    Raises:
        UnavailableError: none is there (`E_CEREMONY_KEYS`).
    """
    signers = load_signers((folder / KEYS).glob(f"{REVOCATIONS}-*.pem"))
    if not signers:
        detail = f"{folder / KEYS}: no key of the revocation role is here; --key names the file of a holder"
        raise UnavailableError("E_CEREMONY_KEYS", detail)
    return signers


def _change(found: VerifiedList, document: RevocationsDocument, now: datetime) -> Travelling:
    return compare(revocation_change(found, document, at=now), found, at=now)


def _kids(found: VerifiedList, what: str) -> Iterable[str]:
    keys = {**found.directory.signing_keys, **found.directory.encryption_keys}
    own = [kid for kid in keys if what in {kid, owner_of(kid)}]
    if not own:
        known = [*keys, *map(owner_of, keys)]
        raise BadInputError("E_KEY_ID", _unknown(what, "a key of the list, or a contact point that has one", known))
    usable = [kid for kid in own if keys[kid].revoked_at is None]
    if not usable:
        raise RefusedError("E_KEY_ID", f"{what} is revoked already; nothing was changed")
    return usable


def _whom(found: VerifiedList, who: str) -> str:
    name = who.lower()
    points = {
        identifier: point
        for identifier, point in found.directory.contact_points.items()
        if name in {identifier, point.prefix}
    }
    if not points:
        known = [*found.contact_points, *found.prefixes]
        raise BadInputError("E_MEMBER", _unknown(name, "a member or a contact point of the list", known))
    if all(point.suspended is not None for point in points.values()):
        raise RefusedError("E_MEMBER", f"{name} is suspended already; nothing was changed")
    return name


def _unknown(found: str, expected: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(found, sorted(set(known)), n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"found {found[:80]}, expected {expected}{hint}"


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        detail = f"--reason: found {len(reason)} characters, expected 1 to {MAX_REASON}; every member reads them"
        raise BadInputError("E_REASON", detail)
    return reason
