"""Whether events get to the webhooks of national systems."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.core.times import format_time
from bridge.ports.store import Store
from bridge.ports.store.webhooks import WebhookRecord


async def check_webhooks(store: Store, *, contact_points: Collection[str]) -> Sequence[Check]:
    """One finding where there are webhooks; it fails while one is disabled, until somebody enables or removes it."""
    async with store.reading() as unit:
        found = await unit.webhooks.list(contact_points)
        said = [_said(one, await unit.webhooks.waiting(one.id)) for one in found]
    if not found:
        return ()
    if any(one.disabled_at is not None for one in found):
        return [Check("webhooks", ok=False, detail="; ".join(said), state=states.WEBHOOK_DISABLED)]
    return [Check("webhooks", ok=True, detail="; ".join(said))]


def _said(webhook: WebhookRecord, waiting: int) -> str:
    if webhook.disabled_at is not None:
        return f"{webhook.id}: disabled at {format_time(webhook.disabled_at)}, {webhook.reason}"
    failing = f", fails since {format_time(webhook.failing_since)}" if webhook.failing_since else ""
    return f"{webhook.id}: {waiting} waiting{failing}"
