"""What the templates of a kind show of a body: sent, received, or waiting for its release."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from markupsafe import Markup

from bridge.app.desk.route import countries_of, objects, stretches_of, text
from bridge.console.differences import differences
from bridge.console.kinds import MARKING, view_of
from bridge.console.language import Words
from bridge.console.map.figure import route_svg
from bridge.console.saying import facts, left_over, leg_facts, place_name, victim_group
from bridge.core.vocabulary import CHILD_AGE_BANDS

Members = Mapping[str, object]


def shown_body(kind: str, body: Members, words: Words, *, own: str, before: Members | None = None) -> dict[str, object]:
    """Everything that `templates/kinds/` and the cards beside them name.

    Args:
        kind: of the message.
        body: its body, as far as there is one.
        words: the reader's.
        own: the reader's country: it stands out on the map.
        before: the body of the version that it takes the place of.
    """
    view, narrative, victims = view_of(kind), body.get("narrative"), objects(body.get("victims"))
    return {
        "body": defaultdict(str, body),  # what is not there is nothing in a template
        "language": text(body, "language"),
        "view": view,
        "marking": facts(body, MARKING, words),
        "asks": facts(body, view.asks, words),
        "facts": facts(body, view.facts, words),
        "grading": facts(body, view.grading, words),
        "route_map": route_map(body, words, own),
        "place_name": place_name,
        "stretches": [(stretch, leg_facts(stretch.leg, words)) for stretch in stretches_of(body)],
        "victims": [victim_group(group, words) for group in victims],
        "is_child_involved": any(group.get("age_band") in CHILD_AGE_BANDS for group in victims),
        "narrative": narrative if isinstance(narrative, Mapping) else {},
        "changes": differences(before, body, words) if before and body else [],
        "list_changes": objects(body.get("changes")),
        "not_known": list(left_over(body)),
    }


def route_map(body: Members, words: Words, own: str) -> Markup:
    """The map of a body's route, of the whole region while only one country is known; empty without any."""
    return _drawn(json.dumps(body.get("legs")), words, own, is_region=len(countries_of(body)) == 1)


@lru_cache(maxsize=64)
def _drawn(legs: str, words: Words, own: str, *, is_region: bool) -> Markup:
    """Once for all who look at a version; to place its names takes longer than all else on a page."""
    return Markup(route_svg({"legs": json.loads(legs)}, words, own, region=is_region))  # noqa: S704 - it escapes names
