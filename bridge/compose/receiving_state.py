"""Whether the running processes have the broker, for a console that has no connection of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bridge.health.asking import ask_processes

_ABOUT_BROKER: Final = ": broker "


async def receives(folder: Path) -> bool:
    """Whether some process of the node is connected to the broker, and none has lost it."""
    about = [check.ok for check in await ask_processes(folder) if _ABOUT_BROKER in check.name]
    return bool(about) and all(about)
