"""Restores a backup again and again, and dies on the way: arguments are the URL and the backup's file.

Each line on standard input is the number of the step at which the next restore ends by SIGKILL. A step is a call that
changes the disk or the database, or the start of a program that does. Each is a process forked from this one, which has
imported everything. The answer is a line with how it ended: -9, or 0 when there are not so many steps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from bridge.adapters.store import backup_postgres
from bridge.adapters.store.backup import read_backup, restore
from bridge.adapters.store.renewal import Restoring

CALLS = ("link", "rename", "unlink", "fsync")
URL, BACKUP = sys.argv[1], Path(sys.argv[2])
steps_left = 0


def step(*_: object) -> None:
    global steps_left  # noqa: PLW0603 - the one thing that a process counts
    steps_left -= 1
    if steps_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def counted(call: Callable[..., Any]) -> Callable[..., Any]:
    def calling(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and answers
        step()
        return call(*arguments, **named)

    return calling


def before(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")):
        step()


def restore_once() -> None:
    restoring = Restoring(datetime.now(UTC), "Ana", {})
    scratch = BACKUP.with_name("scratch")
    asyncio.run(restore(URL, read_backup(BACKUP), restoring, scratch=scratch, progress=lambda *_: None))


for name in CALLS:
    setattr(os, name, counted(getattr(os, name)))
backup_postgres._run = counted(backup_postgres._run)
event.listen(Engine, "before_cursor_execute", before)
event.listen(Engine, "commit", step)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        steps_left = int(line)
        restore_once()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer
