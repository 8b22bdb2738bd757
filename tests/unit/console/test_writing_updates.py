"""Updates and cancellations in the form: as real as what they replace, and open whatever they name."""

from __future__ import annotations

import re

import pytest
from test_writing_pages import LEAST, begun
from writing_world import Desk, Officer
from writing_world import desk as desk  # noqa: PLC0414 - a fixture


async def sent(desk: Desk, status: str) -> tuple[Officer, str]:
    """An officer who sent an alert, and its id."""
    ana = await begun(desk)
    await ana.send(do="emergency", status=status, reason="Nobody else is on duty.", **LEAST)
    found = re.search(r"/message/rs.ncp/([0-9a-f-]+)", ana.page)
    assert found is not None
    return ana, found[1]


@pytest.mark.parametrize("kind", ["update", "cancel"])
@pytest.mark.parametrize(("status", "other"), [("actual", "exercise"), ("exercise", "actual")])
async def test_the_form_does_not_ask_whether_it_is_real(desk: Desk, kind: str, status: str, other: str) -> None:
    # given an update or a cancellation of an alert
    ana, message_id = await sent(desk, status)
    answer = await ana.press(f"/sent/{message_id}/{kind}")
    await ana.open(answer.headers["location"])
    assert 'name="status"' not in ana.page

    # when a crafted form says something else
    more = {"body__change_summary": "To Graz"} if kind == "update" else {"body__reason": "disrupted"}
    await ana.send(do="submit", status=other, **more)

    # then it is what the alert is
    draft_id = str(ana.answer.url.path).rsplit("/", 1)[1]
    async with desk.node.store.reading() as unit:
        record = await unit.drafts.get(draft_id)
    assert record is not None
    assert record.state == "submitted"
    assert desk.drafts.opened(record).written.document["status"] == status


async def test_a_draft_that_replaces_nothing_of_ours_opens_and_is_not_sent(desk: Desk) -> None:
    ana = await begun(desk)
    await ana.send(do="save", supersedes="0193e4ac-86b2-7cc0-8000-000000000001", kind="alert_update", **LEAST)
    assert ana.answer.status_code == 200
    assert ("body.title", "A coach to Vienna") in ana.fields()

    answer = await ana.send(do="submit", body__change_summary="To Graz")
    assert answer.status_code == 422
    assert await desk.node.new_rows() == []
    assert str((await ana.send(do="discard")).url.path) == "/compose"
