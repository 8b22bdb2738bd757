"""Asking a node how it is, as an operator does, and waiting until it is as expected."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from bridge.cli.main import main_status
from bridge.health.asking import ask_processes

if TYPE_CHECKING:
    from pathlib import Path

    from service_world import World

    from bridge.app.checks.check_node import Check

SECONDS = 30.0


def use_postgres(config: Path, url: str) -> None:
    """Has a node keep everything in a PostgreSQL."""
    parts = make_url(url)
    password = config.parent / "secrets" / "database.password"
    password.touch(mode=0o600)
    password.write_text(parts.password or "")
    database = f"postgresql://{parts.username}@{parts.host}:{parts.port}/{parts.database}"
    settings = config.read_text("utf-8").replace('database = "sqlite:///node.db"', f'database = "{database}"')
    config.write_text('database_password_file = "secrets/database.password"\n' + settings, "utf-8")


async def failing(world: World, prefix: str) -> dict[str, str]:
    """What the running processes say is not well: check -> state."""
    checks = await ask_processes(world.configs[prefix].parent)
    return {check.name: check.state for check in checks if not check.ok}


async def until_failing(world: World, prefix: str, name: str, state: str) -> Check:
    """Waits until a check whose name begins so has this state."""
    found: list[Check] = []
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                found = list(await ask_processes(world.configs[prefix].parent))
                for check in found:
                    if check.name.startswith(name) and check.state == state:
                        assert not check.ok
                        return check
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError((name, state, found)) from None


async def until_ready(world: World, prefix: str) -> None:
    """Waits until every check of every process is well, and there is one."""
    found: list[Check] = []
    try:
        async with asyncio.timeout(SECONDS):
            while not (found and all(check.ok for check in found)):
                await asyncio.sleep(0.1)
                found = list(await ask_processes(world.configs[prefix].parent))
    except TimeoutError:
        raise AssertionError([check for check in found if not check.ok]) from None


async def status(config: Path, *command: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the answer of `ncp-bridge status --json`, or of another command."""

    def ask() -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = main_status([*(command or ("status",)), "--json", "--config", str(config)])
        return code, out.getvalue()

    code, told = await asyncio.to_thread(ask)
    return code, json.loads(told)


async def states_in_status(config: Path) -> dict[str, str]:
    """Check -> state, for every check of `ncp-bridge status` that fails."""
    _, answer = await status(config)
    return {check["name"]: check["state"] for check in answer["checks"] if not check["ok"]}
