"""Draws a route: its stops numbered, its legs through their crossings, in one SVG that needs no script and no style.

Shapes say the roles as well as tints do: a filled disc is where it begins, an open one is on the way, a disc in a ring
is where it ends; a broken ring is a place that nobody named. A whole line is confirmed, a dotted one suspected. Where
nothing is known between two ends, each has a short stub (`travel`). All colours are classes (css/map.css).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import hypot
from typing import Final

from bridge.console.map.country_names import country_names, tints_of, written
from bridge.console.map.frame import Frame, frame_around
from bridge.console.map.furniture import draw_legend, draw_scale
from bridge.console.map.gazetteer import Place
from bridge.console.map.labels import Layout
from bridge.console.map.legs import MapLeg
from bridge.console.map.marks import DISC, arrow, diamond, numbered_stop, stop_mark
from bridge.console.map.outlines import draw_ground, outlines
from bridge.console.map.projection import Point
from bridge.console.map.stops import DESTINATION, ORIGIN, TRANSIT, Stop, stops_of
from bridge.console.map.svg import along, clean, length_of, line_of, number, said, spread
from bridge.console.map.travel import STUB_PX, Course, course_of, stub
from bridge.console.map.wording import MapWords

NAME: Final = 14.0
CROSSING: Final = 12.0
_EDGE: Final = 20.0
_SHORTEST_WITH_ARROW: Final = 46.0
_MOST_HIDDEN: Final = 6.0
_DOTS: Final = 7.0


class Shape(Enum):
    """A picture's size in pixels, without its legend: beside a text, or on a phone."""

    WIDE = (680, 370)
    PHONE = (360, 300)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A leg in pixels: its lines, those of them that are stubs, and where its crossing is."""

    leg: MapLeg
    course: Course | None
    lines: tuple[tuple[Point, ...], ...]
    stubs: tuple[tuple[Point, Point], ...]


def draw_route(
    legs: Sequence[MapLeg], *, own: str, words: MapWords, shape: Shape = Shape.WIDE, region: bool = False
) -> str:
    """The map of a route as SVG; empty where no leg has a country that the world knows.

    Args:
        legs: in order of travel.
        own: the reader's country: its name is underlined.
        words: the reader's language.
        shape: for which width.
        region: the whole region instead of the route.
    """
    stops, ends = stops_of(legs)
    if not any(stop.place for stop in stops):
        return ""
    courses = [
        course_of(leg, start.place, end.place) if start.place and end.place and _both_shown(start, end) else None
        for leg, (start, end) in zip(legs, ends, strict=True)
    ]
    frame = _frame(stops, courses, shape, region=region)
    spots = {id(stop): _spot(stop.place, frame) for stop in stops if stop.place}
    drawn = [
        _drawn(leg, course, frame, spots.get(id(start)), spots.get(id(end)), (start.country, end.country))
        for leg, course, (start, end) in zip(legs, courses, ends, strict=True)
    ]
    layout = Layout(frame.width, frame.height)
    scale = draw_scale(frame, layout)
    prefix = f"map-{shape.name.lower()}{'-region' if region else ''}-"
    parts = [draw_ground(frame, tints_of(stops), prefix)]
    marks = _keep_places(layout, stops, spots, drawn, frame)
    names = "".join(_name(layout, stop, spots[id(stop)], words) for stop in stops if stop.place)
    crossings = "".join(_crossing_name(layout, label, at) for label, at in marks)
    parts += [country_names(layout, frame, stops, own, words), *map(_lines, drawn)]
    parts += [
        diamond(frame.place(course.mark.at), is_named=course.mark.is_named)
        for course in courses
        if course and course.mark
    ]
    parts += [
        numbered_stop(stop, spots[id(stop)], outside=not _is_shown(stop.place))
        for stop in reversed(stops)
        if stop.place
    ]
    parts += [crossings, names, scale]
    legend, height = draw_legend(_legend(stops, drawn, words), frame.height, frame.width)
    return _picture([*parts, legend], frame, height, prefix, _story(stops, words, own), words)


def _picture(parts: Sequence[str], frame: Frame, legend: float, prefix: str, story: str, words: MapWords) -> str:
    height = number(frame.height + legend)
    return (
        f'<svg class="route-svg" viewBox="0 0 {frame.width} {height}" width="{frame.width}" height="{height}" '
        f'role="img" aria-labelledby="{prefix}title {prefix}desc" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{prefix}title">{said(words.text("Map of the route"))}</title>'
        f'<desc id="{prefix}desc">{said(story)}</desc>'
        f'<svg x="0" y="0" width="{frame.width}" height="{frame.height}">{"".join(parts[:-1])}</svg>{parts[-1]}</svg>'
    )


def _is_shown(place: Place) -> bool:
    left, top, right, bottom = outlines().window
    margin = 300.0
    return left + margin < place.at[0] < right - margin and top + margin < place.at[1] < bottom - margin


def _both_shown(start: Stop, end: Stop) -> bool:
    return all(stop.place is not None and _is_shown(stop.place) for stop in (start, end))


def _frame(stops: Sequence[Stop], courses: Sequence[Course | None], shape: Shape, *, region: bool) -> Frame:
    """Around everything that is drawn; places outside the outlines only turn the view a little to their side."""
    window = outlines().window
    points = [stop.place.at for stop in stops if stop.place and _is_shown(stop.place)]
    points += [point for course in courses if course for line in course.lines for point in line]
    margin = (min(110.0, shape.value[0] * 0.17), 44.0)
    if region or not points:
        points = [(-4500.0, -4500.0), (13_000.0, 10_500.0)]
        margin = (10.0, 10.0)
    return frame_around(points, shape.value, margin, window)


def _spot(place: Place, frame: Frame) -> Point:
    """In pixels; what is outside the picture stands at its edge, on the side where it lies."""
    x, y = frame.place(place.at)
    if frame.has((x, y), -_EDGE):
        return x, y
    middle = frame.width / 2, frame.height / 2
    part = min(
        (middle[0] - _EDGE) / max(abs(x - middle[0]), 1e-6), (middle[1] - _EDGE) / max(abs(y - middle[1]), 1e-6), 1.0
    )
    return middle[0] + (x - middle[0]) * part, middle[1] + (y - middle[1]) * part


def _drawn(
    leg: MapLeg, course: Course | None, frame: Frame, start: Point | None, end: Point | None, own: tuple[str, str]
) -> _Drawn:
    lines = tuple(tuple(map(frame.place, line)) for line in course.lines) if course else ()
    stubs: list[tuple[Point, Point]] = []
    if (course is None or course.is_open) and start and end:
        tails = [line[-1] for line in lines]
        heads = [line[0] for line in lines]
        # Towards each other, from wherever what is known ends.
        if not any(_near(head, start) for head in heads):
            stubs += _stub(frame, start, heads[0] if heads else end, own, outward=True)
        for line in lines:
            if not _near(line[-1], end) and line is lines[-1]:
                stubs += _stub(frame, line[-1], end, own, outward=True)
        if not any(_near(tail, end) for tail in tails):
            stubs += _stub(frame, end, tails[-1] if tails else start, own, outward=False)
    return _Drawn(leg, course, lines, tuple(stubs))


def _near(one: Point, other: Point) -> bool:
    return hypot(one[0] - other[0], one[1] - other[1]) < 1.0


def _stub(frame: Frame, start: Point, end: Point, own: tuple[str, str], *, outward: bool) -> list[tuple[Point, Point]]:
    """In pixels, in the direction of travel."""
    if _near(start, end):
        return []
    on_map = [(x / frame.scale + frame.left, y / frame.scale + frame.top) for x, y in (start, end)]
    first, last = map(frame.place, stub(on_map[0], on_map[1], STUB_PX / frame.scale, own))
    return [(first, last) if outward else (last, first)]


def _keep_places(
    layout: Layout, stops: Sequence[Stop], spots: dict[int, Point], drawn: Sequence[_Drawn], frame: Frame
) -> list[tuple[str, Point]]:
    """Keeps discs, marks and lines free; answers the crossings' names and where they are, each once."""
    for stop in stops:
        if stop.place:
            x, y = spots[id(stop)]
            layout.keep((x - DISC - 3, y - DISC - 3, x + DISC + 3, y + DISC + 3))
    marks: dict[tuple[str, Point], None] = {}
    for one in drawn:
        for line in (*one.lines, *one.stubs):
            layout.keep_line(spread(line, _DOTS))
        if one.course and one.course.mark:
            x, y = frame.place(one.course.mark.at)
            layout.keep((x - 8, y - 8, x + 8, y + 8))
            marks[clean(one.course.mark.label), (x, y)] = None
    return [(label, at) for label, at in marks if label]


