"""`ncp-bridge status` and `doctor`: named checks, each with a state and a sentence; exit status 1 when one fails."""

from __future__ import annotations

import typer

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.cli.options import Config, on_node
from bridge.cli.output import Json, emit, one_line
from bridge.compose.node import Node

status_app = typer.Typer(rich_markup_mode=None, add_completion=False)
doctor_app = typer.Typer(rich_markup_mode=None, add_completion=False)


@status_app.command("status")
def status(config: Config, as_json: Json = False) -> None:
    """How the node is: its processes, outbox, quarantine, held messages, gaps, membership list."""

    async def work(node: Node) -> list[Check]:
        return await node.status()

    _answer(on_node(config, work), as_json=as_json)


@doctor_app.command("doctor")
def doctor(config: Config, as_json: Json = False) -> None:
    """Check everything the node depends on: database, broker, keys, membership list, clock, disk."""

    async def work(node: Node) -> list[Check]:
        return [*await node.doctor(), *await node.status()]

    _answer(on_node(config, work), as_json=as_json)


def _answer(checks: list[Check], *, as_json: bool) -> None:
    ok = all(check.ok for check in checks)
    told = [{"name": check.name, "ok": check.ok, "state": check.state, "detail": check.detail} for check in checks]
    data = {"ok": ok, "checks": told}
    emit(data, as_json=as_json, text=lambda: _text(checks))
    raise typer.Exit(0 if ok else 1)


def _text(checks: list[Check]) -> str:
    """What failed stands last, where the eye is when the command has ended."""
    width = max(len(check.name) for check in checks)
    ordered = sorted(checks, key=lambda check: not check.ok)
    lines = [f"{'ok  ' if check.ok else 'FAIL'}  {check.name.ljust(width)}  {_found(check)}" for check in ordered]
    failed = [check.name for check in checks if not check.ok]
    verdict = f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}" if failed else "all is well"
    return "\n".join((*lines, verdict))


def _found(check: Check) -> str:
    named = check.state not in {states.OK, states.FAILED}
    return one_line(f"{check.state}: {check.detail}" if named else check.detail)
