"""`ncp-bridge topology`: exchanges, queues and accounts on the broker."""

from __future__ import annotations

import asyncio

import typer

from bridge.cli.options import Config
from bridge.cli.output import Json, emit
from bridge.founding.topology import apply_topology
from bridge.settings import load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `apply` a command of its own while it is the only one."""


@app.command("apply")
def apply(config: Config, as_json: Json = False) -> None:
    """Put on the broker what this node needs: exchanges, queues, bindings; over the management API accounts too.

    Doing it again changes nothing, and nothing is ever deleted. The administrator's address is read from the file that
    `admin_url_file` in the settings names.
    """
    applied = asyncio.run(apply_topology([load_settings(config)]))
    data = {"exchanges": applied.exchanges, "queues": applied.queues, "accounts": applied.accounts}
    emit(
        data,
        as_json=as_json,
        text=lambda: (
            f"{applied.exchanges} exchanges, {applied.queues} queues, {applied.accounts} accounts are on the broker"
        ),
    )
