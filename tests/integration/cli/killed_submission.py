"""A process that submits an alert over the HTTP interface, and is killed at a moment that its caller names.

Arguments: the node's settings, a token, an Idempotency-Key, and the moment: `before-key`, `before-commit` or
`before-answer`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cli_commands import ALERT
from http_world import interface

from bridge.adapters.store.systems import SqlSystems
from bridge.app.integrating.submit_once import SubmitOnce


def killed(before: Callable[..., Awaitable[Any]] | None) -> Callable[..., Awaitable[Any]]:
    async def instead(*arguments: object, **named: object) -> None:
        if before is not None:
            await before(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return instead


async def main(config: str, token: str, key: str, moment: str) -> None:
    if moment == "before-answer":
        SubmitOnce.submit = killed(SubmitOnce.submit)  # type: ignore[method-assign]
    else:
        note = None if moment == "before-key" else SqlSystems.note_submission
        SqlSystems.note_submission = killed(note)  # type: ignore[method-assign]
    submission = {"officer": "D. Petrović", "alert": json.loads(ALERT.read_text("utf-8"))}
    async with interface(Path(config)) as here:
        await here.with_token(token).post("/messages", json=submission, headers={"idempotency-key": key})


asyncio.run(main(*sys.argv[1:]))
