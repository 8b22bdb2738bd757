"""What the templates of a kind show of a body: sent, received, or waiting for its release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from bridge.app.desk.route import objects, stretches_of, text
from bridge.console.differences import differences
from bridge.console.kinds import MARKING, view_of
from bridge.console.language import Words
from bridge.console.saying import facts, left_over, leg_facts, victim_group
from bridge.core.vocabulary import CHILD_AGE_BANDS

Members = Mapping[str, object]


def shown_body(kind: str, body: Members, words: Words, *, before: Members | None = None) -> dict[str, object]:
    """Everything that `templates/kinds/` and the cards beside them name.

    Args:
        kind: of the message.
        body: its body, as far as there is one.
        words: the reader's.
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
        "route_map": "",
        "stretches": [(stretch, leg_facts(stretch.leg, words)) for stretch in stretches_of(body)],
        "victims": [victim_group(group, words) for group in victims],
        "is_child_involved": any(group.get("age_band") in CHILD_AGE_BANDS for group in victims),
        "narrative": narrative if isinstance(narrative, Mapping) else {},
        "changes": differences(before, body, words) if before and body else [],
        "list_changes": objects(body.get("changes")),
        "not_known": list(left_over(body)),
    }
