"""`ncp-bridge`: the command groups, and the one place where errors become sentences and exit statuses.

Exit status: 0 done; 1 internal fault or a failed check; 2 bad input or usage; 3 refused by a rule or a verification;
4 a dependency cannot be reached; 130 after Ctrl-C. Groups are imported when they are used, so `--help` stays quick.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperGroup

from bridge.cli.output import INTERRUPTED, emit_line, fail, say
from bridge.core.errors import BadInputError, BridgeError

GROUPS: Final = {
    "network": "Found and govern a network; see its membership list.",
    "node": "Set up a country's node: keys, settings, enrolment.",
    "keys": "See, roll and revoke a node's keys.",
    "topology": "Declare exchanges, queues and accounts on the broker.",
    "alert": "Check, preview and submit alerts.",
    "draft": "Write alerts that a second person releases.",
    "inbox": "Read and acknowledge what arrived.",
    "outbox": "See what was sent, and what became of it at each recipient.",
    "shift": "Hand over what is open, and take it over.",
    "quarantine": "Look at what was refused; replay, return or drop it.",
    "peer": "Try the way to another contact point and back.",
    "accounts": "Who may sign in to the console.",
    "tokens": "Which systems may use the HTTP interface, and for what.",
    "webhooks": "Where national systems are told what happens.",
    "interchange": "Alerts as CAP 1.2 and back, figures as CSV, codes of HTCDS.",
    "audit": "Who did what, and whether the log is as it was written.",
    "message": "Verify a wire message from a file.",
    "conformance": "Try whether another implementation keeps the rules.",
}
SINGLE: Final = {
    "run": "Run a node's services.",
    "status": "How the node is, in one look.",
    "doctor": "Check everything the node depends on.",
    "queues": "What the broker holds for a node, and what waits in its outbox.",
    "backup": "Copy a node's database while it runs.",
    "restore": "Put a backup in the place of a node's database.",
    "sandbox": "A local network with scripted counterparts, to try it alone.",
}
MODULES: Final = {
    "run": "run",
    "status": "health",
    "doctor": "health",
    "queues": "queues",
    "backup": "backup",
    "restore": "backup",
    "sandbox": "sandbox",
}
WATCH: Final = ["inbox", "watch"]  # Ctrl-C is its ordinary end: no error among the objects


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: object) -> list[str]:
        """The commands in the order a new user meets them."""
        del ctx
        return [*GROUPS, *SINGLE]

    def format_commands(self, ctx: object, formatter: Any) -> None:  # noqa: ANN401 - typer's own class is private
        """Lists the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list({**GROUPS, **SINGLE}.items()))

    def get_command(self, ctx: object, cmd_name: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - typer's own class is private
        """The command group or command of this name, or `None`."""
        del ctx
        if cmd_name in GROUPS:
            group = typer.main.get_group(_imported(f"bridge.cli.{cmd_name}").app)
            group.help = GROUPS[cmd_name]
            return group
        if cmd_name in SINGLE:
            module = _imported(f"bridge.cli.{MODULES[cmd_name]}")
            command = typer.main.get_command(getattr(module, f"{cmd_name}_app"))
            command.name = cmd_name
            command.help = SINGLE[cmd_name]
            return command
        return None


def _imported(name: str) -> ModuleType:
    """A command's module. Importing makes no garbage: not looking for any saves a fifth of the time."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()  # nor is there any in it later
        gc.enable()


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main() -> None:
    """NCP Bridge carries signed, sealed route alerts between national contact points.

    A first tour: `network init` founds a network, `node init` sets up a country, `topology apply` prepares the broker,
    `run` starts the services, `alert submit` sends, `inbox list` shows what arrived. Every command takes --help.
    """


def run() -> None:
    """The console entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # messages are in every script of Europe, whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    status = main_status(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = _reader_is_gone()
    sys.exit(status)


def main_status(arguments: list[str]) -> int:
    """Runs one command and answers its exit status."""
    as_json = "--json" in arguments
    logging.getLogger().addHandler(logging.NullHandler())  # a library's own words are not an answer; `run` logs
    try:
        _refuse_what_is_no_text(arguments)
        status = typer.main.get_command(app).main(arguments, prog_name="ncp-bridge", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except typer.Exit as finished:
        return finished.exit_code
    except Exception as error:  # noqa: BLE001 - every way of failing ends in one sentence and a status
        return _failed(error, as_json=as_json)
    if status == INTERRUPTED:
        return _stopped(as_json=as_json and arguments[:2] != WATCH)
    return status if isinstance(status, int) else 0


def _refuse_what_is_no_text(arguments: list[str]) -> None:
    """An argument that is not UTF-8 arrives with lone surrogates, which neither a database nor JSON takes."""
    for argument in arguments:
        if not argument.isascii() and argument.encode("utf-8", "replace").decode("utf-8") != argument:
            raise BadInputError("E_USAGE", f"{argument!a} is not UTF-8 text; expected every argument to be")


def _failed(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, BrokenPipeError):
        return _reader_is_gone()
    if isinstance(error, typer.TyperException):
        return _usage(error, as_json=as_json)
    known = _known_cause(error)
    if known is None and os.environ.get("NCP_BRIDGE_DEBUG"):
        raise error
    sentence = f"internal fault: {type(error).__name__}; NCP_BRIDGE_DEBUG=1 shows where"
    return fail(known or BridgeError("E_INTERNAL", sentence), as_json=as_json)


def _known_cause(error: Exception) -> BridgeError | None:
    """What ended a group of services, when it is something that has a sentence."""
    if isinstance(error, BridgeError):
        return error
    if isinstance(error, ExceptionGroup):
        return next(filter(None, map(_known_cause, error.exceptions)), None)
    return None


def _stopped(*, as_json: bool) -> int:
    if as_json:
        emit_line({"error": {"code": "E_INTERRUPTED", "message": "stopped"}})
    say("stopped")
    return INTERRUPTED


def _reader_is_gone() -> int:
    """Whoever read our output wants no more, as `head` does; Python finds nothing to complain about at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _usage(error: typer.TyperException, *, as_json: bool) -> int:
    """A wrong option is bad input; a command group alone shows its help, which arrives as the error's message."""
    message = error.format_message()
    if message.startswith("Usage:") and not as_json:
        say(message)
        return BadInputError.exit_status
    context = getattr(error, "ctx", None)
    if context is not None and not as_json:
        say(context.get_usage())
    return fail(BadInputError("E_USAGE", message), as_json=as_json)
