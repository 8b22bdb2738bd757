"""How a running process is: each thing it depends on is looked at when somebody asks, and none can hold up the answer.

A look that takes too long goes on, and the answer says that there is none yet; whoever asks next waits for the same
look instead of beginning another. A finding is told again for a second: many who ask cost no more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.operating.figures import Figure
from bridge.core.errors import BridgeError

DEADLINE_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 1.0
PROCESS: Final = "process"
_PHASES: Final = {
    states.STARTING: "not every service has begun",
    states.RUNNING: "every service has begun",
    states.DRAINING: "asked to stop; finishes what is in work, takes nothing new",
}

Look = Callable[[], Awaitable[Check]]


class ProcessHealth:
    """The checks of one process.

    Attributes:
        role: what it runs: `publisher`, `subscriber`, `contact-point`, or `all`.
        figures: gathers what a monitoring system reads; `None` until there is a database to read from.
        phase: `starting`, `running` or `draining`; it is ready in the second only.
    """

    def __init__(self, role: str, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self.role, self.phase = role, states.STARTING
        self.figures: Callable[[], Awaitable[Sequence[Figure]]] | None = None
        self._deadline_seconds = deadline_seconds
        self._looks: dict[str, tuple[Look, str]] = {}
        self._running: dict[str, asyncio.Task[Check]] = {}
        self._found_at: dict[str, float] = {}

    def watch(self, name: str, look: Look, *, late: str = states.NO_ANSWER) -> None:
        """Adds a check; `late` is its state while the look does not answer in time."""
        self._looks[name] = (look, late)

    def begin(self) -> None:
        """Every service has begun."""
        if self.phase == states.STARTING:
            self.phase = states.RUNNING

    async def run(self, stop: asyncio.Event) -> None:
        """Runs beside the services, to know when they drain."""
        await stop.wait()
        self.phase = states.DRAINING

    async def checks(self) -> list[Check]:
        """All checks, the process's own first."""
        return [self._process(), *await asyncio.gather(*(self._answer(name) for name in self._looks))]

    async def check(self, name: str) -> Check | None:
        """One check; `None` when there is none of this name."""
        if name == PROCESS:
            return self._process()
        return await self._answer(name) if name in self._looks else None

    async def close(self) -> None:
        """Gives up the looks that have not answered."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _process(self) -> Check:
        return Check(PROCESS, ok=self.phase == states.RUNNING, detail=_PHASES[self.phase], state=self.phase)

    async def _answer(self, name: str) -> Check:
        look, late = self._looks[name]
        now, task = asyncio.get_running_loop().time(), self._running.get(name)
        if task is None or (task.done() and now - self._found_at.get(name, 0.0) >= FRESH_SECONDS):
            task = self._running[name] = asyncio.create_task(self._look(name, look), name=f"look at {name}")
        done, _ = await asyncio.wait({task}, timeout=self._deadline_seconds)
        if not done:
            return Check(name, ok=False, detail=f"no answer within {self._deadline_seconds:.0f} s", state=late)
        return task.result()

    async def _look(self, name: str, look: Look) -> Check:
        try:
            return await look()
        except BridgeError as error:
            return Check.failed(name, error)
        except Exception as error:  # noqa: BLE001 - whoever asks is told that something is wrong, never its words
            return Check(name, ok=False, detail=f"a fault: {type(error).__name__}", state=states.SERVICE_FAULTY)
        finally:
            self._found_at[name] = asyncio.get_running_loop().time()
