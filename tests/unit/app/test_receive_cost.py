"""What receiving costs the database: a number of statements that does not grow with the batch."""

from __future__ import annotations

from bridge_node import Node
from bridge_world import alert, update_body
from sqlalchemy import event

ACCEPTING = 13  # BEGIN, replays, items (3), what is remembered, numbers (4), receipts (2), audit


async def test_a_batch_costs_the_same_number_of_statements_however_long_it_is(node: Node) -> None:
    # given a stream of numbers that has begun, and an original
    original, receiver = alert(), node.receiver("at.ncp")
    await receiver.receive([original.delivery(to="at.ncp")])
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(node.store._engine.sync_engine, "before_cursor_execute", note)

    # when batches of 10 and of 100 arrive, then both cost the same
    for size in (10, 100):
        statements.clear()
        await receiver.receive([alert().delivery(to="at.ncp") for _ in range(size)])
        assert len(statements) == ACCEPTING

    # and updates two more: who began their threads, asked for once
    statements.clear()
    updates = [alert(kind="alert_update", body=update_body(original), thread=original.id) for _ in range(20)]
    await receiver.receive([update.delivery(to="at.ncp") for update in updates])
    assert len(statements) == ACCEPTING + 2
