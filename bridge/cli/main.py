"""`ncp-bridge`: the command groups, and the one place where errors become sentences and exit statuses.

Exit status: 0 done; 1 internal fault or a failed check; 2 bad input or usage; 3 refused by a rule or a verification;
4 a dependency cannot be reached; 130 after Ctrl-C. Groups are imported when they are used, so `--help` stays quick.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import Final

import typer
from typer.core import TyperGroup

from bridge.cli.output import fail, say
from bridge.core.errors import BadInputError, BridgeError

GROUPS: Final = {
    "network": "Found a network of countries and look at its membership list.",
    "node": "Set up a country's node: keys, settings, enrolment.",
    "topology": "Declare exchanges, queues and accounts on the broker.",
    "alert": "Check, preview and submit alerts.",
    "inbox": "Read and acknowledge what arrived.",
    "outbox": "See what was sent, and what became of it at each recipient.",
    "quarantine": "Look at what was refused.",
    "message": "Verify a wire message from a file.",
}
SINGLE: Final = {
    "run": "Run a node's services.",
    "status": "How the node is, in one look.",
    "doctor": "Check everything the node depends on.",
}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: object) -> list[str]:
        """The commands in the order a new user meets them."""
        del ctx
        return [*GROUPS, *SINGLE]

    def get_command(self, ctx: object, cmd_name: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - typer's own class is private
        """The command group or command of this name, or `None`."""
        del ctx
        if cmd_name in GROUPS:
            group = typer.main.get_group(import_module(f"bridge.cli.{cmd_name}").app)
            group.help = GROUPS[cmd_name]
            return group
        if cmd_name in SINGLE:
            module = import_module(f"bridge.cli.{'run' if cmd_name == 'run' else 'health'}")
            command = typer.main.get_command(getattr(module, f"{cmd_name}_app"))
            command.name = cmd_name
            command.help = SINGLE[cmd_name]
            return command
        return None


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
    sys.exit(main_status(sys.argv[1:]))


def main_status(arguments: list[str]) -> int:
    """Runs one command and answers its exit status."""
    as_json = "--json" in arguments
    logging.getLogger().addHandler(logging.NullHandler())  # a library's own words are not an answer; `run` logs
    try:
        status = typer.main.get_command(app).main(arguments, prog_name="ncp-bridge", standalone_mode=False)
    except BridgeError as error:
        return fail(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        say("stopped")
        return 130
    except typer.TyperException as error:
        return _usage(error, as_json=as_json)
    except typer.Exit as finished:
        return finished.exit_code
    except Exception as error:
        if os.environ.get("NCP_BRIDGE_DEBUG"):
            raise
        fault = BridgeError("E_INTERNAL", f"internal fault: {type(error).__name__}; NCP_BRIDGE_DEBUG=1 shows where")
        return fail(fault, as_json=as_json)
    return status if isinstance(status, int) else 0


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
