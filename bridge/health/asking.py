"""Asks the running processes of a node how they are, over the sockets in its folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.health.places import connect, found_roles

ANSWER_SECONDS: Final = 6.0  # a process answers within its own deadline of two
MOST_BYTES: Final = 1024**2
READYZ: Final = "/readyz"
CLOCK: Final = "/checks/clock"


async def ask_processes(folder: Path, path: str = READYZ) -> Sequence[Check]:
    """Every check of every process, as `<role>: <check>`; for one that does not answer, why.

    A socket without a process is one that ended without stopping: `not_running`. A process that was stopped takes its
    socket with it, and where there is none this is empty.
    """
    answers = await asyncio.gather(*(asyncio.to_thread(_ask, folder, role, path) for role in found_roles(folder)))
    return [check for answer in answers for check in answer]


def _ask(folder: Path, role: str, path: str) -> Sequence[Check]:
    connection = HTTPConnection("localhost", timeout=ANSWER_SECONDS)
    try:
        connection.sock = connect(folder, role, seconds=ANSWER_SECONDS)
        connection.request("GET", path, headers={"Connection": "close"})
        return _checks(role, json.loads(connection.getresponse().read(MOST_BYTES)))
    except ConnectionRefusedError:
        detail = "it ended without having been stopped, and does not run now"
        return [Check(f"{role}: process", ok=False, detail=detail, state=states.NOT_RUNNING)]
    except FileNotFoundError:
        return []  # it has just stopped
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return [Check(f"{role}: process", ok=False, detail="it does not answer", state=states.NO_ANSWER)]
    finally:
        connection.close()


def _checks(role: str, answer: Any) -> Sequence[Check]:  # noqa: ANN401 - JSON of our own process, looked at here
    return [
        Check(f"{role}: {item['name']}", ok=item["ok"] is True, detail=str(item["detail"]), state=str(item["state"]))
        for item in answer["checks"]
    ]