def _lines(one: _Drawn) -> str:
    kind = "confirmed" if one.leg.confirmed else "suspected"
    parts = []
    for line in (*one.lines, *one.stubs):
        path = line_of(line)
        parts.append(f'<path class="casing" d="{path}"/><path class="leg {kind}" d="{path}"/>')
    parts += [arrow(*along(line, 0.55)) for line in one.lines if length_of(line) > _SHORTEST_WITH_ARROW]
    parts += [arrow(*along(short, 0.6)) for short in one.stubs]
    return "".join(parts)


def _name(layout: Layout, stop: Stop, at: Point, words: MapWords) -> str:
    """The place's name; where none is known, the country's."""
    country = clean(words.country(stop.country))
    text = clean(stop.name) or country
    if stop.name and stop.place and not _is_shown(stop.place):
        text = f"{text}, {country}"  # it stands at the edge, over some other country
    away = DISC + (8 if stop.role == DESTINATION else 5)
    label = layout.around(text, at, away, NAME, bold=True)
    return written(label, "place" if stop.name else "place unplaced") if label else ""


def _crossing_name(layout: Layout, label: str, at: Point) -> str:
    """Left out where it would hide something: the itinerary beside the map has it."""
    placed = layout.around(label, at, 10, CROSSING, bold=False, most=_MOST_HIDDEN)
    return written(placed, "crossing-name") if placed else ""


def _legend(stops: Sequence[Stop], drawn: Sequence[_Drawn], words: MapWords) -> list[tuple[str, str]]:
    """Only what is in the picture."""
    roles = {stop.role for stop in stops}
    entries = [
        (ORIGIN, words.text("Origin")),
        (TRANSIT, words.text("Transit")),
        (DESTINATION, words.text("Destination")),
    ]
    legend = [(f'<g transform="scale(.72)">{stop_mark(role)}</g>', text) for role, text in entries if role in roles]
    if any(one.course and one.course.mark and one.course.mark.is_named for one in drawn):
        legend.append((diamond((0.0, 0.0), is_named=True), words.text("Border crossing")))
    if any(one.course and one.course.mark and not one.course.mark.is_named for one in drawn):
        legend.append((diamond((0.0, 0.0), is_named=False), words.text("Crossing not known")))
    for confirmed, kind, text in (
        (True, "confirmed", words.text("Confirmed")),
        (False, "suspected", words.text("Suspected")),
    ):
        if any(one.leg.confirmed is confirmed for one in drawn):
            legend.append((f'<path class="leg {kind}" d="M-12 0H12"/>', text))
    if any(one.stubs for one in drawn):
        stub_key = f'<path class="leg suspected" d="M-12 0H4"/>{arrow((4.0, 0.0), (1.0, 0.0))}'
        legend.append((stub_key, words.text("Way between not known")))
    if any(stop.place and not _is_shown(stop.place) for stop in stops):
        legend.append(
            (
                f'<g transform="scale(.72)"><circle class="outside" r="{DISC + 3.5}"/></g>',
                words.text("Outside this map"),
            )
        )
    if any(stop.place and not stop.is_placed for stop in stops):
        legend.append(
            (f'<g transform="scale(.72)">{stop_mark(TRANSIT, placed=False)}</g>', words.text("Position not known"))
        )
    return legend


def _story(stops: Sequence[Stop], words: MapWords, own: str) -> str:
    """The route in one line, for who does not see the picture."""
    parts = []
    for stop in stops:
        country = clean(words.country(stop.country))
        parts.append(
            f"{'·'.join(map(str, stop.numbers))} {clean(stop.name)}, {country}"
            if stop.name
            else f"{'·'.join(map(str, stop.numbers))} {country}"
        )
    mine = " " + words.text("Your country is on the route.") if own in {stop.country for stop in stops} else ""
    return "; ".join(parts) + "." + mine
