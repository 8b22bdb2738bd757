"""The hand-written table of routing, and the words in which a plan explains itself."""

from __future__ import annotations

import pytest
from obstacle_cases import OBSTACLES, VERSIONS
from routing_case import Case
from routing_worlds import NOW, alert, leg, membership, point
from travel_cases import REMITS, TRAVEL

from bridge.core.routing import RoutePlan, corridor_of, plan_answer, plan_route

CASES = [*TRAVEL, *REMITS, *OBSTACLES, *VERSIONS]


def planned(case: Case) -> RoutePlan:
    return plan_route(
        corridor_of(case.given),
        case.members,
        kind=case.kind,
        status=case.status,
        sender=case.sender,
        at=NOW,
        earlier=case.earlier,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_plan_is_as_the_table_has_it(case: Case) -> None:
    # given, when
    plan = planned(case)
    # then
    assert {item.id: (item.rule, " ".join(item.roles)) for item in plan.recipients} == case.receives
    assert {item.id: item.reason for item in plan.excluded} == case.excluded
    assert plan.unreachable == case.unreachable


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recipients_and_exclusions_are_sorted_by_id(case: Case) -> None:
    plan = planned(case)
    assert [item.id for item in plan.recipients] == sorted(case.receives)
    assert [item.id for item in plan.excluded] == sorted(case.excluded)


def test_each_recipient_is_explained_in_words() -> None:
    # given
    members = membership(
        "al.ncp",
        "xk.ncp",
        point("xk.border-police", crossings={"Vërmicë"}, exploitation={"sexual"}, children_only=True),
        point("xk.duty"),
        "at.ncp",
        "rs.ncp",
    )
    body = alert(leg("AL>XK", crossing="VERMICE"), "XK>RS", child=True)
    # when
    plan = plan_route(
        corridor_of(body), members, kind="alert_update", status="actual", sender="al.ncp", at=NOW, earlier=("at.ncp",)
    )
    # then
    assert {item.id: (item.country, item.reason) for item in plan.recipients} == {
        "at.ncp": ("AT", "received an earlier version"),
        "rs.ncp": ("RS", "national desk of Serbia, destination on this route"),
        "xk.border-police": (
            "XK",
            (
                "responsible for sexual exploitation and children and the crossing Vërmicë in Kosovo*, "
                "transit on this route"
            ),
        ),
        "xk.duty": ("XK", "responsible for every alert in Kosovo*, transit on this route"),
        "xk.ncp": ("XK", "national desk of Kosovo*, transit on this route"),
    }


def test_an_answer_goes_to_the_one_desk_that_is_named() -> None:
    # given
    members = membership("rs.ncp", "hu.ncp", "hu.second")
    # when
    plan = plan_answer("rs.ncp", members, kind="acknowledgement", status="actual", sender="hu.ncp", at=NOW)
    # then
    assert [(item.id, item.country, item.rule, item.reason) for item in plan.recipients] == [
        ("rs.ncp", "RS", "answer", "sent the message that is answered")
    ]
    assert (plan.excluded, plan.unreachable) == ((), ())


@pytest.mark.parametrize(
    ("recipient", "reason", "unreachable"),
    [
        ("rs.gone", "is not in the membership list", "RS"),
        ("rs.away", "is suspended: closed", "RS"),
        ("rs.mute", "has no valid encryption key in the membership list", "RS"),
        ("rs.deaf", "does not receive acknowledgement", "RS"),
        ("hu.ncp", "is the sender itself", "HU"),
        ("xo.gone", "is not in the membership list", "xo.gone"),
    ],
)
def test_an_answer_to_who_cannot_receive_names_the_reason_and_the_place(
    recipient: str, reason: str, unreachable: str
) -> None:
    # given
    members = membership(
        "hu.ncp",
        point("rs.away", suspended="closed"),
        "rs.mute",
        point("rs.deaf", receives=frozenset({"route_alert"})),
        without_key=("rs.mute",),
    )
    # when
    plan = plan_answer(recipient, members, kind="acknowledgement", status="actual", sender="hu.ncp", at=NOW)
    # then
    assert plan.recipients == ()
    assert [(item.id, item.reason) for item in plan.excluded] == [(recipient, reason)]
    assert plan.unreachable == (unreachable,)


def test_an_answer_to_an_organisation_bears_its_prefix_as_country() -> None:
    plan = plan_answer(
        "xo.iom", membership("hu.ncp", "xo.iom"), kind="acknowledgement", status="actual", sender="hu.ncp", at=NOW
    )
    assert [item.country for item in plan.recipients] == ["xo"]
