"""Options that several commands share."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from bridge.cli.output import tell_warnings
from bridge.core.errors import BadInputError, UnavailableError
from bridge.settings import load_settings

if TYPE_CHECKING:
    from bridge.compose.node import Node

Answer = TypeVar("Answer")

MAX_FILE_BYTES = 1024 * 1024 + 1  # one byte more than the largest message: a larger file is refused by its size

Config = Annotated[Path, typer.Option("--config", envvar="NCP_BRIDGE_CONFIG", help="The node's settings file.")]
ContactPoint = Annotated[str | None, typer.Option("--contact-point", help="Which contact point of this node.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")]
Reason = Annotated[
    str, typer.Option(help="Why, for kinds that are opened for a reason only (reason_for in [console]); it is logged.")
]
InputFile = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")]


_UNITS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_SPAN: Final = re.compile(r"([0-9]{1,4})(s|min|h|d)")


def on_node(config: Path, work: Callable[[Node], Awaitable[Answer]]) -> Answer:
    """Opens the node that the settings describe, does `work` with it, and closes it."""
    from bridge.compose.node import open_node  # noqa: PLC0415 - a group with one command on a node need not load it

    settings = load_settings(config)
    tell_warnings()

    async def run() -> Answer:
        async with open_node(settings) as node:
            return await work(node)

    return asyncio.run(run())


def read_input(name: str) -> bytes:
    """The bytes of a file or, for `-`, of standard input; at most a little over the largest message."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_FILE_BYTES)
        with Path(name).open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{name}: {error.strerror}") from None


def read_alert(name: str) -> bytes:
    """The bytes of an alert file; one that is larger than any message is refused before it is read as JSON."""
    data = read_input(name)
    if len(data) == MAX_FILE_BYTES:
        raise BadInputError("E_SIZE", f"{name}: found more than {MAX_FILE_BYTES - 1} bytes, expected an alert file")
    return data


def one_contact_point(node: Node, given: str | None, *, option: str) -> str:
    """The contact point that is meant: the given one, or the only one of the node."""
    hosted = node.hosted
    if given is None and len(hosted) == 1:
        return hosted[0]
    if given is None or given not in hosted:
        found = f"{given} is not hosted here" if given else "this node hosts several contact points"
        raise BadInputError("E_CONTACT_POINT", f"{option}: {found}; expected {' or '.join(hosted)}")
    return given


def check_hosted(node: Node, contact_point: str | None) -> None:
    """Refuses a contact point that is not of this node: a misspelt one must not look like an empty inbox."""
    if contact_point is not None:
        one_contact_point(node, contact_point, option="--contact-point")


def officer_or_login(officer: str | None) -> str:
    """Who reads, for the log: the given name, else the account this command runs under."""
    if officer:
        return officer
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def span_of(text: str, *, option: str) -> timedelta:
    """A span of time as an option has it, like `30d`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadInputError("E_USAGE", f"{option}: found {text[:20]}, expected a number with s, min, h or d, say 30d")
    return int(match[1]) * _UNITS[match[2]]


def time_of(text: str | None, *, option: str) -> datetime | None:
    """A moment as an option has it; `None` where it was not given."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInputError("E_TIME", f"{option}: found {text!r}, expected a time like 2026-11-23T18:40:00Z")
    return at
