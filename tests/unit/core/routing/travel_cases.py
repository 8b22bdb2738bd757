"""Cases of routing, written by hand: what the legs of an alert and the remits of desks decide."""

from __future__ import annotations

from routing_case import NATIONAL, REMIT, SENDER, Case
from routing_worlds import alert, leg, membership, point

TRAVEL = [
    Case(
        "transit and destination receive, the origin not where the sender is there",
        "rs.ncp",
        alert("RS>HU>AT"),
        membership("rs.ncp", "hu.ncp", "at.ncp", "de.ncp"),
        {"at.ncp": (NATIONAL, "destination"), "hu.ncp": (NATIONAL, "transit")},
    ),
    Case(
        "the origin receives where the sender is in a transit country",
        "hu.ncp",
        alert("RS>HU>AT"),
        membership("rs.ncp", "hu.ncp", "at.ncp"),
        {"at.ncp": (NATIONAL, "destination"), "rs.ncp": (NATIONAL, "origin")},
        {"hu.ncp": SENDER},
    ),
    Case(
        "the origin receives where the sender is at the destination",
        "at.ncp",
        alert("RS>HU>AT"),
        membership("rs.ncp", "hu.ncp", "at.ncp"),
        {"hu.ncp": (NATIONAL, "transit"), "rs.ncp": (NATIONAL, "origin")},
        {"at.ncp": SENDER},
    ),
    Case(
        "other desks of an origin where the sender is are not concerned",
        "rs.border-police",
        alert("RS>HU"),
        membership("rs.ncp", point("rs.border-police"), "hu.ncp"),
        {"hu.ncp": (NATIONAL, "destination")},
    ),
    Case(
        "the national desk of the sender's own transit country receives",
        "hu.border-police",
        alert("RS>HU>AT"),
        membership("rs.ncp", "hu.ncp", "hu.border-police", "at.ncp"),
        {
            "at.ncp": (NATIONAL, "destination"),
            "hu.ncp": (NATIONAL, "transit"),
            "rs.ncp": (NATIONAL, "origin"),
        },
        {"hu.border-police": SENDER},
    ),
    Case(
        "a route that returns makes its origin a destination, whose other desks receive",
        "rs.ncp",
        alert(leg("RS>HU", crossing="Röszke"), "HU>RS"),
        membership(
            "rs.ncp",
            point("rs.border-police", crossings={"Röszke"}),
            point("rs.children", children_only=True),
            "hu.ncp",
        ),
        {"hu.ncp": (NATIONAL, "transit"), "rs.border-police": (REMIT, "origin destination")},
        {"rs.ncp": SENDER, "rs.children": "is responsible for children only, and none is involved"},
    ),
    Case(
        "a route that returns to a country with no desk but the sender reaches everybody",
        "rs.ncp",
        alert("RS>HU>RS"),
        membership("rs.ncp", "hu.ncp"),
        {"hu.ncp": (NATIONAL, "transit")},
        {"rs.ncp": SENDER},
    ),
    Case(
        "a country with several roles receives once",
        "ro.ncp",
        alert("BG>RS>BG>RO"),
        membership("bg.ncp", "rs.ncp", "ro.ncp"),
        {"bg.ncp": (NATIONAL, "origin transit"), "rs.ncp": (NATIONAL, "transit")},
        {"ro.ncp": SENDER},
    ),
    Case(
        "a route that branches has several destinations",
        "md.ncp",
        alert("MD>RO>HU", "RO>IT"),
        membership("md.ncp", "ro.ncp", "hu.ncp", "it.ncp"),
        {
            "hu.ncp": (NATIONAL, "destination"),
            "it.ncp": (NATIONAL, "destination"),
            "ro.ncp": (NATIONAL, "transit"),
        },
    ),
    Case(
        "an alert that stays within a country goes to its other desks",
        "hu.border-police",
        alert("HU>HU"),
        membership("hu.ncp", "hu.border-police"),
        {"hu.ncp": (NATIONAL, "origin destination")},
        {"hu.border-police": SENDER},
    ),
    Case(
        "roles that the author gives are added",
        "rs.ncp",
        alert(leg("RS>HU", end=("destination",)), "HU>AT"),
        membership("rs.ncp", "hu.ncp", "at.ncp"),
        {"at.ncp": (NATIONAL, "destination"), "hu.ncp": (NATIONAL, "transit destination")},
    ),
    Case(
        "an organisation is nowhere, so the origin receives too",
        "xo.iom",
        alert("AL>IT"),
        membership("al.ncp", "it.ncp", "xo.iom"),
        {"al.ncp": (NATIONAL, "origin"), "it.ncp": (NATIONAL, "destination")},
    ),
    Case(
        "a sender that is not a member is nowhere, so the origin receives too",
        "al.nobody",
        alert("AL>IT"),
        membership("al.ncp", "it.ncp"),
        {"al.ncp": (NATIONAL, "origin"), "it.ncp": (NATIONAL, "destination")},
    ),
]

