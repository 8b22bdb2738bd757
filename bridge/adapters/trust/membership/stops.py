"""What the revocation role may say, and how governance begins a new base when that role's key was in wrong hands.

Rules:
1. What the role says stays said. A key is revoked that a member has or had, a member or contact point suspended that is
   in the list and not stopped already; so a thief cannot fill a document that only grows.
2. Governance alone begins a new base, together with other holders. It signs the digest of the revocations that begin
   it: what is not in them is taken back, and those who sign are shown it.
3. Nodes hold a list to what they saw said under its own base, or a later one.

A node judges rule 3 alone. Which keys a member had, and with which revocations a base began, a node that was not there
cannot know; who signs and who publishes can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, Protocol

from bridge.adapters.trust.membership.documents import keys_of, suspensions
from bridge.adapters.trust.membership.forms import (
    ContactPointDocument,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    write_document,
)
from bridge.core.errors import RefusedError
from bridge.core.ids import prefix_of

CODE: Final = "E_PUBLICATION"


class Content(Protocol):
    """What a list says."""

    @property
    def network(self) -> NetworkDocument:
        """The network's document."""
        ...

    @property
    def contact_points(self) -> Mapping[str, ContactPointDocument]:
        """By id."""
        ...

    @property
    def keys(self) -> Mapping[str, KeysDocument]:
        """By member."""
        ...

    @property
    def revocations(self) -> RevocationsDocument:
        """What the revocation role says."""
        ...


def check_stops(before: Content, after: Content) -> None:
    """Raises `RefusedError` (`E_PUBLICATION`) where the way from one list to the next breaks rule 1 or 2."""
    _check_base(before, after)
    known = {key.kid for content in (before, after) for keys in content.keys.values() for key in keys_of(keys)}
    known |= {entry.kid for entry in before.revocations.keys}
    for entry in after.revocations.keys:
        if entry.kid not in known:
            raise RefusedError(CODE, f"{entry.kid}: no key of the list; what no member has is not revoked")
    _check_suspensions(before, after)


def _check_base(before: Content, after: Content) -> None:
    if after.network.stops_base == before.network.stops_base:
        return
    base, number = after.network.stops_base, before.network.base_number + 1
    if base is None or base.number != number:
        found = after.network.base_number
        raise RefusedError(CODE, f"the base of the revocations: found {found}, expected {number}, the next one")
    if hashlib.sha256(write_document(after.revocations)).hexdigest() != base.sha256:
        detail = f"{base.number}: the revocations are not those with which governance begins this base"
        raise RefusedError(CODE, f"base {detail}")


def _check_suspensions(before: Content, after: Content) -> None:
    said, before_that = before.revocations, frozenset(before.revocations.suspensions)
    for entry in after.revocations.suspensions:
        if entry in before_that:
            continue
        points = [one for one in after.contact_points if entry.who in {one, prefix_of(one)}]
        if not points:
            raise RefusedError(CODE, f"{entry.who}: no member or contact point of the list; it is not suspended")
        if suspensions(points, said, after.network).keys() == set(points):
            raise RefusedError(CODE, f"{entry.who}: suspended already; it is not said twice")
        said = said.model_copy(update={"suspensions": (*said.suspensions, entry)})
