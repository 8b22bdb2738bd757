"""What holds of every plan, over random membership lists and routes."""

from __future__ import annotations

import dataclasses
import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from routing_worlds import KINDS, NOW, alert, leg, membership, point, seal_key

from bridge.core.directory import Directory
from bridge.core.messages import RouteAlertBody
from bridge.core.routing import RoutePlan, corridor_of, plan_route

COUNTRIES = ("AL", "BA", "HU", "RS", "XK")
FORMS = ("sexual", "forced_begging", "organ_removal")
CROSSINGS = ("Horgoš", "Merdare")
IDS = [*(f"{country.lower()}.{name}" for country in COUNTRIES for name in ("ncp", "second")), "xo.one", "xo.two"]
KIND_NAMES = ("route_alert", "alert_update", "alert_cancel")


REMITS = [
    {},
    {"kinds": {"route_alert"}},
    {"kinds": {"alert_update", "alert_cancel"}},
    {"exploitation": {"sexual"}},
    {"exploitation": {"forced_begging", "organ_removal"}},
    {"children_only": True},
    {"crossings": {"HORGOŠ"}},
    {"crossings": {"Merdare"}, "exploitation": {"sexual"}},
]
STATES = [
    {},
    {"receives": KINDS - {"route_alert"}},
    {"mode": "test"},
    {"suspended": "closed"},
]
POINTS = [point(identifier, **remit, **state) for identifier in IDS for remit in REMITS for state in STATES]


@st.composite
def memberships(draw: st.DrawFn) -> Directory:
    points = draw(st.lists(st.sampled_from(POINTS), unique_by=lambda item: item.id, max_size=8))
    without_key, stale = draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))
    return membership(*points, without_key=(without_key,), keys=(seal_key(stale, use_until=NOW),))


@st.composite
def routes(draw: st.DrawFn) -> RouteAlertBody:
    """A journey, which may loop, and a branch from where it ends or passes."""
    countries = draw(st.lists(st.sampled_from(COUNTRIES), min_size=2, max_size=5))
    journey = [leg(f"{start}>{end}") for start, end in pairwise(countries)]
    branch = leg(
        f"{countries[draw(st.integers(1, len(countries) - 1))]}>{draw(st.sampled_from(COUNTRIES))}",
        crossing=draw(st.sampled_from((None, *CROSSINGS))),
        end=draw(st.sampled_from(((), ("destination",)))),
    )
    return alert(*journey, branch, exploitation=(draw(st.sampled_from(FORMS)),), child=draw(st.booleans()))


@dataclasses.dataclass(frozen=True)
class World:
    """One thing to plan: `body` is `None` for a cancellation."""

    members: Directory
    body: RouteAlertBody | None
    kind: str
    status: str
    sender: str
    earlier: tuple[str, ...]

    def plan(self, members: Directory | None = None) -> RoutePlan:
        return plan_route(
            corridor_of(self.body),
            members or self.members,
            kind=self.kind,
            status=self.status,
            sender=self.sender,
            at=NOW,
            earlier=self.earlier,
        )

    @property
    def home(self) -> str | None:
        author = self.members.contact_points.get(self.sender)
        return author.country if author else None

    @property
    def concerned(self) -> set[str]:
        """Counted again, from the legs: where one ends, and where one starts unless that is home."""
        if self.body is None:
            return set()
        ends = {leg.to.country for leg in self.body.legs}
        starts = {leg.from_.country for leg in self.body.legs}
        return ends | (starts - {self.home})


@st.composite
def worlds(draw: st.DrawFn) -> World:
    kind = draw(st.sampled_from(KIND_NAMES))
    return World(
        members=draw(memberships()),
        body=None if kind == "alert_cancel" else draw(routes()),
        kind=kind,
        status=draw(st.sampled_from(["actual", "actual", "exercise", "test"])),
        sender=draw(st.sampled_from(IDS)),
        earlier=() if kind == "route_alert" else tuple(draw(st.lists(st.sampled_from(IDS), unique=True))),
    )


PLENTY = settings(max_examples=75, deadline=None)


@PLENTY
@given(worlds())
def test_nobody_receives_who_must_not(world: World) -> None:
    for recipient in world.plan().recipients:
        member = world.members.contact_points[recipient.id]
        assert recipient.id != world.sender
        assert member.suspended is None
        assert world.kind in member.receives
        assert world.members.seal_key(recipient.id, NOW) is not None
        assert not (member.mode == "live" and world.status == "test")


@PLENTY
@given(worlds())
def test_everybody_who_receives_is_concerned_or_received_the_version_before(world: World) -> None:
    for recipient in world.plan().recipients:
        if recipient.rule == "earlier_version":
            assert recipient.id in world.earlier
        else:
            assert world.members.contact_points[recipient.id].country in world.concerned
            assert recipient.roles
        assert recipient.reason


@PLENTY
@given(worlds())
def test_each_desk_of_a_concerned_country_and_of_the_version_before_receives_or_is_told_why_not(world: World) -> None:
    # given
    desks = {item.id for item in world.members.contact_points.values() if item.country in world.concerned}
    # when
    plan = world.plan()
    receives, reasons = {item.id for item in plan.recipients}, {item.id: item.reason for item in plan.excluded}
    # then
    assert receives.isdisjoint(reasons)
    assert receives | reasons.keys() == desks | set(world.earlier)
    assert all(reasons.values())


@PLENTY
@given(worlds())
def test_a_national_desk_is_left_out_only_for_what_stands_against_the_desk_itself(world: World) -> None:
    left_out = {item.id: item.reason for item in world.plan().excluded if item.id.endswith(".ncp")}
    assert not [reason for reason in left_out.values() if "responsible" in reason]


@PLENTY
@given(worlds())
def test_every_concerned_country_is_reached_or_the_senders_own_or_out_of_reach(world: World) -> None:
    # given
    places = world.concerned | {item[:2].upper() for item in world.earlier if item[:2] != "xo" and item != world.sender}
    # when
    plan = world.plan()
    reached = {item.country for item in plan.recipients}
    # then
    assert {item for item in plan.unreachable if "." not in item} == places - reached - {world.home}
    assert set(plan.unreachable).isdisjoint(reached)


@PLENTY
@given(worlds(), st.integers())
def test_a_plan_depends_on_nothing_but_its_input(world: World, seed: int) -> None:
    # given
    points, keys = list(world.members.contact_points.items()), list(world.members.encryption_keys.items())
    random.Random(seed).shuffle(points)  # noqa: S311 - an order, not a secret
    keys.reverse()
    shuffled = dataclasses.replace(world.members, contact_points=dict(points), encryption_keys=dict(keys))
    backwards = dataclasses.replace(world, earlier=world.earlier[::-1])
    # when, then
    assert world.plan() == world.plan() == backwards.plan(shuffled)
