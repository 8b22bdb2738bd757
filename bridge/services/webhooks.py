"""The loop of webhooks: follow what happens, post what is due to many at once, let none hold up another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from bridge.app.integrating.deliver_webhooks import DeliverWebhooks
from bridge.app.integrating.follow_webhooks import FollowWebhooks
from bridge.core.errors import UnavailableError
from bridge.services.faults import log_fault

LOOK_SECONDS: Final = 0.2
TROUBLE_SECONDS: Final = 2.0
MOST_AT_ONCE: Final = 16
MOST_FAILING_AT_ONCE: Final = 8  # of these: whoever hangs never has all places

_log = structlog.get_logger()


@dataclass(slots=True)
class WebhookService:
    """Runs until it is stopped; the attempts in flight are finished then."""

    following: FollowWebhooks
    delivering: DeliverWebhooks
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)  # something more may be due, or the end
    _running: dict[str, bool] = field(default_factory=dict, init=False)  # webhook -> whether it failed last

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        told = ""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake_at(stop))
            while not stop.is_set():
                seconds = LOOK_SECONDS
                self._wake.clear()
                try:
                    has_any = await self.following.follow()
                    for webhook_id, fails in await self.delivering.ready() if has_any else ():
                        self._begin(group, webhook_id, fails, stop)
                    told = ""
                except UnavailableError as error:
                    if error.code != told:
                        _log.warning("webhooks.unavailable", code=error.code, detail=error.message)
                    told, seconds = error.code, TROUBLE_SECONDS
                except Exception as error:  # noqa: BLE001 - a service that ends takes the whole process with it
                    log_fault("webhooks", error)
                    seconds = TROUBLE_SECONDS
                if not stop.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(seconds):
                            await self._wake.wait()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    def _begin(self, group: asyncio.TaskGroup, webhook_id: str, fails: bool, stop: asyncio.Event) -> None:  # noqa: FBT001
        failing = sum(self._running.values())
        if webhook_id in self._running or len(self._running) >= MOST_AT_ONCE:
            return
        if fails and failing >= MOST_FAILING_AT_ONCE:
            return
        self._running[webhook_id] = fails
        group.create_task(self._serve(webhook_id, stop))

    async def _serve(self, webhook_id: str, stop: asyncio.Event) -> None:
        try:
            await self.delivering.serve(webhook_id, lambda: not stop.is_set())
        except UnavailableError as error:
            _log.warning("webhooks.unavailable", name=webhook_id, code=error.code, detail=error.message)
        except Exception as error:  # noqa: BLE001 - as above; the lease of this webhook ends by itself
            log_fault("webhooks", error)
        finally:
            del self._running[webhook_id]
            self._wake.set()
