"""`ncp-bridge quarantine`: what was refused, with the code and step. Raw bytes are kept; sealed bodies stay sealed.

`replay`, `return` and `drop` show first what they would do, and do it when somebody has said yes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.cli.options import Config, Limit, on_node
from bridge.cli.output import Json, emit, say, table
from bridge.cli.quarantine_work import ROUTER, Work, work_on
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.core.verification import SENDER_STEP
from bridge.ports.store.records import Quarantined

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_COLUMNS = ("id", "code", "step", "at", "queue", "size", "replays")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Their ids, as `quarantine list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Everything, or everything with --reason and --holder.")]
Reason = Annotated[str | None, typer.Option(metavar="CODE", help="With --all: only this code, say E_KEY_UNKNOWN.")]
Holder = Annotated[
    str | None, typer.Option(metavar="ID", help="With --all: only what this contact point, or `router`, refused.")
]
Officer = Annotated[str | None, typer.Option("--officer", help="Who acts; goes into the log. Default: this login.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.command("list")
def list_items(
    config: Config,
    code: Annotated[str | None, typer.Option(help="Only this code, for instance E_SIGNATURE.")] = None,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """List what was refused, newest first."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        async with node.store.reading() as unit:
            return [_item(refusal) for refusal in await unit.refusals.list(code=code, limit=limit)]

    items = on_node(config, work)
    if len(items) == limit:
        say(f"the newest {limit}; --limit shows more")
    emit({"items": items}, as_json=as_json, text=lambda: table(_COLUMNS, [_row(item) for item in items]))


@app.command()
def show(
    refusal_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `quarantine list` shows it.")],
    config: Config,
    as_json: Json = False,
) -> None:
    """Show one: why it was refused, its unsigned properties, its exact bytes (base64 with --json)."""

    async def work(node: Node) -> Quarantined:
        async with node.store.reading() as unit:
            refusal = await unit.refusals.get(refusal_id)
        if refusal is None:
            raise BadInputError(
                "E_UNKNOWN_REFUSAL", f"nothing with id {refusal_id} is in quarantine; quarantine list shows what is"
            )
        return refusal

    refusal = on_node(config, work)
    data = {
        **_item(refusal),
        "detail": refusal.detail,
        "contact_point": refusal.contact_point,
        "properties": dict(refusal.properties),
        "bytes_base64": None if refusal.wire_bytes is None else base64.b64encode(refusal.wire_bytes).decode("ascii"),
        "sha256": refusal.sha256,
        "last_seen_at": format_time(refusal.last_seen_at),
    }
    emit(data, as_json=as_json, text=lambda: _text(refusal))


@app.command()
def replay(  # noqa: PLR0913 - the command's options
    config: Config,
    ids: Ids = None,
    every: All = False,
    reason: Reason = None,
    holder: Holder = None,
    officer: Officer = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Verify again, from the first byte, by today's membership list and clock. What is accepted leaves quarantine."""
    work = Work("replay", ids=ids, every=every, code=reason, holder=holder, yes=yes, dry_run=dry_run, officer=officer)
    work_on(config, work, as_json=as_json)


@app.command("return")
def return_items(  # noqa: PLR0913 - the command's options
    config: Config,
    ids: Ids = None,
    every: All = False,
    reason: Reason = None,
    holder: Holder = None,
    officer: Officer = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Tell the senders, signed, that it was refused and why. Only where the bytes prove who the sender is."""
    work = Work("return", ids=ids, every=every, code=reason, holder=holder, yes=yes, dry_run=dry_run, officer=officer)
    work_on(config, work, as_json=as_json)


@app.command()
def drop(  # noqa: PLR0913 - the command's options
    config: Config,
    ids: Ids = None,
    every: All = False,
    reason: Reason = None,
    holder: Holder = None,
    officer: Officer = None,
    why: Annotated[str | None, typer.Option(help="Why it is destroyed; goes into the log.")] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Destroy it, bytes and all. Who did so, code and digest stay in the audit log."""
    work = Work(
        "drop", ids=ids, every=every, code=reason, holder=holder, yes=yes, dry_run=dry_run, officer=officer, why=why
    )
    work_on(config, work, as_json=as_json)


def _text(refusal: Quarantined) -> str:
    kept = "kept as they came" if refusal.has_bytes else "not kept: the quarantine was full"
    proven = refusal.step > SENDER_STEP
    lines = [
        f"{refusal.code} at step {refusal.step}: {refusal.detail}",
        f"refused {moment(refusal.at)} by {refusal.contact_point or 'the router'}, from the queue {refusal.queue}",
        "the signature verified: the sender is who it says" if proven else "nothing in it proves who sent it",
        f"{refusal.size} bytes, {kept}; replayed {refusal.replays} times; id {refusal.id}",
        "what the broker said about it, unsigned:",
    ]
    if refusal.seen > 1:
        lines.insert(-1, f"it came {refusal.seen} times, the last time {moment(refusal.last_seen_at)}")
    if refusal.returned_at is not None:
        lines.insert(-1, f"its sender was told so by hand {moment(refusal.returned_at)}")
    said = {name: value for name, value in refusal.properties.items() if value is not None}
    lines += [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()] or ["  nothing"]
    return "\n".join(lines)


def _row(item: Mapping[str, object]) -> list[object]:
    return [moment(item[name]) if name == "at" else item[name] for name in _COLUMNS]


def _item(refusal: Quarantined) -> Mapping[str, object]:
    return {
        "id": refusal.id,
        "code": refusal.code,
        "step": refusal.step,
        "at": format_time(refusal.at),
        "queue": refusal.queue,
        "size": refusal.size,
        "replays": refusal.replays,
        "seen": refusal.seen,
        "holder": refusal.contact_point or ROUTER,
        "returned_at": refusal.returned_at and format_time(refusal.returned_at),
    }
