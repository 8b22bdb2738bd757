"""Ways for a service to die or to err at a chosen point. They live here; the product knows nothing of them.

A hook is armed by a file of its name in the folder that `NCP_CHAOS` names; it fires once, at the next time that the
process comes by, and takes the file away. Without the variable nothing is patched at all.

The points: `before-commit` inside a transaction; `before-acknowledge` between commit and acknowledgement;
`before-publish` between lease and publish; `before-mark` between the broker's confirm and the mark in the outbox;
`in-migration` between two operations of a migration. The clock is offset by the seconds in the file `clock`.

A mutant (`NCP_CHAOS_MUTANT`) does two steps in the wrong order; its points lie between the same two steps.
The proof of no gap is off in it: it would mend the loss a minute later.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

FOLDER_VARIABLE: Final = "NCP_CHAOS"
MUTANT_VARIABLE: Final = "NCP_CHAOS_MUTANT"
BEFORE_COMMIT: Final = "before-commit"
BEFORE_ACKNOWLEDGE: Final = "before-acknowledge"
BEFORE_PUBLISH: Final = "before-publish"
BEFORE_MARK: Final = "before-mark"
IN_MIGRATION: Final = "in-migration"
CLOCK: Final = "clock"
ACKNOWLEDGE_FIRST: Final = "acknowledge-first"
MARK_FIRST: Final = "mark-first"
MUTANTS: Final = (ACKNOWLEDGE_FIRST, MARK_FIRST)
ALERT: Final = "route_alert"  # a mutant dies over one, not over a receipt: what is lost is then an alert
FLUSH_SECONDS: Final = 0.3  # what is written is on its way when the process dies


class Arms:
    """The armed points of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, point: str) -> str:
        """The file that arms a point."""
        return os.path.join(self._folder, point)  # noqa: PTH118 - asked for at every batch

    def is_armed(self, point: str) -> bool:
        """Whether the process dies here, the next time."""
        return os.path.exists(self.path(point))  # noqa: PTH110 - asked for at every batch

    def die_if_armed(self, point: str) -> None:
        """Dies as by `kill -9`, where the point is armed."""
        if self.is_armed(point):
            os.unlink(self.path(point))  # noqa: PTH108 - goes with the above
            os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Patches this process as its environment says."""
    folder, mutant = os.environ.get(FOLDER_VARIABLE), os.environ.get(MUTANT_VARIABLE)
    if not folder:
        return
    from bridge.adapters.amqp.consumer import AmqpConsumer  # noqa: PLC0415 - nothing is loaded where nothing is armed
    from bridge.adapters.amqp.publisher import AmqpPublisher  # noqa: PLC0415
    from bridge.adapters.store.outbox import SqlOutbox  # noqa: PLC0415
    from bridge.adapters.store.transaction import Transaction  # noqa: PLC0415

    arms = Arms(Path(folder))
    _die_before(Transaction, "check", BEFORE_COMMIT, arms)
    _die_before(AmqpPublisher, "publish", BEFORE_PUBLISH, arms)
    if mutant == ACKNOWLEDGE_FIRST:
        _acknowledge_first(arms)
    else:
        _die_before(AmqpConsumer, "acknowledge", BEFORE_ACKNOWLEDGE, arms)
    if mutant == MARK_FIRST:
        _mark_first(arms)
    else:
        _die_before(SqlOutbox, "mark_sent", BEFORE_MARK, arms)
    if mutant:
        _ask_for_nothing()
    _die_in_migration(arms)
    _offset_clock(Path(folder) / CLOCK)


def _die_before(owner: type, method: str, point: str, arms: Arms) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def hooked(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
        arms.die_if_armed(point)
        return original(*arguments, **named)

    setattr(owner, method, hooked)


def _acknowledge_first(arms: Arms) -> None:
    from bridge.services.consuming import ConsumingService  # noqa: PLC0415

    original: Callable[..., Awaitable[int]] = ConsumingService._settle

    async def settle(self: ConsumingService, consumer: Any, batch: Sequence[Any]) -> int:  # noqa: ANN401 - passed on
        await consumer.acknowledge(batch)
        if arms.is_armed(BEFORE_ACKNOWLEDGE) and any(delivery.hints.type == ALERT for delivery in batch):
            await asyncio.sleep(FLUSH_SECONDS)
            arms.die_if_armed(BEFORE_ACKNOWLEDGE)
        return await original(self, consumer, batch)

    ConsumingService._settle = settle  # type: ignore[method-assign]  # that is what a mutant is


def _mark_first(arms: Arms) -> None:
    from bridge.app.sending.relay_outbox import RelayOutbox  # noqa: PLC0415

    original: Callable[..., Awaitable[int]] = RelayOutbox._publish

    async def publish(self: RelayOutbox, rows: Sequence[Any], token: str) -> int:
        await self._mark_sent(rows, token)
        if any(row.kind == ALERT for row in rows):
            arms.die_if_armed(BEFORE_MARK)
        return await original(self, rows, token)

    RelayOutbox._publish = publish  # type: ignore[method-assign]  # that is what a mutant is


def _ask_for_nothing() -> None:
    """The proof of no gap would mend after a minute what the mutant has lost."""
    from bridge.app.no_gap.ask_for_missing import AskForMissing  # noqa: PLC0415

    async def ask(_: AskForMissing) -> int:
        return 0

    AskForMissing.ask = ask  # type: ignore[method-assign,assignment]  # a hook


def _die_in_migration(arms: Arms) -> None:
    """Dies after as many operations as the file says: `create_table`, `add_column` and the like."""
    from alembic.operations import Operations  # noqa: PLC0415

    original = Operations.invoke
    seen = 0

    def invoke(self: Operations, operation: Any) -> Any:  # noqa: ANN401 - passed on
        nonlocal seen
        result = original(self, operation)
        seen += 1
        path = Path(arms.path(IN_MIGRATION))
        if path.exists() and seen >= int(path.read_text() or "1"):
            arms.die_if_armed(IN_MIGRATION)
        return result

    Operations.invoke = invoke  # type: ignore[method-assign,assignment]  # a hook


def _offset_clock(file: Path) -> None:
    from bridge.adapters.system import SystemClock  # noqa: PLC0415

    original, path = SystemClock.now, str(file)

    def now(self: SystemClock) -> datetime:
        try:
            with open(path, encoding="ascii") as offset:  # noqa: PTH123 - asked for at every look at the clock
                return original(self) + timedelta(seconds=float(offset.read() or "0"))
        except FileNotFoundError:
            return original(self)

    SystemClock.now = now  # type: ignore[method-assign]  # a hook
