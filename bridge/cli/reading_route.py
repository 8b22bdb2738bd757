"""The facts of a route alert in words: the route as an itinerary, the victims, the exploitation and its means."""

from __future__ import annotations

import textwrap
from typing import Final

from bridge.app.desk.members import Members
from bridge.cli.wording import span, word, words
from bridge.core.vocabulary import CHILD_AGE_BANDS

WIDTH: Final = 96
_FACTS: Final = (  # member, code list, label
    ("acts", "act", "Acts"),
    ("means", "means", "Means"),
    ("control", "control", "Control"),
    ("recruitment", "recruitment", "Recruited through"),
    ("recruiter_relation", "recruiter_relation", "Recruiter is"),
)


def route_lines(body: Members) -> list[str]:
    """One entry a leg, in order of travel."""
    lines = []
    for number, leg in enumerate(body.objects("legs"), start=1):
        certain = "CONFIRMED" if leg.take("confirmed") is True else "SUSPECTED"
        roles = leg.inner("roles")
        begin, end = (_end(leg.inner(name), roles.take(name)) for name in ("from", "to"))
        lines.append(f"{number}. {begin}  ->  {end}   {certain}")
        lines += [f"   {line}" for line in _travel(leg)]
    observed = span(body.take("observed_from"), body.take("observed_to"))
    precision = body.text("observed_precision")
    if observed:
        exact = f" (exact to the {precision})" if precision in ("day", "month") else ""
        lines.append(f"Observed {observed}{exact}")
    return lines


def victim_lines(body: Members) -> list[str]:
    """One line a group; children are named first of all."""
    groups = []
    children = False
    for group in body.objects("victims"):
        age = group.text("age_band")
        children = children or age in CHILD_AGE_BANDS
        nationalities = words("country", group.take("nationalities"))
        parts = [
            _unless_unknown(group.text("count_band"), "number unknown"),
            _unless_unknown(word("sex", group.take("sex")), "sex unknown"),
            _age(age),
            _unless_unknown(word("accompaniment", group.take("accompaniment")), "accompaniment unknown"),
            f"nationality {nationalities}" if nationalities else "nationality not stated",
        ]
        groups.append(", ".join(parts))
    return ["CHILDREN INVOLVED", *groups] if children else groups


def facts_lines(body: Members) -> list[str]:
    """What is done to people, by which means, and by whom."""
    lines = []
    exploitation, sectors = words("exploitation", body.take("exploitation")), body.take("labour_sector")
    if exploitation:
        where = words("labour_sector", sectors)
        lines.append(f"Exploitation: {exploitation}{f'; sector: {where}' if where else ''}")
    for member, code_list, label in _FACTS:
        said = words(code_list, body.take(member))
        lines += [f"{label}: {said}"] if said else []
    platforms = body.take("platforms")
    if isinstance(platforms, list) and platforms:
        lines.append(f"Platforms: {', '.join(map(str, platforms))}")
    organisers = body.inner("organisers")
    roles, size = words("organiser_role", organisers.take("roles")), organisers.text("group_size")
    if roles or size:
        lines.append(f"Organisers: {'; '.join(filter(None, (roles, f'group size {size}' if size else '')))}")
    how = organisers.text("modus_operandi")
    lines += [f"How they work: {how}"] if how else []
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ")]


def _end(end: Members, roles: object) -> str:
    place, country = end.text("place"), word("country", end.take("country"))
    event, stated = end.text("event"), words("country_role", roles)
    said = ", ".join(filter(None, (word("node_event", event) if event else "", stated)))
    where = f"{place}, {country}" if place else country
    return f"{where} ({said})" if said else where


def _travel(leg: Members) -> list[str]:
    mode, conveyance = word("transport_mode", leg.take("transport_mode")), word("conveyance", leg.take("conveyance"))
    way = ", ".join(filter(None, (f"by {mode}" if mode else "", conveyance)))
    crossing, point = word("crossing", leg.take("crossing")), leg.text("crossing_point")
    border = ": ".join(filter(None, (crossing, point)))
    documents = words("document_fraud", leg.take("document_fraud"))
    expected = span(leg.take("expected_from"), leg.take("expected_to"))
    parts = [
        way or "transport unknown",
        border or "crossing unknown",
        f"documents: {documents}" if documents else "",
        f"EXPECTED {expected}" if expected else "",
    ]
    return textwrap.wrap("; ".join(filter(None, parts)), WIDTH, subsequent_indent="  ")


def _age(band: str) -> str:
    if band == "presumed_child":
        return "presumed to be children"
    return f"aged {band}" if band[:1].isdigit() else "age unknown" if band in ("", "unknown") else band


def _unless_unknown(text: str, otherwise: str) -> str:
    return otherwise if text in ("", "unknown") else text
