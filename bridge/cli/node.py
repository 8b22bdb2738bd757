"""`ncp-bridge node`: set up a country's node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge.cli.certificates import certificates
from bridge.cli.output import Json, emit, say
from bridge.cli.token_options import TokenLabel, TokenModule, TokenPinFile, token_of
from bridge.core.errors import BadInputError
from bridge.core.ids import is_contact_point
from bridge.founding.nodes import BrokerPlace, EnrolledNode, FoundNode, NodeOrder, enrol_node, found_nodes

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.command("certificates")(certificates)

_PLACE = BrokerPlace()

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The node's folder.")]
Country = Annotated[str, typer.Option(metavar="RS", help="The country, as the network names it.")]
Scheme = Annotated[Literal["amqp", "amqps"], typer.Option(help="amqps off this machine.")]
Host = Annotated[str, typer.Option(metavar="HOST")]
Port = Annotated[int, typer.Option(metavar="PORT", min=1, max=65535)]
Vhost = Annotated[str, typer.Option(metavar="VHOST", help="The broker's virtual host.")]
ManagementUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The broker's management API, without account and password.")
]
AdminUrlFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Holds the administrator's address. Default: DIR/secrets/broker-admin.url"),
]


@app.command()
def init(  # noqa: PLR0913 - the command's options
    folder: Folder,
    country: Country,
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, with its ceremony keys.")],
    broker_scheme: Scheme = _PLACE.scheme,
    broker_host: Host = _PLACE.host,
    broker_port: Port = _PLACE.port,
    vhost: Vhost = _PLACE.vhost,
    management_url: ManagementUrl = None,
    admin_url_file: AdminUrlFile = None,
    token_module: TokenModule = None,
    token_label: TokenLabel = None,
    token_pin_file: TokenPinFile = None,
    as_json: Json = False,
) -> None:
    """Set up a node where all keys of the network are on this machine: keys, secrets and settings, admitted at once.

    Where they are not, `node enroll` makes the same folder and a request for governance. No private key leaves DIR.
    """
    place = _place(broker_scheme, broker_host, broker_port, vhost, management_url, admin_url_file)
    token = token_of(token_module, token_label, token_pin_file)
    (found,) = found_nodes([NodeOrder(folder, country, place, token)], network=network)
    emit(_data(found), as_json=as_json, text=lambda: _text(found))
    if not as_json:
        say(f"next: ncp-bridge topology apply --config {found.config}")


@app.command()
def enroll(  # noqa: PLR0913 - the command's options
    folder: Folder,
    country: Country,
    mirror: Annotated[
        str, typer.Option(metavar="DIR|https://...", help="The network's mirror: a copy of it, or its address.")
    ],
    out: Annotated[Path, typer.Option(metavar="REQUEST", help="The request, a new file for the network's governance.")],
    contact_point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[=NAME]",
            help="A contact point, and its name in words; once for each. Default: those that the list has already.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The network's first root, from another channel than the mirror."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The country's node was lost: ask for new keys in place of those.")
    ] = False,
    broker_scheme: Scheme = _PLACE.scheme,
    broker_host: Host = _PLACE.host,
    broker_port: Port = _PLACE.port,
    vhost: Vhost = _PLACE.vhost,
    management_url: ManagementUrl = None,
    admin_url_file: AdminUrlFile = None,
    token_module: TokenModule = None,
    token_label: TokenLabel = None,
    token_pin_file: TokenPinFile = None,
    as_json: Json = False,
) -> None:
    """Set up a node and ask to be admitted: keys, secrets and settings in DIR, and a request in a file.

    The request holds public keys and proofs only. Hand it to the network's secretariat. Over another channel compare
    the first root's SHA-256, and read out the id of the key that signs this country's keys: each of those who sign for
    governance sees it in words. Once it is admitted, the node runs as it is. No private key leaves DIR.
    """
    place = _place(broker_scheme, broker_host, broker_port, vhost, management_url, admin_url_file)
    token = token_of(token_module, token_label, token_pin_file)
    points = dict(map(_named, contact_point or ()))
    enrolled = enrol_node(
        NodeOrder(folder, country, place, token), points, mirror=mirror, root=root, out=out, replace=replace
    )
    data = _data(enrolled.node) | {
        "network": enrolled.request.network,
        "version": enrolled.version,
        "request": str(out),
        "sha256": enrolled.request.sha256,
        "member_key": enrolled.request.member_key.keyid,
        "root_sha256": enrolled.root_sha256,
    }
    emit(data, as_json=as_json, text=lambda: _request_text(enrolled, out))


def _place(
    scheme: Literal["amqp", "amqps"],
    host: str,
    port: int,
    vhost: str,
    management_url: str | None,
    admin_url_file: Path | None,
) -> BrokerPlace:
    admin_url = admin_url_file.resolve() if admin_url_file else _PLACE.admin_url_file  # the former is meant from here
    return BrokerPlace(scheme, host, port, vhost, management_url, admin_url)


def _named(given: str) -> tuple[str, str]:
    """A contact point's id and its name; without a name the id stands for it."""
    identifier, _, name = given.partition("=")
    if not is_contact_point(identifier):
        detail = f"--contact-point: found {identifier[:64]}, expected <prefix>.<name>, such as rs.ncp"
        raise BadInputError("E_CONTACT_POINT", detail)
    return identifier, name.strip() or identifier


def _data(found: FoundNode) -> dict[str, object]:
    points = [{"id": identifier, "kids": list(kids)} for identifier, kids in found.kids.items()]
    return {"config": str(found.config), "contact_points": points}


def _text(found: FoundNode) -> str:
    return "\n".join((f"settings: {found.config}", *_kids(found)))


def _request_text(enrolled: EnrolledNode, out: Path) -> str:
    return "\n".join(
        (
            _text(enrolled.node),
            f"network {enrolled.request.network}, version {enrolled.version}; compare over another channel:",
            f"first root, SHA-256:  {enrolled.root_sha256}",
            f"key that signs the keys of {enrolled.request.member}:  {enrolled.request.member_key.keyid}",
            f"{out}, SHA-256:  {enrolled.request.sha256}",
        )
    )


def _kids(found: FoundNode) -> Sequence[str]:
    return [f"{identifier}: {', '.join(kids)}" for identifier, kids in found.kids.items()]
