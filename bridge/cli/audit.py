"""`ncp-bridge audit`: the log of who did what, and whether it is as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.audit.chain import ChainChecked, CheckAudit, chain_key
from bridge.cli.options import Config, Limit, on_node
from bridge.cli.output import Json, emit, say, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.errors import BridgeError
from bridge.core.times import format_time
from bridge.ports.store.records import AuditEntry

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
ROWS_BETWEEN_WORDS = 50_000


@app.command("list")
def list_entries(
    config: Config,
    subject: Annotated[str | None, typer.Option(help="Only this message, account or subject.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, for instance body.read.")] = None,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """List the newest entries. They hold no word of a message."""

    async def work(node: Node) -> list[AuditEntry]:
        async with node.store.reading() as unit:
            return list(await unit.audit.list(subject=subject, action=action, limit=limit))

    told = [_told(entry) for entry in on_node(config, work)]
    columns = ("at", "actor", "action", "contact_point", "subject")
    rows = [[moment(one["at"]), *(one[name] for name in columns[1:])] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def verify(config: Config, as_json: Json = False) -> None:
    """Walk the chain of seals from its beginning; exit status 1 where it does not hold."""

    async def work(node: Node) -> ChainChecked:
        said = 0

        def progress(rows: int) -> None:
            nonlocal said
            if rows - said >= ROWS_BETWEEN_WORDS:
                said = rows
                say(f"{rows} entries hold")

        return await CheckAudit(node.store, chain_key(node.machine_secret())).check(progress)

    found = on_node(config, work)
    data = {
        "ok": found.broken_behind is None,
        "sealed": found.sealed,
        "unsealed": found.unsealed,
        "broken_behind": found.broken_behind,
        "last_seal": found.last,
    }
    emit(data, as_json=as_json, text=lambda: _text(found))
    raise typer.Exit(0 if found.broken_behind is None else BridgeError.exit_status)


def _text(found: ChainChecked) -> str:
    if found.broken_behind is not None:
        return f"the chain does not hold behind entry {found.broken_behind}: entries were changed, removed or put in"
    return f"{found.sealed} entries hold, {found.unsealed} are not sealed yet; last seal {found.last or '-'}"


def _told(entry: AuditEntry) -> Mapping[str, object]:
    return {
        "at": format_time(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "contact_point": entry.contact_point,
        "subject": entry.subject,
        "detail": dict(entry.detail),
    }
