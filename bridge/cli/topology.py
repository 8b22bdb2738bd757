"""`ncp-bridge topology`: exchanges, queues and accounts on the broker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from bridge.adapters.amqp.apply import Reconciled, SealedOff
from bridge.adapters.amqp.plan import Change
from bridge.cli.certificate_words import told, warnings
from bridge.cli.options import Config
from bridge.cli.output import Json, emit, say, tell_warnings
from bridge.core.errors import BadInputError, UnavailableError
from bridge.founding.topology import apply_network, apply_topology, certificates_on_broker, look_at_topology
from bridge.settings import NodeSettings, load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `apply` a command of its own while it is the only one."""


@app.command("apply")
def apply(
    config: Config,
    every: Annotated[
        bool, typer.Option("--all", help="For a broker that members share: everything of every member in the list.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    drop_queues: Annotated[
        bool, typer.Option("--drop-queues", help="With --all: drop the queues of whoever is sealed off.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Drop them without being asked.")] = False,
    as_json: Json = False,
) -> None:
    """Put on the broker what this node needs: exchanges, queues, bindings; over the management API accounts too.

    Doing it again changes nothing. The administrator's address is read from the file that `admin_url_file` in the
    settings names. With --all, for whoever runs a broker that members share, the membership list decides: accounts,
    permissions, limits and queues of every member are made, and a member that is not in it any more, or is suspended,
    is sealed off: its accounts are deleted, its connections closed, its exchanges and queues unbound. What is in its
    queues stays until --drop-queues. Nothing else is ever deleted. Certificates with which somebody is signed in and
    which should have been renewed are named.
    """
    settings = load_settings(config)
    if drop_queues and not every:
        raise BadInputError("E_USAGE", "--drop-queues: expected together with --all")
    if every:
        _apply_all(settings, dry_run=dry_run, drop_queues=drop_queues, yes=yes, as_json=as_json)
    elif dry_run:
        _tell(asyncio.run(look_at_topology(settings)), {}, dry_run=True, as_json=as_json)
    else:
        applied = asyncio.run(apply_topology([settings]))
        data = {"exchanges": applied.exchanges, "queues": applied.queues, "accounts": applied.accounts}
        emit(data, as_json=as_json, text=lambda: _count(data))


def _apply_all(settings: NodeSettings, *, dry_run: bool, drop_queues: bool, yes: bool, as_json: bool) -> None:
    from bridge.compose.node import open_trust  # noqa: PLC0415 - heavy, and only this way of applying needs the list

    tell_warnings()
    source = open_trust(settings)
    directory = asyncio.run(source.refresh())
    if source.failure is not None:  # who was admitted since would be shut out
        raise UnavailableError("E_TRUST_LIST", f"the membership list cannot be looked at anew: {source.failure}")
    now = datetime.now(UTC)

    def run(*, dry: bool, drop: bool) -> Reconciled:
        return asyncio.run(apply_network(settings, directory, now=now, drop_queues=drop, dry_run=dry))

    if drop_queues and not dry_run and not yes:
        _ask(run(dry=True, drop=True))
    done = run(dry=dry_run, drop=drop_queues)
    in_use = asyncio.run(certificates_on_broker(settings))
    more = {"list_version": directory.version, "certificates": told(in_use, now)}
    _tell(done, more, dry_run=dry_run, as_json=as_json)
    if not as_json:
        for warning in warnings(in_use, now):
            say(f"WARNING: {warning}")


def _ask(found: Reconciled) -> None:
    """Asks before anything is dropped; without a terminal nobody can answer."""
    queues = {name: messages for one in found.sealed_off for name, messages in one.queues.items()}
    if not queues:
        return
    say(f"{len(queues)} queues with {sum(queues.values())} messages would be dropped: {', '.join(queues)}")
    if not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "--drop-queues: expected --yes where nobody can be asked")
    typer.confirm("Drop them?", abort=True, err=True)


def _tell(done: Reconciled, more: dict[str, object], *, dry_run: bool, as_json: bool) -> None:
    on_broker = done.on_broker
    data = {
        "exchanges": on_broker.exchanges,
        "queues": on_broker.queues,
        "accounts": on_broker.accounts,
        **more,
        "dry_run": dry_run,
        "changes": [_change(change) for change in done.changes],
        "sealed_off": [_sealed(one) for one in done.sealed_off],
        "left_alone": list(done.left_alone),
    }
    emit(data, as_json=as_json, text=lambda: _text(done, data, dry_run=dry_run))


def _change(change: Change) -> dict[str, str]:
    return {"action": change.action, "kind": change.kind, "name": change.name, "detail": change.detail}


def _sealed(one: SealedOff) -> dict[str, object]:
    return {
        "member": one.member,
        "accounts": list(one.accounts),
        "connections": one.connections,
        "queues": [{"name": name, "messages": messages} for name, messages in one.queues.items()],
        "dropped": one.dropped,
    }


def _text(done: Reconciled, data: dict[str, object], *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    lines = [change.sentence() for change in done.changes] or ["nothing to change"]
    for one in done.sealed_off:
        messages = sum(one.queues.values())
        kept = "dropped" if one.dropped else "kept until --drop-queues"
        lines.append(
            f"{one.member} {would}sealed off: {len(one.accounts)} accounts deleted, {one.connections} connections "
            f"closed, {messages} messages in {len(one.queues)} queues {kept}"
        )
    lines += [f"left alone, not ours: binding {binding}" for binding in done.left_alone]
    return "\n".join(lines if dry_run else [*lines, _count(data)])


def _count(data: Mapping[str, object]) -> str:
    return f"{data['exchanges']} exchanges, {data['queues']} queues, {data['accounts']} accounts are on the broker"
