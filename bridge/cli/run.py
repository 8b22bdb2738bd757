"""`ncp-bridge run`: the services of a node, until SIGTERM."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bridge.cli.options import Config
from bridge.compose.running import ROLES, roles_of, run_node
from bridge.core.errors import BadInputError
from bridge.settings import load_settings
from bridge.telemetry.logs import configure_logs

run_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@run_app.command("run")
def run(
    config: Config,
    role: Annotated[
        str | None, typer.Argument(help="publisher, subscriber, contact-point, console or api; all of them by default.")
    ] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written once every service is ready.")] = None,
) -> None:
    """Run a node's services until SIGTERM or Ctrl-C; what is running is finished first."""
    if role is not None and role not in ROLES:
        raise BadInputError("E_USAGE", f"run: found {role}, expected {', '.join(ROLES)} or nothing for all")
    configure_logs()
    settings = load_settings(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_node(settings, roles=(role,) if role else roles_of(settings), ready_file=ready_file))
