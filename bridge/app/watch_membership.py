"""Says in the log, once a day, what stands against the membership list: nobody need look at `status` to be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.checks.check_node import Check
from bridge.ports.clock import Clock

SAID_EVERY: Final = timedelta(days=1)

_log = structlog.get_logger()


@dataclass(slots=True)
class WatchMembership:
    """Looks at the checks; a state that is another one is said at once, the same one a day later."""

    checks: Callable[[], Sequence[Check]]
    clock: Clock
    _said: dict[str, tuple[str, datetime]] = field(default_factory=dict, init=False)

    async def look(self) -> None:
        """To be called every minute or so.

        Raises:
            UnavailableError: there is no list.
        """
        now = self.clock.now()
        for check in self.checks():
            before = self._said.get(check.name)
            if check.ok:
                if self._said.pop(check.name, None) is not None:
                    _log.info("membership.mended", name=check.name, detail=check.detail)
            elif before is None or before[0] != check.state or not timedelta(0) <= now - before[1] < SAID_EVERY:
                _log.warning("membership.alarm", name=check.name, state=check.state, detail=check.detail)
                self._said[check.name] = (check.state, now)
