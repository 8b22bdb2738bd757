"""How every command answers: data on stdout, progress and prose on stderr, one JSON object with `--json`."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Annotated, Final

import structlog
import typer

from bridge.core.errors import BridgeError
from bridge.telemetry.logs import allow_fields

INTERRUPTED: Final = 130  # the exit status after Ctrl-C
LONGEST_SENTENCE: Final = 2000

# Control characters but line feed and tab, and what turns the direction of writing round: a text from elsewhere must
# not move the cursor, or hide what stands before it.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]


def emit(data: Mapping[str, object], *, as_json: bool, text: Callable[[], str]) -> None:
    """Prints the answer: the object, or its text for people."""
    if as_json:
        emit_line(data)
    else:
        typer.echo(printable(text()))


def emit_line(data: Mapping[str, object]) -> None:
    """One JSON object on one line of stdout, at once; what a terminal would obey stands there as JSON's own escape."""
    text = json.dumps(data, ensure_ascii=False)
    sys.stdout.write(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Progress and prose, on stderr."""
    typer.echo(printable(text), err=True)


def printable(text: str) -> str:
    """The text with everything that a terminal would obey made visible as an escape sequence of Python's."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """A sentence as `printable` has it, on one line and bounded: what is named in it may be a stranger's text."""
    line = printable(text).replace("\n", "\\n").replace("\t", "\\t")
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]} ..."


def tell_warnings() -> None:
    """What the parts below log goes to stderr as prose, from warnings on; `run` logs in its own way."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, allow_fields, _as_prose],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _as_prose(_logger: object, _method: str, event: MutableMapping[str, object]) -> str:
    level, name = event.pop("level"), str(event.pop("event")).replace(".", ": ").replace("_", " ")
    return one_line(", ".join((f"{level}: {name}", *(f"{key} {value}" for key, value in event.items()))))


def fail(error: BridgeError, *, as_json: bool) -> int:
    """Prints one clear sentence, or the error object, and answers the exit status."""
    if as_json:
        detail = {"code": error.code, "message": error.message}
        if error.path is not None:
            detail["path"] = error.path
        emit_line({"error": detail})
    say(one_line(f"{error.code}: {error.message}"))
    return error.exit_status


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned by their widest cell, each row one line; an empty table says so."""
    if not rows:
        return "(none)"
    cells = [[" ".join(str(cell).split()) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(headings), *cells]) for index in range(len(headings))]
    lines = [[heading.upper().replace("_", " ") for heading in headings], *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
