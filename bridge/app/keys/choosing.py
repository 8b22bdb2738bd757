"""Which key signs: decided at the moment of signing, by the membership list of that moment and the keys that are here.

Rules:
1. Only a key whose private part is here, that stands in the list, is not revoked, and whose `use_until` has not come.
2. Of several the one that ends first. Whoever rolls a key lets the old one end an hour later (`app.keys.rolling`): when
   the new one begins it has been in the list for that hour, and every process of the node changes at one moment.
3. Where the old key is revoked or gone, the new one signs at once.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import RefusedError
from bridge.core.ids import is_for_signing, prefix_of
from bridge.core.times import format_time
from bridge.ports.keys import Desk, Signer

CODE = "E_NO_SIGNING_KEY"


def signer_of(desk: Desk, directory: Directory, *, at: datetime) -> Signer:
    """The signer in use.

    Raises:
        RefusedError: there is none; the sentence says of each key why it is not (`E_NO_SIGNING_KEY`).
        UnavailableError: the private keys cannot be reached.
    """
    signer = signer_if_any(desk, directory, at=at)
    if signer is None:
        raise RefusedError(CODE, f"{desk.id} has no signing key that members accept: {_reasons(desk, directory, at)}")
    return signer


def signer_if_any(desk: Desk, directory: Directory, *, at: datetime) -> Signer | None:
    """The signer in use, or `None`; raises `UnavailableError` when the private keys cannot be reached."""
    for key in in_turn(directory, desk.id, at=at):
        signer = desk.signer(key.kid)
        if signer is not None:
            return signer
    return None


def in_turn(directory: Directory, contact_point: str, *, at: datetime) -> list[PublicKey]:
    """The signing keys that the list lets a contact point use, the one that ends first before the others."""
    usable = [key for key in directory.signing_keys_of(contact_point) if key.is_usable(at)]
    return sorted(usable, key=lambda key: (key.use_until, key.kid))


def _reasons(desk: Desk, directory: Directory, at: datetime) -> str:
    listed = directory.signing_keys_of(desk.id)
    reasons = [_reason(key, at) for key in listed]
    unlisted = sorted(set(filter(is_for_signing, desk.keys.kids())) - {key.kid for key in listed})
    reasons += [f"{kid} is not in membership list {directory.version}" for kid in unlisted]
    unread = directory.unread.get(prefix_of(desk.id))
    if unread is not None:
        reasons.append(unread)
    return "; ".join(reasons) or f"membership list {directory.version} has none; `ncp-bridge keys roll` makes one"


def _reason(key: PublicKey, at: datetime) -> str:
    if key.revoked_at is not None:
        return f"{key.kid} was revoked on {format_time(key.revoked_at)}"
    if at >= key.use_until:
        return f"{key.kid} was to be used until {format_time(key.use_until)} and needs a successor"
    return f"the private part of {key.kid} is not here"
