"""Names of countries on a route's map, and their tints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.console.map.frame import Frame
from bridge.console.map.labels import Label, Layout
from bridge.console.map.letters import text_width
from bridge.console.map.outlines import outlines
from bridge.console.map.stops import DESTINATION, ORIGIN, TRANSIT, Stop
from bridge.console.map.svg import clean, number, said
from bridge.console.map.wording import MapWords

COUNTRY: Final = 12.0
SPACING: Final = 1.6
_ROLE_ORDER: Final = (TRANSIT, DESTINATION, ORIGIN)
_LEAST_ROOM: Final = 6.0  # pixels around the middle of a name
_WIDEST_FOR_ROOM: Final = 5.5


def tints_of(stops: Sequence[Stop]) -> dict[str, str]:
    """A class for each country of the route: of its weightiest stop."""
    tints: dict[str, str] = {}
    for role in _ROLE_ORDER:
        tints |= {stop.country: role for stop in stops if stop.role == role}
    return tints


def country_names(layout: Layout, frame: Frame, stops: Sequence[Stop], own: str, words: MapWords) -> str:
    """Names of countries where they hide nothing: the route's first, then the others that have room.

    A narrow country has its code instead; one that stands beside a stop already has none.
    """
    tints, named = tints_of(stops), {stop.country for stop in stops if not stop.name}
    order = sorted(outlines().spots, key=lambda code: (code not in tints, code != own, code))
    parts = []
    for code in order:
        spots = [(frame.place((x, y)), room * frame.scale) for x, y, room in outlines().spots[code]]
        inside = [(point, room) for point, room in spots if frame.has(point, -12.0)]
        if code in named or not inside or (code not in tints and inside[0][1] < _LEAST_ROOM):
            continue
        text = clean(words.country(code)).upper()
        if text_width(text, COUNTRY, bold=True, spacing=SPACING) > _WIDEST_FOR_ROOM * inside[0][1]:
            text = code
        label = layout.on_one_of(text, [point for point, _ in inside], COUNTRY, SPACING)
        if label is not None:
            kind = f"country {tints.get(code, 'other')}" + (" own" if code == own else "")
            parts.append(written(label, kind))
    return "".join(parts)


def written(label: Label, kind: str) -> str:
    """A placed text as SVG."""
    x, y = label.at
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{said(label.text)}</text>'
