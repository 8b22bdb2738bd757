"""`ncp-bridge queues`: what the broker holds for this node, and what waits in its own outbox."""

from __future__ import annotations

import typer

from bridge.app.checks.durations import span_in_words
from bridge.app.operating.queues import QueuesSeen
from bridge.cli.options import Config, on_node
from bridge.cli.output import Json, emit, table
from bridge.compose.node import Node
from bridge.compose.queue_figures import looking_at_queues
from bridge.core.errors import UnavailableError

queues_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@queues_app.command("queues")
def queues(config: Config, as_json: Json = False) -> None:
    """Ready, in work, consumers and rates of this node's queues; what waits in its outbox, and for how long."""

    async def work(node: Node) -> QueuesSeen:
        await node.trust.refresh()
        return await looking_at_queues(node).look()

    seen = on_node(config, work)
    emit(seen.as_json, as_json=as_json, text=lambda: _text(seen))
    if seen.fault is not None:
        raise typer.Exit(UnavailableError.exit_status)


def _text(seen: QueuesSeen) -> str:
    parts = []
    if seen.fault is not None:
        parts.append(f"the broker was not asked: {seen.fault.code}: {seen.fault.message}")
    else:
        columns = ("queue", "ready", "in work", "consumers", "in/s", "out/s")
        rows = [
            [one.name, one.ready, one.unacknowledged, one.consumers, one.in_per_second, one.out_per_second]
            for one in seen.queues
        ]
        parts.append(table(columns, rows))
        if not seen.is_complete:
            parts.append("in work and rates: only with [broker] monitor_url_file (docs/operations.md)")
    rows = [
        [one.destination, one.lane, one.count, span_in_words(seen.at - one.oldest), one.last_error]
        for one in seen.waiting
    ]
    parts.append(
        table(("waiting for", "lane", "count", "oldest", "last error"), rows) if rows else "nothing waits in the outbox"
    )
    return "\n\n".join(parts)
