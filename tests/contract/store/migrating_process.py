"""A process that migrates a database and stops in the middle, to be killed there: argument 1 is the URL, 2 the number
of the changing statement after which it stops. Without the second it says how many there were."""

from __future__ import annotations

import asyncio
import sys
import time

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from bridge.adapters.store.schema import migrate

CHANGING = ("ALTER", "CREATE", "DROP", "UPDATE", "INSERT", "DELETE")
changed = 0


def after(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    global changed  # noqa: PLW0603 - the one thing that this process counts
    if statement.lstrip().upper().startswith(CHANGING):
        changed += 1
        if len(sys.argv) > 2 and changed == int(sys.argv[2]):
            print("stopped", flush=True)  # noqa: T201 - whoever kills us waits for it
            time.sleep(60)


event.listen(Engine, "after_cursor_execute", after)
asyncio.run(migrate(sys.argv[1]))
print(changed, flush=True)  # noqa: T201 - the answer
