"""Draws how many legs ran between countries: arrows whose width and shade say how many, with the number on them.

A flow without a count was suppressed, because so few cases could be recognised: it is not drawn. A line joins two
countries' points over their border's middle, around what is a third country's; over land that is nobody's of the two it
is not drawn, and the table beside the map has it. A phone's map has codes for names, and only the numbers with room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.console.map.frame import Frame, frame_around
from bridge.console.map.furniture import draw_legend
from bridge.console.map.gazetteer import Place, country_point
from bridge.console.map.labels import Layout
from bridge.console.map.legs import MapLeg
from bridge.console.map.outlines import draw_ground, outlines
from bridge.console.map.projection import Point
from bridge.console.map.route import Shape
from bridge.console.map.svg import along, clean, length_of, line_of, number, said, spread
from bridge.console.map.travel import course_of
from bridge.console.map.wording import MapWords

STEPS: Final = 5
WIDTHS: Final = (2.5, 4.0, 5.5, 7.5, 10.0)
_SIDEWAYS: Final = 5.0  # pixels to the right of travel: the way back has the other side
_DISC: Final = 8.0
_NAME: Final = 14.0
_MOST_HIDDEN: Final = 14.0
_DOTS: Final = 10.0
_SIZES: Final = {Shape.WIDE: (900, 640), Shape.PHONE: (360, 340)}
_MARGINS: Final = {Shape.WIDE: (70.0, 40.0), Shape.PHONE: (26.0, 26.0)}


@dataclass(frozen=True, slots=True)
class Flow:
    """Legs from one country to another; `count` is `None` where it is suppressed."""

    start: str
    end: str
    count: int | None


# Always on the map, so that one flow is seen in its place: the programme's countries, their host, and Greece and Italy.
REGION: Final = ("AL", "AT", "BA", "BG", "GR", "HR", "HU", "IT", "MD", "ME", "MK", "RO", "RS", "XK")


def steps_of(flows: Sequence[Flow]) -> list[int]:
    """The smallest count of each of five steps, of equal height between the smallest count and the largest."""
    counts = [flow.count for flow in flows if flow.count]
    if not counts:
        return []
    least, most = min(counts), max(counts)
    return sorted({least + (most - least + 1) * step // STEPS for step in range(STEPS)})


def draw_corridors(flows: Sequence[Flow], *, own: str, words: MapWords, shape: Shape = Shape.WIDE) -> str:
    """The map of flows as SVG; empty where there is none to draw.

    Args:
        flows: any order; those between the same two countries in both directions are two lines.
        own: the reader's country: its disc is filled.
        words: the reader's language.
        shape: for which width.
    """
    steps = steps_of(flows)
    lines = {flow: line for flow in sorted(flows, key=_by_count) if flow.count and (line := _line(flow))}
    if not lines:
        return ""
    region = [point.at for code in REGION if (point := country_point(code))]
    frame = frame_around(
        [*region, *(point for line in lines.values() for point in line)],
        _SIZES[shape],
        _MARGINS[shape],
        outlines().window,
    )
    countries = sorted({code for flow in lines for code in (flow.start, flow.end)})
    spots = {code: frame.place(point.at) for code in countries if (point := country_point(code))}
    layout = Layout(frame.width, frame.height)
    for x, y in spots.values():
        layout.keep((x - _DISC, y - _DISC, x + _DISC, y + _DISC))
    drawn, numbers = [], []
    for flow, line in lines.items():
        step = sum(flow.count >= least for least in steps) - 1 if flow.count else 0
        pixels = _beside([frame.place(point) for point in line])
        layout.keep_line(spread(pixels, _DOTS))
        drawn.append(_arrowed(pixels, step))
        numbers.append(_number(pixels, flow.count or 0, layout, shape))
    names = []
    for code, at in spots.items():
        label = layout.around(
            code if shape is Shape.PHONE else clean(words.country(code)), at, _DISC + 5, _NAME, bold=True
        )
        if label:
            names.append(
                f'<text class="place" x="{number(label.at[0])}" y="{number(label.at[1])}">{said(label.text)}</text>'
            )
    discs = [
        f'<circle class="hub{" own" if code == own else ""}" cx="{number(x)}" cy="{number(y)}" r="{_DISC}"/>'
        for code, (x, y) in spots.items()
    ]
    prefix = f"corridors-{shape.name.lower()}-"
    ground = draw_ground(frame, {}, prefix)
    legend, height = draw_legend(_legend(steps, max(flow.count or 0 for flow in lines)), frame.height, frame.width)
    inner = "".join((ground, *drawn, *discs, *numbers, *names))
    return _picture(inner, legend, frame, height, prefix, words)


def _by_count(flow: Flow) -> tuple[int, str, str]:
    """Few first: the wide arrows lie on top."""
    return flow.count or 0, flow.start, flow.end


def _line(flow: Flow) -> tuple[Point, ...] | None:
    """From country to country, over the border that they have in common."""
    start, end = country_point(flow.start), country_point(flow.end)
    if start is None or end is None or flow.start == flow.end or not (_is_shown(start) and _is_shown(end)):
        return None
    course = course_of(MapLeg(flow.start, "", flow.end, ""), start, end)
    return None if course.is_open else course.lines[0]


def _is_shown(place: Place) -> bool:
    left, top, right, bottom = outlines().window
    return left < place.at[0] < right and top < place.at[1] < bottom


def _beside(line: Sequence[Point]) -> list[Point]:
    """A line moved to the right of its direction, from the rim of one disc to that of the other."""
    moved = []
    for n, (x, y) in enumerate(line):
        (a, b), (c, d) = line[max(n - 1, 0)], line[min(n + 1, len(line) - 1)]
        length = ((c - a) ** 2 + (d - b) ** 2) ** 0.5 or 1.0
        moved.append((x - (d - b) / length * _SIDEWAYS, y + (c - a) / length * _SIDEWAYS))
    whole = length_of(moved)
    rim = min((_DISC + 3) / whole, 0.3) if whole else 0.0
    first, last = along(moved, rim)[0], along(moved, 1 - rim)[0]
    return [first, *moved[1:-1], last]


def _arrowed(line: Sequence[Point], step: int) -> str:
    width = WIDTHS[min(step, STEPS - 1)]
    head = width * 1.4 + 4
    whole = length_of(line)
    (x, y), (right, down) = along(line, max(1 - head / whole, 0.0)) if whole else (line[-1], (1.0, 0.0))
    kept = [point for n, point in enumerate(line[:-1]) if n == 0 or length_of(line[: n + 1]) < whole - head]
    tip, half = line[-1], width / 2 + 3.5
    corners = [tip, (x - down * half, y + right * half), (x + down * half, y - right * half)]
    path = line_of([*kept, (x, y)])
    return (
        f'<path class="flow-casing" stroke-width="{number(width + 2.5)}" d="{path}"/>'
        f'<path class="flow flow-{step + 1}" stroke-width="{number(width)}" d="{path}"/>'
        f'<path class="flow-head flow-{step + 1}" d="{line_of(corners)}Z"/>'
    )


def _number(line: Sequence[Point], count: int, layout: Layout, shape: Shape) -> str:
    """The count in a pill on the line, where it hides least; on a phone only where it hides little."""
    text = str(count)
    wide = 10 + 8 * len(text)
    boxes = []
    for part in (0.5, 0.4, 0.6, 0.32, 0.68):
        (x, y), _ = along(line, part)
        boxes.append((x - wide / 2, y - 9, x + wide / 2, y + 9))
    box = min(boxes, key=layout.cost)
    if shape is Shape.PHONE and layout.cost(box) > _MOST_HIDDEN:
        return ""
    layout.keep(box)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return (
        f'<rect class="pill" x="{number(box[0])}" y="{number(box[1])}" width="{wide}" height="18" rx="9"/>'
        f'<text class="count" x="{number(x)}" y="{number(y + 4.5)}">{text}</text>'
    )


def _legend(steps: Sequence[int], most: int) -> list[tuple[str, str]]:
    entries = []
    for n, least in enumerate(steps):
        last = steps[n + 1] - 1 if n + 1 < len(steps) else most
        key = f'<path class="flow flow-{n + 1}" stroke-width="{WIDTHS[n]}" d="M-12 0H12"/>'
        entries.append((key, str(least) if least == last else f"{least}–{last}"))  # noqa: RUF001 - a dash between numbers
    return entries


def _picture(inner: str, legend: str, frame: Frame, below: float, prefix: str, words: MapWords) -> str:
    height = number(frame.height + below)
    return (
        f'<svg class="corridors-svg" viewBox="0 0 {frame.width} {height}" width="{frame.width}" height="{height}" '
        f'role="img" aria-labelledby="{prefix}title {prefix}desc" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{prefix}title">{said(words.text("Map of corridors"))}</title>'
        f'<desc id="{prefix}desc">{said(words.text("The table on this page has the same numbers."))}</desc>'
        f'<svg x="0" y="0" width="{frame.width}" height="{frame.height}">{inner}</svg>{legend}</svg>'
    )
