"""The course of one demonstration: alerts out, forgers in, officers answer, figures; then visitors, if any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.cli.output import emit_line, say
from bridge.compose.node import Node
from bridge.core.ids import prefix_of
from demo.consoles import Consoles
from demo.figures import Figures, count
from demo.forgers import forge, inject
from demo.guide import as_guide
from demo.live_alerts import keep_alerts_coming
from demo.officers import Sent, on_duty, open_countries, submit_samples
from demo.processes import running_countries
from demo.report import as_json, as_text, is_complete
from demo.story import Story
from demo.visitors import let_in, make_visitors

COMPLETE_SECONDS: Final = 60.0
ROUND_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One run over countries that are set up already.

    Attributes:
        configs: the countries' settings files by prefix.
        consoles: stay up after the table, with these for looking around; `None`: end then.
    """

    configs: Mapping[str, Path]
    story: Story
    consoles: Consoles | None
    as_json: bool

    async def run(self) -> int:
        """Exit status 0 when everything arrived, was confirmed and answered, and everything forged was refused."""
        self.story.note(f"starting {len(self.configs)} countries, each in a process of its own")
        environments = self.consoles.environments if self.consoles else {}
        async with (
            running_countries(self.configs, environments),
            open_countries(self.configs) as nodes,
        ):
            async with on_duty(nodes):
                is_whole = await self._send_everything(nodes)
            if self.consoles:
                await self._stay_up(self.consoles, nodes)
        return 0 if is_whole else 1

    async def _send_everything(self, nodes: Mapping[str, Node]) -> bool:
        """Samples and forgeries, until all is done, and the figures: whether they are what they should be."""
        sent = []
        async for one in submit_samples(nodes):
            self.story.published(one)
            sent.append(one)
            self.story.tell(self._databases)
        injected = await self._forge(nodes, sent)
        figures = await self._until_complete(injected)
        seconds = self.story.seconds
        if self.as_json:
            emit_line(as_json(figures, seconds=seconds, injected=injected))
        else:
            say("")
            print(as_text(figures, seconds=seconds, injected=injected), flush=True)
        return is_complete(figures, injected=injected)

    @property
    def _databases(self) -> Mapping[str, Path]:
        return {prefix: config.parent / "node.db" for prefix, config in self.configs.items()}

    async def _forge(self, nodes: Mapping[str, Node], sent: list[Sent]) -> int:
        """With one member's keys and account, once its alert has arrived at the victim: some forgeries answer to it."""
        stolen = next(one for one in sent if len({prefix_of(to) for to in one.submitted.recipients}) > 1)
        victim = stolen.submitted.recipients[0]
        other = next(to for to in stolen.submitted.recipients if prefix_of(to) != prefix_of(victim))
        thief = nodes[prefix_of(stolen.sample.sender)]
        await self._until_arrived(nodes[prefix_of(victim)], stolen.submitted.id)
        forgeries = forge(thief, victim=victim, other=other, sent=stolen)
        self.story.note(
            f"injecting {len(forgeries)} forged or malformed messages with the stolen keys of {thief.settings.country}"
        )
        await inject(thief, forgeries)
        return len(forgeries)

    async def _until_arrived(self, node: Node, message_id: str) -> None:
        async with asyncio.timeout(COMPLETE_SECONDS):
            while True:
                async with node.store.reading() as unit:
                    if await unit.inbox.get(message_id):
                        return
                await asyncio.sleep(ROUND_SECONDS)

    async def _until_complete(self, injected: int) -> Figures:
        deadline = time.monotonic() + COMPLETE_SECONDS
        while True:
            self.story.tell(self._databases)
            figures = count(self._databases)
            if is_complete(figures, injected=injected) or time.monotonic() > deadline:
                self.story.tell(self._databases)
                return figures
            await asyncio.sleep(ROUND_SECONDS)

    async def _stay_up(self, consoles: Consoles, nodes: Mapping[str, Node]) -> None:
        """Until it is cancelled; where a visitor is on duty, nobody else answers."""
        visitors = make_visitors()
        await let_in(visitors, nodes)
        say(as_guide(consoles.addresses, visitors, config=self.configs[visitors[0].prefix]))
        others = consoles.without_visitors(nodes)
        async with on_duty(others):
            await keep_alerts_coming(others, to=consoles.ports)
            await asyncio.Event().wait()
