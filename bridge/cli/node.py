"""`ncp-bridge node`: set up a country's node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge.cli.output import Json, emit, say
from bridge.founding.nodes import BrokerPlace, FoundNode, NodeOrder, found_nodes

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_PLACE = BrokerPlace()


@app.callback()
def group() -> None:
    """Keeps `init` a command of its own while it is the only one."""


@app.command()
def init(  # noqa: PLR0913 - the command's options
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The node's folder.")],
    country: Annotated[str, typer.Option(metavar="RS", help="The country, as the network names it.")],
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, with its ceremony keys.")],
    broker_scheme: Annotated[Literal["amqp", "amqps"], typer.Option(help="amqps off this machine.")] = _PLACE.scheme,
    broker_host: Annotated[str, typer.Option(metavar="HOST")] = _PLACE.host,
    broker_port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535)] = _PLACE.port,
    vhost: Annotated[str, typer.Option(metavar="VHOST", help="The broker's virtual host.")] = _PLACE.vhost,
    management_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The broker's management API, without account and password.")
    ] = None,
    admin_url_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds the administrator's address. Default: DIR/secrets/broker-admin.url"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Set up a node: keys, secrets and settings in DIR, and its public keys in the network.

    In this phase the network's folder with its ceremony keys is on the same machine, and enrolment is signed at once. A
    real ceremony takes the public keys to the network's secretariat; DIR/trust/root.json is then compared by its
    SHA-256 over another channel. No private key leaves DIR.
    """
    admin_url = admin_url_file.resolve() if admin_url_file else _PLACE.admin_url_file  # the former is meant from here
    place = BrokerPlace(broker_scheme, broker_host, broker_port, vhost, management_url, admin_url)
    (found,) = found_nodes([NodeOrder(folder, country, place)], network=network)
    points = [{"id": identifier, "kids": list(kids)} for identifier, kids in found.kids.items()]
    emit({"config": str(found.config), "contact_points": points}, as_json=as_json, text=lambda: _text(found))
    if not as_json:
        say(f"next: ncp-bridge topology apply --config {found.config}")


def _text(found: FoundNode) -> str:
    lines = [f"{identifier}: {', '.join(kids)}" for identifier, kids in found.kids.items()]
    return "\n".join((f"settings: {found.config}", *lines))
