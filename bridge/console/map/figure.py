"""A route's two pictures, one for each width of a page, with the notes that stand under every map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.console.map.legs import legs_of_body
from bridge.console.map.outlines import outlines
from bridge.console.map.route import Shape, draw_route
from bridge.console.map.svg import said
from bridge.console.map.wording import MapWords, notes_of


def route_svg(body: Mapping[str, Any], words: MapWords, own: str, *, region: bool = False) -> str:
    """A message's route as HTML, safe to put into a page; empty where the body has nothing to draw.

    Args:
        body: a route alert's members, as they came or half written.
        words: the reader's language.
        own: the reader's country.
        region: the whole region instead of the route.
    """
    legs = legs_of_body(body)
    pictures = [
        f'<div class="map-{shape.name.lower()}">{picture}</div>'
        for shape in Shape
        if (picture := draw_route(legs, own=own, words=words, shape=shape, region=region))
    ]
    return figure_of(pictures, words) if pictures else ""


def figure_of(pictures: list[str], words: MapWords) -> str:
    """Pictures with their notes; Kosovo* is in every view of the region, so its note is under every map."""
    notes = "".join(f"<p>{said(note)}</p>" for note in notes_of(outlines().rings, words))
    return f'<figure class="route-figure">{"".join(pictures)}<figcaption>{notes}</figcaption></figure>'
