"""What a visitor is told when the consoles are open: addresses, accounts, and what to try in two minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bridge.cli.output import table
from bridge.core.countries import country_name
from demo.consoles import ROUTE
from demo.visitors import Visitor

COMMANDS: Final = ("inbox list", "outbox list", "quarantine list", "status", "doctor")


def as_guide(addresses: Mapping[str, str], visitors: Sequence[Visitor], *, config: Path) -> str:
    """The text for a terminal.

    Args:
        addresses: of the consoles, by the country's prefix.
        visitors: who may sign in.
        config: settings of a country, for the commands.
    """
    rows = [
        [
            f"{country_name(visitor.prefix.upper())} ({ROUTE[visitor.prefix]})",
            addresses[visitor.prefix],
            visitor.role.replace("_", " "),
            visitor.login,
            visitor.password,
        ]
        for visitor in visitors
    ]
    (origin, begins_at), _, (destination, ends_at) = [
        (country_name(prefix.upper()), address) for prefix, address in addresses.items()
    ]
    commands = "\n".join(f"  .venv/bin/ncp-bridge {command} --config {config}" for command in COMMANDS)
    return f"""
The network stays up until Ctrl-C, with consoles of three countries. The passwords were made up for this run and are in
no file. Every 20 to 40 s an alert comes from another country, marked as an exercise; nobody but you answers it.

{table(("country", "address", "role", "login", "password"), rows)}

In two minutes (a browser is one person in each country: the approver needs a private window, or another browser):
  1. {ends_at}: sign in as {destination}'s officer. The inbox is open; leave it so.
  2. {begins_at}: sign in as {origin}'s officer, and open "New alert". Choose how urgent it is, a leg from {origin} to
     {destination}, a form of exploitation and a means ("Unknown" will do), and write a title. The map and the list of
     who will receive it follow what you choose.
  3. "Submit for release": now it waits for a second person.
  4. {begins_at}, in a private window: sign in as {origin}'s approver, open "Release" and the alert, and press
     "Release and send".
  5. {destination}'s window says within a second that an alert has come. Open it, choose an answer, and press
     "Send the acknowledgement".
  6. {origin}'s officer finds receipt and answer under "Sent".
{destination}'s operator sees queues and figures, and in "Quarantine" the forgeries, but no word of a message.

The same on the command line, for instance (settings of the others lie beside it):
{commands}
"""
