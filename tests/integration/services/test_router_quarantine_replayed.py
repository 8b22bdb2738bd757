"""What a router refused is replayed through the broker: into the contact point's inbox, and its receipt returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service_world import eventually, until

from bridge.adapters.store.schema import migrate
from bridge.app.quarantine.picking import Selection, pick
from bridge.app.receiving.refusing import quarantine, refusal_of
from bridge.compose.working_quarantine import replaying
from bridge.core import broker_names as names
from bridge.core.errors import VerificationError
from bridge.core.verification import Hints
from bridge.ports.broker import Delivery

if TYPE_CHECKING:
    from service_world import World


async def test_a_replay_beside_the_running_node_delivers_it_once(world: World) -> None:
    # given: a message that Austria's router refused when it did not know the key, and nobody else has
    for prefix in ("rs", "at"):
        await migrate(world.settings(prefix).database_url)
    (sent,) = await world.submit()
    async with world.node("rs") as node, node.store.reading() as unit:
        message = await unit.ledger.get(sent.id)
    assert message is not None
    hints = Hints(
        correlation_id=sent.id,
        type="route_alert",
        app_id="rs.ncp",
        routing_key=names.alert_key("rs", "at", lane="normal", kind="route_alert"),
    )
    delivery = Delivery(1, "country.at.normal", message.wire_bytes, hints, redelivered=False)
    error = VerificationError(6, "E_KEY_UNKNOWN", "no such key then")
    async with world.node("at") as node, node.store.writing() as unit:
        refusal = refusal_of(delivery, error, contact_point=None, at=node.clock.now(), ids=node.ids)
        await quarantine(unit, [refusal])

    async with world.running("at"):
        # when
        async with world.node("at") as node:
            items = await pick(node.store, Selection())
            async with replaying(node, items) as replay:
                (done,) = await replay.replay(items, actor="Duty officer", progress=lambda _: None)

        # then
        async def has_arrived() -> bool:
            return await world.inbox() == [sent.id]

        assert done.fate.value == "handed_on"
        await eventually(has_arrived)
        assert await world.refused("at") == []
        async with world.running("rs"):
            await until(world, sent.id, "delivered")
            assert await world.inbox() == [sent.id]
