"""The region's flows as a map and as the same numbers in a table, for one quarter and form of exploitation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from markupsafe import Markup
from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.corridors import FORMS, CorridorTable
from bridge.console.access import Page
from bridge.console.language import Words
from bridge.console.map.corridors import Flow, draw_corridors
from bridge.console.map.figure import figure_of
from bridge.console.map.route import Shape
from bridge.console.visit import Visit
from bridge.ports.store.corridors import LEAST_SHOWN, WHATEVER_FORM


async def _corridors(visit: Visit) -> Response:
    table = await visit.parts.corridors.read(
        visit.contact_point,
        quarter=visit.query("quarter"),
        form=visit.query("form", WHATEVER_FORM),
        now=visit.parts.clock.now(),
    )
    return visit.show(
        "corridors.html",
        table=table,
        forms=FORMS,
        whatever=WHATEVER_FORM,
        least=LEAST_SHOWN,
        most=max((flow.count or 0 for flow in table.flows), default=0),
        own=visit.parts.country,
        map=_map_of(_drawable(table), visit.words, visit.parts.country),
        shows_kosovo=any("XK" in {flow.origin, flow.destination} for flow in table.flows),
    )


def _drawable(table: CorridorTable) -> Sequence[Flow]:
    return tuple(Flow(flow.origin, flow.destination, flow.count) for flow in table.flows)


@lru_cache(maxsize=16)
def _map_of(flows: Sequence[Flow], words: Words, own: str) -> Markup:
    """For both widths; the same for everybody until a number changes."""
    pictures = [
        f'<div class="map-{shape.name.lower()}">{picture}</div>'
        for shape in Shape
        if (picture := draw_corridors(flows, own=own, words=words, shape=shape))
    ]
    return Markup(figure_of(pictures, words)) if pictures else Markup("")  # noqa: S704 - it escapes names


PAGES: Final = (Page("/corridors", "corridors", _corridors, Permission.READ_MESSAGES),)
