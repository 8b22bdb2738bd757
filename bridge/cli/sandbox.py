"""`ncp-bridge sandbox`: a local network with scripted counterparts, to try everything alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.output import emit, emit_line, say
from bridge.core.errors import RefusedError
from bridge.counterparts.scripts import SCRIPTS
from bridge.sandbox import folder as folders
from bridge.sandbox.facts import as_text
from bridge.sandbox.plan import YOU, plan_of
from bridge.sandbox.running import Order, run_sandbox

sandbox_app = typer.Typer(rich_markup_mode=None, add_completion=False)


class Mine(StrEnum):
    """What whoever tries has in the network."""

    NODE = folders.NODE
    CLIENT = folders.CLIENT


@sandbox_app.command("sandbox")
def sandbox(  # noqa: PLR0913 - a command's options
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder, or a sandbox's.")],
    script: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=SCRIPT", help=f"How one behaves: {', '.join(SCRIPTS)}, late:20; repeat for several."),
    ] = None,
    you: Annotated[str | None, typer.Option(metavar="CC", help="Your country; RS by default.")] = None,
    mine: Annotated[
        Mine | None, typer.Option(help="What you try: a node of this software (default), or a client of your own.")
    ] = None,
    every: Annotated[
        float,
        typer.Option(min=0, max=86400, help="Seconds between alerts that counterparts send themselves; 0: none."),
    ] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="DIR stays, and another start goes on with it.")] = False,
    admit: Annotated[
        Path | None,
        typer.Option(metavar="REQUEST", help="Start nothing: admit this request into the sandbox that runs in DIR."),
    ] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Written once everything is ready.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as a JSON object, then one on a line for each event.")
    ] = False,
) -> None:
    """Run a small network on this machine, with counterparts that keep to a script, until Ctrl-C.

    Only for play: every key in it is made here, and everything that is sent is an exercise.
    """
    if admit is not None:
        admitted = folders.admit_request(folder, admit)
        emit({"admitted": admitted}, as_json=as_json, text=lambda: f"admitted {' '.join(admitted)}")
        return
    order = _order(folder.resolve(), script or [], you, mine, every=every, keep=keep)

    def started(facts: Mapping[str, object]) -> None:
        if as_json:
            emit_line(facts)
        else:
            say(as_text(facts))
        if ready_file is not None:
            ready_file.write_text("ready\n", "utf-8")

    if not as_json:
        say("starting a private RabbitMQ node, founding the network: some 15 s ...")
    with asyncio.Runner() as runner:
        runner.run(_until_signal(run_sandbox(order, tell=emit_line if as_json else _say_event, started=started)))
    if not as_json:
        say(f"ended; {folder} {'is kept' if order.keep else 'is gone'}")


def _order(path: Path, scripts: list[str], you: str | None, mine: Mine | None, *, every: float, keep: bool) -> Order:
    """What was asked for, on top of what a sandbox that is there was founded with."""
    there = folders.look(path)
    if there is None:
        return Order(path, None, plan_of(you or YOU, scripts), mine or Mine.NODE, every, keep)
    country, part = str(there.facts["you"]), Mine(there.facts["mine"])
    if (you or country).upper() != country or (mine or part) != part:
        raise RefusedError("E_SANDBOX_FOLDER", f"{path} is a sandbox for {country} with a {part}; expected no other")
    before = [f"{one}={name}" for one, name in there.facts["scripts"].items()]
    return Order(path, there, plan_of(country, [*before, *scripts]), part, every, keep=True)


async def _until_signal(work: Coroutine[object, object, None]) -> None:
    """Works until the first Ctrl-C or SIGTERM, and then lets it end in order; that is its ordinary end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    told = False

    def end() -> None:
        nonlocal told
        if not told:
            task.cancel()
        told = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _say_event(event: Mapping[str, object]) -> None:
    say("  ".join(f"{value}" for value in event.values()))
