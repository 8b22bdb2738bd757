"""The plan: recipients, each with the rule that chose it; exclusions, each with its reason; countries out of reach.

Rules:
1. Every transit and destination country on the legs is concerned; the origin too, unless the sender is there.
2. In a concerned country a national desk always receives; another contact point where its remit covers the alert.
3. Excluded once is excluded: whoever is suspended, unknown or unable to receive does not come back through another
   country, role or an earlier version of the alert.
4. Never the sender itself.
5. A concerned country in which nobody would receive is unreachable: the alert is refused naming it, or goes to the rest
   when the officer says so (`--partial`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.core.countries import country_name
from bridge.core.directory import ContactPoint, Directory
from bridge.core.routing.corridor import DESTINATION, ORIGIN, TRANSIT, Corridor

NATIONAL_DESK: Final = "national_desk"
REMIT: Final = "remit"
EARLIER_VERSION: Final = "earlier_version"
ANSWER: Final = "answer"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One contact point that receives, with the rule that chose it and the sentence that explains it."""

    id: str
    country: str
    roles: tuple[str, ...]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One contact point of a concerned country that does not receive, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """Who receives, who does not, and which concerned countries nobody can be reached in. All sorted."""

    recipients: tuple[Recipient, ...]
    excluded: tuple[Exclusion, ...]
    unreachable: tuple[str, ...]


def plan_route(  # noqa: PLR0913 - all named
    corridor: Corridor,
    directory: Directory,
    *,
    kind: str,
    status: str,
    sender: str,
    at: datetime,
    earlier: Iterable[str] = (),
) -> RoutePlan:
    """The plan for an alert.

    Args:
        corridor: what of the alert decides its recipients.
        directory: the membership list.
        kind: `route_alert`, `alert_update` or `alert_cancel`.
        status: the message's status; a live contact point does not receive `test`.
        sender: the contact point that sends.
        at: the moment of sending; a recipient needs an encryption key valid then.
        earlier: contact points that received the version before; they receive the next one too.
    """
    origin = directory.contact_points.get(sender)
    chosen: dict[str, Recipient] = {}
    excluded: dict[str, Exclusion] = {}
    for country, roles in _concerned(corridor, origin.country if origin else None).items():
        for point in directory.in_country(country):
            obstacle = _obstacle(point, directory, kind=kind, status=status, sender=sender, at=at)
            if obstacle is None:
                verdict = _by_remit(point, corridor, kind, roles)
            else:
                verdict = Exclusion(point.id, obstacle)
            if isinstance(verdict, Recipient):
                chosen[point.id] = verdict
            else:
                excluded[point.id] = verdict
    for identifier in earlier:
        point = directory.contact_points.get(identifier)
        if identifier in chosen:
            continue
        obstacle = (
            "not in the membership list any more"
            if point is None
            else _obstacle(point, directory, kind=kind, status=status, sender=sender, at=at)
        )
        if obstacle is not None or point is None:
            excluded[identifier] = Exclusion(identifier, obstacle or "unknown")
        else:
            excluded.pop(identifier, None)
            roles = corridor.roles.get(point.country or "", ())
            reason = "received the version before"
            chosen[identifier] = Recipient(identifier, point.country or point.prefix, roles, EARLIER_VERSION, reason)
    reached = {recipient.country for recipient in chosen.values()}
    concerned = _concerned(corridor, origin.country if origin else None)
    return RoutePlan(
        recipients=tuple(chosen[key] for key in sorted(chosen)),
        excluded=tuple(excluded[key] for key in sorted(excluded)),
        unreachable=tuple(sorted(set(concerned) - reached - _served_by_sender(concerned, origin))),
    )


def plan_answer(recipient: str, directory: Directory, *, kind: str, status: str, sender: str, at: datetime) -> RoutePlan:
    """The plan for a message to one contact point that is named: an answer to something it sent."""
    point = directory.contact_points.get(recipient)
    if point is None:
        return RoutePlan((), (Exclusion(recipient, "not in the membership list"),), (recipient,))
    obstacle = _obstacle(point, directory, kind=kind, status=status, sender=sender, at=at)
    if obstacle is not None:
        return RoutePlan((), (Exclusion(recipient, obstacle),), (recipient,))
    chosen = Recipient(recipient, point.country or point.prefix, (), ANSWER, "sent the message that is answered")
    return RoutePlan((chosen,), (), ())


def _concerned(corridor: Corridor, sender_country: str | None) -> dict[str, tuple[str, ...]]:
    concerned = {}
    for country, roles in corridor.roles.items():
        if TRANSIT in roles or DESTINATION in roles or (ORIGIN in roles and country != sender_country):
            concerned[country] = roles
    return concerned


def _served_by_sender(concerned: Iterable[str], sender: ContactPoint | None) -> set[str]:
    """The sender's own country needs nobody else: the alert is already there."""
    return {country for country in concerned if sender is not None and country == sender.country}


def _obstacle(  # noqa: PLR0913 - all named
    point: ContactPoint, directory: Directory, *, kind: str, status: str, sender: str, at: datetime
) -> str | None:
    """Why this contact point must not or cannot receive, whatever its remit; `None` when nothing stands against it."""
    if point.id == sender:
        return "the sender itself"
    if point.suspended is not None:
        return f"suspended: {point.suspended}"
    if kind not in point.receives:
        return f"does not receive {kind}"
    if status == "test" and point.mode == "live":
        return "live, does not receive test traffic"
    if directory.seal_key(point.id, at) is None:
        return "has no valid encryption key in the membership list"
    return None


def _by_remit(point: ContactPoint, corridor: Corridor, kind: str, roles: tuple[str, ...]) -> Recipient | Exclusion:
    country = point.country or point.prefix
    place = f"{country_name(country)}: {' and '.join(roles)}"
    if point.remit.national_desk:
        return Recipient(point.id, country, roles, NATIONAL_DESK, f"national desk of {place}")
    remit = point.remit
    if remit.kinds is not None and kind not in remit.kinds:
        return Exclusion(point.id, f"its remit does not cover {kind}")
    if remit.exploitation is not None and not remit.exploitation & corridor.exploitation:
        return Exclusion(point.id, "its remit does not cover these forms of exploitation")
    if remit.children_only and not corridor.child_involved:
        return Exclusion(point.id, "its remit is children, none is involved")
    if remit.crossings is not None and not remit.crossings & corridor.crossings.get(country, frozenset()):
        return Exclusion(point.id, "its remit is border crossings that the route does not use")
    return Recipient(point.id, country, roles, REMIT, f"{_covered(point, corridor)} in {place}")


def _covered(point: ContactPoint, corridor: Corridor) -> str:
    remit, parts = point.remit, []
    if remit.exploitation is not None:
        parts.append("exploitation " + ", ".join(sorted(remit.exploitation & corridor.exploitation)))
    if remit.children_only:
        parts.append("a child is involved")
    if remit.crossings is not None and point.country is not None:
        parts.append("crossing " + ", ".join(sorted(remit.crossings & corridor.crossings[point.country])))
    return "remit covers " + ("; ".join(parts) or "every alert")