REMITS = [
    Case(
        "forms of exploitation narrow a remit",
        "rs.ncp",
        alert("RS>HU", exploitation=("sexual", "forced_begging")),
        membership(
            "rs.ncp",
            "hu.ncp",
            point("hu.vice", exploitation={"sexual", "forced_marriage"}),
            point("hu.labour", exploitation={"forced_labour_or_services"}),
        ),
        {"hu.ncp": (NATIONAL, "destination"), "hu.vice": (REMIT, "destination")},
        {"hu.labour": "is not responsible for forced_begging, sexual exploitation"},
    ),
    Case(
        "a desk for children receives where a child is involved",
        "rs.ncp",
        alert("RS>HU", child=True),
        membership("rs.ncp", "hu.ncp", point("hu.children", children_only=True)),
        {"hu.ncp": (NATIONAL, "destination"), "hu.children": (REMIT, "destination")},
    ),
    Case(
        "a crossing is found whatever its case, accents and blanks",
        "rs.ncp",
        alert(leg("RS>HU", crossing="RÖSZKE "), "HU>AT"),
        membership(
            "rs.ncp",
            "hu.ncp",
            point("hu.roszke", crossings={"Roszke"}),
            point("hu.zahony", crossings={"Záhony"}),
            "at.ncp",
            point("at.roszke", crossings={"Röszke"}),
        ),
        {
            "at.ncp": (NATIONAL, "destination"),
            "hu.ncp": (NATIONAL, "transit"),
            "hu.roszke": (REMIT, "transit"),
        },
        {
            "hu.zahony": "is responsible for border crossings that the alert does not name",
            "at.roszke": "is responsible for border crossings that the alert does not name",
        },
    ),
    Case(
        "a crossing is found under the name of either side",
        "rs.ncp",
        alert(leg("RS>HU", crossing="Horgoš - Röszke"), "HU>RS"),
        membership(
            "rs.ncp",
            point("rs.border-police", crossings={"Batrovci", "Horgoš"}),
            "hu.ncp",
            point("hu.border-police", crossings={"Röszke / Horgoš"}),
        ),
        {
            "hu.border-police": (REMIT, "transit"),
            "hu.ncp": (NATIONAL, "transit"),
            "rs.border-police": (REMIT, "origin destination"),
        },
        {"rs.ncp": SENDER},
    ),
    Case(
        "kinds narrow a remit",
        "rs.ncp",
        alert("RS>HU"),
        membership("rs.ncp", "hu.ncp", point("hu.updates", kinds={"alert_update"})),
        {"hu.ncp": (NATIONAL, "destination")},
        {"hu.updates": "is not responsible for route_alert"},
    ),
    Case(
        "every field of a remit that is set must be met",
        "rs.ncp",
        alert("RS>HU", exploitation=("sexual",), child=False),
        membership("rs.ncp", "hu.ncp", point("hu.minors-vice", exploitation={"sexual"}, children_only=True)),
        {"hu.ncp": (NATIONAL, "destination")},
        {"hu.minors-vice": "is responsible for children only, and none is involved"},
    ),
    Case(
        "a remit without limits covers every alert",
        "rs.ncp",
        alert("RS>HU"),
        membership("rs.ncp", "hu.ncp", "hu.second"),
        {"hu.ncp": (NATIONAL, "destination"), "hu.second": (REMIT, "destination")},
    ),
    Case(
        "a national desk receives whatever its remit says besides",
        "rs.ncp",
        alert("RS>HU"),
        membership(
            "rs.ncp", point("hu.ncp", kinds=set(), exploitation={"surrogacy"}, children_only=True, crossings=set())
        ),
        {"hu.ncp": (NATIONAL, "destination")},
    ),
]
