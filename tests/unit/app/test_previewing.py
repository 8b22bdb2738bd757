"""Who would receive what is being written: asked of anything that is typed, and what is unusual about it is said."""

from __future__ import annotations

import pytest
from bridge_node import Node
from bridge_world import route_body

from bridge.app.desk.previewing import FEWEST_TO_COMPARE, PreviewRecipients
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.wire import strict_json


async def preview(node: Node, document: dict[str, object]) -> tuple[list[str], frozenset[str], int | None]:
    found = await PreviewRecipients(node.store, node.clock).preview(document, node.trust.current(), sender="rs.ncp")
    return [to.id for to in found.plan.recipients], found.never_written_to, found.most_so_far


def leg(start: object, end: object, **members: object) -> dict[str, object]:
    return {"from": {"country": start}, "to": {"country": end}, **members}


async def sent(node: Node, country: str) -> None:
    body = route_body() | {"legs": [leg("RS", country, confirmed=True)]}
    document = {"kind": "route_alert", "status": "actual", "urgency": "expected", "body": body}
    alert = read_alert_file(strict_json.encode(document))
    assert isinstance(alert, AlertFile)
    use_case = SubmitAlerts(node.sending())
    await use_case.sending.send(await use_case.prepare(alert, sender="rs.ncp"), sender="rs.ncp")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"legs": {}},
        {"legs": [None, "x", {}, leg("RS", None), leg("RS", "Austria"), leg(1, [])]},
        {"legs": [leg("RS", "ZZ")], "exploitation": "sexual", "victims": [None, {"age_band": []}]},
    ],
)
async def test_nothing_that_is_typed_breaks_it(node: Node, body: object) -> None:
    assert await preview(node, {"kind": "route_alert", "status": 1, "supersedes": [], "body": body}) == (
        [],
        set(),
        None,
    )


async def test_a_half_written_route_names_the_recipients_of_its_whole_legs(node: Node) -> None:
    # given a leg that is complete but for a crossing of one letter, and one that is not
    legs = [leg("RS", "HU", crossing_point="x"), {"from": {"country": "HU"}, "to": {}}]
    recipients, never, _ = await preview(node, {"kind": "route_alert", "body": {"legs": legs}})
    assert recipients == ["hu.ncp"]
    assert never == {"hu.ncp"}


async def test_a_country_that_was_written_to_before_is_not_marked(node: Node) -> None:
    await sent(node, "HU")
    recipients, never, _ = await preview(node, {"body": {"legs": [leg("RS", "HU"), leg("HU", "AT")]}})
    assert set(recipients) == {"at.ncp", "at.border-police", "hu.ncp"}
    assert never == {"at.ncp", "at.border-police"}


async def test_more_recipients_than_ever_are_said_once_there_is_enough_to_compare_with(node: Node) -> None:
    document: dict[str, object] = {"body": {"legs": [leg("RS", "HU"), leg("HU", "AT")]}}
    for _ in range(FEWEST_TO_COMPARE - 1):
        await sent(node, "HU")
    assert (await preview(node, document))[2] is None

    await sent(node, "HU")
    assert (await preview(node, document))[2] == 1


async def test_an_update_goes_to_whoever_received_the_thread(node: Node) -> None:
    await sent(node, "HU")
    async with node.store.reading() as unit:
        (message,) = await unit.ledger.list()
    document = {"kind": "alert_update", "supersedes": message.id, "body": {"legs": [leg("RS", "AT")]}}

    assert (await preview(node, document))[0] == ["at.border-police", "at.ncp", "hu.ncp"]
    assert (await preview(node, {**document, "kind": "alert_cancel"}))[0] == ["hu.ncp"]
