"""`ncp-bridge tokens`: which national systems may use this node's HTTP interface, and for what."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.integrating.tokens import Scope
from bridge.cli.options import Config, officer_or_login, on_node, one_contact_point, span_of
from bridge.cli.output import Json, emit, table
from bridge.compose.api import tokens_of
from bridge.compose.console import prepare_database
from bridge.compose.node import Node
from bridge.core.times import format_time
from bridge.ports.store.systems import TokenRecord
from bridge.settings import load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the system: small letters, digits, . _ and -.")]


@app.command()
def add(
    name: Name,
    config: Config,
    scope: Annotated[list[str], typer.Option(help=f"{', '.join(Scope)}; repeat for several.")],
    contact_point: Annotated[
        str | None, typer.Option(help="For which one it acts; the only one here by default.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN", help="After 90d, for example; without it, once it is revoked.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token, and print it this once; the node keeps its digest only."""
    lifetime = None if expires is None else span_of(expires, option="--expires")
    asyncio.run(prepare_database(load_settings(config)))

    async def work(node: Node) -> tuple[str, TokenRecord]:
        own = one_contact_point(node, contact_point, option="--contact-point")
        by = officer_or_login(None)
        return await tokens_of(node).add(name, contact_point=own, scopes=scope, by=by, lifetime=lifetime)

    token, record = on_node(config, work)
    emit({"token": token, **_told(record)}, as_json=as_json, text=lambda: token)


@app.command("list")
def list_tokens(config: Config, as_json: Json = False) -> None:
    """List the tokens, the revoked ones too; none of them says what it is."""

    async def work(node: Node) -> list[TokenRecord]:
        return list(await tokens_of(node).list())

    told = [_told(record) for record in on_node(config, work)]
    columns = ("name", "contact_point", "scopes", "made_at", "used_at", "expires_at", "revoked_at")
    rows = [[_shown(one[key]) for key in columns] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def revoke(name: Name, config: Config, as_json: Json = False) -> None:
    """End a token at once; its name is not used again."""

    async def work(node: Node) -> None:
        await tokens_of(node).revoke(name, by=officer_or_login(None))

    on_node(config, work)
    emit({"name": name, "revoked": True}, as_json=as_json, text=lambda: f"{name} is revoked")


def _told(record: TokenRecord) -> Mapping[str, object]:
    times = {
        "made_at": record.made_at,
        "used_at": record.used_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
    }
    return {
        "name": record.name,
        "contact_point": record.contact_point,
        "scopes": list(record.scopes),
        "made_by": record.made_by,
        **{name: format_time(at) if at else None for name, at in times.items()},
    }


def _shown(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value
