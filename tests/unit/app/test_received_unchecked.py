"""What arrives while nobody has confirmed the list for a week is received, and marked for whoever reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, ListedTrust, alert, directory

from bridge.app.read_message import item_summary
from bridge.app.receiving.unchecked import checked_at
from bridge.cli.reading import body_text
from bridge.core.times import format_time

SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("age", "outcome", "is_marked"),
    [
        (WEEK - SECOND, "accepted", False),
        (WEEK, "accepted", True),
        (timedelta(days=45) - SECOND, "accepted", True),
        (timedelta(days=45), "held", False),
    ],
)
async def test_the_grade_of_the_list_decides(
    node: Node, trust: ListedTrust, age: timedelta, outcome: str, *, is_marked: bool
) -> None:
    # given
    trust.directory = replace(directory(), signed_at=START - age)
    message = alert()

    # when
    (became,) = await node.receiver("at.ncp").receive([message.delivery(to="at.ncp")])

    # then
    assert became.value == outcome
    async with node.store.reading() as unit:
        marks = await checked_at(unit)
    assert bool(marks) == is_marked
    if outcome == "accepted":
        (item,) = await node.inbox()
        expected = format_time(START - age) if is_marked else None
        assert item_summary(item, marks=marks)["membership_checked_at"] == expected
        shown = await node.reader().show(message.id, contact_point="at.ncp", officer="Ana")
        assert shown["membership_checked_at"] == expected
        assert ("membership last checked" in body_text(shown)) == is_marked
