"""Checks of the membership list: how old it is, whether it is held back, what in it ends soon, and our own members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.checks.durations import span_in_words
from bridge.app.keys.choosing import in_turn
from bridge.core.directory import LIST_SECOND_PERSON_AGE, Directory
from bridge.core.freshness import Freshness, freshness_of
from bridge.core.ids import prefix_of
from bridge.core.times import format_time
from bridge.ports.trust import PeerAhead

KEY_ENDS_SOON: Final = timedelta(days=14)
# Governance has to meet for most of them, and whoever is asked has to travel.
ROLE_ENDS_SOON: Final = timedelta(days=60)
FROZEN_AFTER: Final = timedelta(hours=1)
MOST_NAMED: Final = 10
NO_FAILURES: Final[Mapping[str, str]] = MappingProxyType({})
_MEMBER: Final = "member-"


def check_list(
    directory: Directory,
    *,
    now: datetime,
    contact_points: Sequence[str],
    failures: Mapping[str, str] = NO_FAILURES,
) -> Sequence[Check]:
    """The membership list's age, and that every hosted contact point is in it with both its keys.

    A key that ends within `KEY_ENDS_SOON` is a failed check: a successor takes people, and time to reach every member.

    Args:
        directory: the list.
        now: the moment.
        contact_points: those of this node.
        failures: mirror -> why nothing came from it.
    """
    grade = freshness_of(directory, now)
    age = span_in_words(now - directory.signed_at)
    detail = (
        f"version {directory.version} of {directory.network}, last confirmed {age} ago{_consequence(directory, grade)}"
    )
    for mirror, reason in failures.items():
        detail += f"; {reason}" if reason.startswith(mirror) else f"; {mirror}: {reason}"
    is_normal = grade is Freshness.NORMAL
    membership = Check(
        "membership list", ok=is_normal, detail=detail, state=states.OK if is_normal else states.MEMBERSHIP_OLD
    )
    return [membership, *(_check_member(directory, identifier, now) for identifier in contact_points)]


def check_frozen(directory: Directory, ahead: Sequence[PeerAhead], *, now: datetime) -> Check:
    """Peers that have used a newer list for an hour, which this node cannot get: somebody holds it back.

    A peer can claim any version. So it is named to people, and no part of whether a process is ready.
    """
    frozen = [one for one in ahead if one.version > directory.version and now - one.since >= FROZEN_AFTER]
    if not frozen:
        return Check("lists of peers", ok=True, detail="no peer has had a newer list for an hour")
    named = [f"{one.peer} uses version {one.version} since {format_time(one.since)}" for one in frozen[:MOST_NAMED]]
    more = f"; and {len(frozen) - MOST_NAMED} more" if len(frozen) > MOST_NAMED else ""
    if len(frozen) == 1:
        more = "; claimed by one peer only"
    detail = f"this node gets no newer list than version {directory.version}: {'; '.join(named)}{more}"
    return Check("lists of peers", ok=False, detail=detail, state=states.MEMBERSHIP_FROZEN)


def check_signatures(directory: Directory, *, now: datetime, contact_points: Collection[str]) -> Check:
    """What of the list's signatures ends within `ROLE_ENDS_SOON`: governance's, the revocation role's, our own.

    Another member's own signature is that member's to renew; when it has ended only its keys are gone.
    """
    own = {f"{_MEMBER}{prefix_of(identifier)}" for identifier in contact_points}
    ends = {
        role: expires
        for role, expires in sorted(directory.expiries.items())
        if (role in own or not role.startswith(_MEMBER)) and expires - now < ROLE_ENDS_SOON
    }
    if not ends:
        first = min(directory.expiries.values(), default=None)
        detail = f"none ends before {format_time(first)}" if first is not None else "none is known"
        return Check("signatures on the list", ok=True, detail=detail)
    named = ", ".join(f"{role} on {format_time(expires)}" for role, expires in ends.items())
    return Check("signatures on the list", ok=False, detail=f"to be signed anew: {named}", state=states.SIGNATURE_ENDS)


def _consequence(directory: Directory, grade: Freshness) -> str:
    """What the age of the list means, and when it will mean more."""
    if grade is Freshness.HELD:
        return "; too old: everything that arrives is held, nothing new is sent"
    end = f"from {format_time(directory.expires)} on everything that arrives is held"
    if grade is Freshness.MARKED:
        return f"; older than 7 days: what arrives is marked, sending person-level kinds takes a second person; {end}"
    if grade is Freshness.ALARM:
        return (
            f"; nobody confirms it: marked from {format_time(directory.signed_at + LIST_SECOND_PERSON_AGE)} on; {end}"
        )
    return ""


def _check_member(directory: Directory, identifier: str, now: datetime) -> Check:
    point = directory.contact_points.get(identifier)
    if point is None:
        return Check(identifier, ok=False, detail="is not in the membership list")
    if point.suspended is not None:
        return Check(identifier, ok=False, detail=f"suspended: {point.suspended}")
    sealing, signing = directory.seal_key(identifier, now), in_turn(directory, identifier, at=now)
    if sealing is None or not signing:
        missing = "encryption" if sealing is None else "signing"
        detail = f"has no valid {missing} key in the membership list"
        return Check(identifier, ok=False, detail=detail, state=states.KEY_UNUSABLE)
    detail = (
        f"sealed to with {sealing.kid} until {format_time(sealing.use_until)}, "
        f"signs with {', then '.join(f'{key.kid} until {format_time(key.use_until)}' for key in signing)}"
    )
    ends_soon = min(sealing.use_until, signing[-1].use_until) - now < KEY_ENDS_SOON
    warning = f"; a key ends in less than {KEY_ENDS_SOON.days} days and needs a successor" if ends_soon else ""
    return Check(identifier, ok=not ends_soon, detail=detail + warning, state=states.KEY_ENDS_SOON if ends_soon else "")
