"""What people do: submit the sample alerts, acknowledge what arrives; by the same use cases as the command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.app.sending.send import Draft, Submitted
from bridge.app.sending.submit import alert_of
from bridge.compose.node import Node, open_node
from bridge.core.ids import prefix_of
from bridge.core.wire import strict_json
from bridge.settings import load_settings

ROUND_SECONDS: Final = 0.3
SAMPLES: Final = Path(__file__).parent.parent / "examples" / "alerts"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample alert: its file, who sends it, and the file of the version it replaces."""

    file: str
    sender: str
    supersedes: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A sample that was submitted, with the plan behind it."""

    sample: Sample
    draft: Draft
    submitted: Submitted


def samples() -> list[Sample]:
    """The samples in the order in which they are sent."""
    entries = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))
    return [Sample(entry["file"], entry["from"], entry.get("supersedes")) for entry in entries]


@asynccontextmanager
async def open_countries(configs: Mapping[str, Path]) -> AsyncIterator[Mapping[str, Node]]:
    """The countries' nodes by prefix, for their officers; the services run elsewhere."""
    async with AsyncExitStack() as stack:
        yield {
            prefix: await stack.enter_async_context(open_node(load_settings(config)))
            for prefix, config in configs.items()
        }


async def submit_samples(nodes: Mapping[str, Node]) -> AsyncIterator[Sent]:
    """Submits every sample from its own country; an update names the version that was really sent."""
    ids: dict[str, str] = {}
    for sample in samples():
        replaced = {} if sample.supersedes is None else {"supersedes": ids[sample.supersedes]}
        sent = await send(sample, await prepare(sample, nodes, **replaced), nodes)
        ids[sample.file] = sent.submitted.id
        yield sent


async def prepare(sample: Sample, nodes: Mapping[str, Node], **instead: str) -> Draft:
    """A sample as its sender's draft, with these members instead of the file's."""
    members = {**strict_json.parse_object((SAMPLES / sample.file).read_bytes()), **instead}
    submitting = await nodes[prefix_of(sample.sender)].submitting()
    return await submitting.prepare(alert_of(strict_json.encode(members)), sender=sample.sender)


async def send(sample: Sample, draft: Draft, nodes: Mapping[str, Node]) -> Sent:
    """Submits the draft."""
    submitting = await nodes[prefix_of(sample.sender)].submitting()
    return Sent(sample, draft, await submitting.sending.send(draft, sender=sample.sender))


@asynccontextmanager
async def on_duty(nodes: Mapping[str, Node]) -> AsyncIterator[None]:
    """The duty officers of all countries, at work for the length of the block."""
    shift = asyncio.create_task(_shift(nodes))
    try:
        yield
    finally:
        shift.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shift


async def _shift(nodes: Mapping[str, Node]) -> None:
    while True:
        for prefix, node in nodes.items():
            await _acknowledge_arrivals(node, officer=f"Duty officer {prefix.upper()}")
        await asyncio.sleep(ROUND_SECONDS)


async def _acknowledge_arrivals(node: Node, *, officer: str) -> None:
    """Whatever is new and wants an answer is accepted."""
    async with node.store.reading() as unit:
        waiting = [item for item in await unit.inbox.list(state="new") if item.acknowledge_by is not None]
    if not waiting:
        return
    acknowledging = await node.acknowledging()
    for listed in waiting:
        item = await node.reading.item(listed.id, contact_point=listed.contact_point)
        await acknowledging.acknowledge(item, level="accepted", officer=officer)
