"""How every command answers: data on stdout, progress and prose on stderr, one JSON object with `--json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from bridge.core.errors import BridgeError

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]


def emit(data: Mapping[str, object], *, as_json: bool, text: Callable[[], str]) -> None:
    """Prints the answer: the object, or its text for people."""
    if as_json:
        emit_line(data)
    else:
        typer.echo(text())


def emit_line(data: Mapping[str, object]) -> None:
    """One JSON object on one line of stdout, at once."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Progress and prose, on stderr."""
    typer.echo(text, err=True)


def fail(error: BridgeError, *, as_json: bool) -> int:
    """Prints one clear sentence, or the error object, and answers the exit status."""
    if as_json:
        detail = {"code": error.code, "message": error.message}
        if error.path is not None:
            detail["path"] = error.path
        emit_line({"error": detail})
    say(f"{error.code}: {error.message}")
    return error.exit_status


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned by their widest cell; an empty table says so."""
    if not rows:
        return "(none)"
    cells = [[str(cell) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(headings), *cells]) for index in range(len(headings))]
    lines = [[heading.upper() for heading in headings], *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
