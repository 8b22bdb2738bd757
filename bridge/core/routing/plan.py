"""The plan: recipients, each with the rule that chose it; exclusions, each with its reason; countries out of reach.

Rules:
1. Every transit and destination country on the legs is concerned; an origin too, unless the sender is there.
2. In a concerned country a national desk receives, always; another contact point where its remit covers the alert.
3. Whoever received an earlier version receives this one, whatever has become of the route: nobody is left with an alert
   that was corrected or cancelled.
4. Never the sender itself, nobody unknown, suspended or unable to receive: on no way, neither by a second role of its
   country nor by rule 3 (`bridge.core.routing.obstacles`).
5. A country of rule 1 or 3, other than the sender's, in which nobody would receive is unreachable. The alert is then
   refused naming it, or goes to the rest when the officer says so (`--partial`).

It proposes; it neither asks nor sends, and does not judge whether the sender may send.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.core.countries import country_name
from bridge.core.directory import ContactPoint, Directory
from bridge.core.ids import ORGANISATION_PREFIXES, prefix_of
from bridge.core.routing.corridor import DESTINATION, ORIGIN, TRANSIT, Corridor
from bridge.core.routing.obstacles import find_obstacle
from bridge.core.routing.remit import covered_part, uncovered

NATIONAL_DESK: Final = "national_desk"
REMIT: Final = "remit"
EARLIER_VERSION: Final = "earlier_version"
ANSWER: Final = "answer"
EVERYBODY: Final = "everybody"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One contact point that receives, with the rule that chose it and the words that explain it.

    `country` is a country code, or the prefix of an organisation. `roles` are those of its country on the route.
    """

    id: str
    country: str
    roles: tuple[str, ...]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One contact point that does not receive, and why: `reason` is what is said of it (`is suspended: ...`)."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """Who receives, who does not, and where nobody can be reached. All sorted.

    `unreachable` holds country codes; an organisation, which has no country, stands there with its id.
    """

    recipients: tuple[Recipient, ...]
    excluded: tuple[Exclusion, ...]
    unreachable: tuple[str, ...]


def plan_route(
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
        corridor: what of the alert decides its recipients; the empty one of a cancellation leaves rule 3.
        directory: the membership list.
        kind: `route_alert`, `alert_update` or `alert_cancel`.
        status: the message's status; a live contact point does not receive `test`.
        sender: the contact point that sends; where it is not a member, no country counts as its own.
        at: the moment of sending; a recipient needs an encryption key valid then.
        earlier: contact points that received an earlier version; those of the whole thread.
    """
    author = directory.contact_points.get(sender)
    home = author.country if author is not None else None
    concerned = _concerned_countries(corridor, home)
    chosen: dict[str, Recipient] = {}
    excluded: dict[str, Exclusion] = {}

    def obstacle_of(identifier: str) -> str | None:
        return find_obstacle(identifier, directory, kind=kind, status=status, sender=sender, at=at)

    for country in concerned:
        for point in directory.in_country(country):
            reason = obstacle_of(point.id) or uncovered(point, corridor, kind=kind)
            if reason is None:
                chosen[point.id] = _choose(point, corridor)
            else:
                excluded[point.id] = Exclusion(point.id, reason)
    before = frozenset(earlier)
    for identifier in before - chosen.keys():
        obstacle = obstacle_of(identifier)
        if obstacle is None:
            excluded.pop(identifier, None)
            chosen[identifier] = _keep(directory.contact_points[identifier], corridor)
        else:
            excluded[identifier] = Exclusion(identifier, obstacle)
    places = {*concerned, *(_place_of(identifier, directory) for identifier in before - {sender})}
    reached = {_place_of(identifier, directory) for identifier in chosen}
    return RoutePlan(
        recipients=tuple(chosen[identifier] for identifier in sorted(chosen)),
        excluded=tuple(excluded[identifier] for identifier in sorted(excluded)),
        unreachable=tuple(sorted(places - reached - {home})),
    )


def plan_answer(
    recipient: str, directory: Directory, *, kind: str, status: str, sender: str, at: datetime
) -> RoutePlan:
    """The plan for a message to one contact point that is named: an answer to something it sent."""
    obstacle = find_obstacle(recipient, directory, kind=kind, status=status, sender=sender, at=at)
    if obstacle is not None:
        return RoutePlan((), (Exclusion(recipient, obstacle),), (_place_of(recipient, directory),))
    country = _country_of(directory.contact_points[recipient])
    return RoutePlan((Recipient(recipient, country, (), ANSWER, "sent the message that is answered"),), (), ())


def plan_for_everybody(directory: Directory, *, kind: str, status: str, sender: str, at: datetime) -> RoutePlan:
    """The plan for what every member is told; whoever cannot receive it is named, and stops nobody else."""
    recipients, excluded = [], []
    for identifier, point in sorted(directory.contact_points.items()):
        obstacle = find_obstacle(identifier, directory, kind=kind, status=status, sender=sender, at=at)
        if obstacle is None:
            recipients.append(Recipient(identifier, _country_of(point), (), EVERYBODY, f"receives every {kind}"))
        elif identifier != sender:
            excluded.append(Exclusion(identifier, obstacle))
    return RoutePlan(tuple(recipients), tuple(excluded), ())


def _concerned_countries(corridor: Corridor, home: str | None) -> tuple[str, ...]:
    """Rule 1, in order of travel. `home` is where the alert already is."""
    return tuple(
        country
        for country, roles in corridor.roles.items()
        if TRANSIT in roles or DESTINATION in roles or (ORIGIN in roles and country != home)
    )


def _choose(point: ContactPoint, corridor: Corridor) -> Recipient:
    """Rule 2, for a contact point against which nothing stands and whose remit covers the alert."""
    country = _country_of(point)
    roles = corridor.roles[country]
    where = f"{country_name(country)}, {' and '.join(roles)} on this route"
    if point.remit.national_desk:
        return Recipient(point.id, country, roles, NATIONAL_DESK, f"national desk of {where}")
    return Recipient(point.id, country, roles, REMIT, f"responsible for {covered_part(point, corridor)} in {where}")


def _keep(point: ContactPoint, corridor: Corridor) -> Recipient:
    """Rule 3."""
    country = _country_of(point)
    roles = corridor.roles.get(country, ())
    return Recipient(point.id, country, roles, EARLIER_VERSION, "received an earlier version")


def _country_of(point: ContactPoint) -> str:
    return point.country or point.prefix


def _place_of(identifier: str, directory: Directory) -> str:
    """Where a contact point is, member or not: the code of its country, or the id of an organisation."""
    point, prefix = directory.contact_points.get(identifier), prefix_of(identifier)
    if point is not None:
        return point.country or identifier
    return identifier if prefix in ORGANISATION_PREFIXES else prefix.upper()
