"""`ncp-bridge status` and `doctor`: named checks, each with one sentence; exit status 1 when one fails."""

from __future__ import annotations

import typer

from bridge.app.check_node import Check
from bridge.cli.options import Config, on_node
from bridge.cli.output import Json, emit
from bridge.compose import Node

status_app = typer.Typer(rich_markup_mode=None)
doctor_app = typer.Typer(rich_markup_mode=None)


@status_app.command("status")
def status(config: Config, as_json: Json = False) -> None:
    """How the node is: outbox, quarantine, held messages, gaps, membership list."""

    async def work(node: Node) -> list[Check]:
        return await node.status()

    _answer(on_node(config, work), as_json=as_json)


@doctor_app.command("doctor")
def doctor(config: Config, as_json: Json = False) -> None:
    """Check everything the node depends on: database, broker accounts and queues, keys, membership list, clock, disk."""

    async def work(node: Node) -> list[Check]:
        return [*await node.doctor(), *await node.status()]

    _answer(on_node(config, work), as_json=as_json)


def _answer(checks: list[Check], *, as_json: bool) -> None:
    ok = all(check.ok for check in checks)
    data = {"ok": ok, "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]}
    emit(
        data,
        as_json=as_json,
        text=lambda: "\n".join(f"{'ok  ' if c.ok else 'FAIL'}  {c.name}: {c.detail}" for c in checks),
    )
    raise typer.Exit(0 if ok else 1)


def _line(check: Check) -> str:
    return f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}"
