"""`ncp-bridge accounts`: who may sign in to this node's console."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import Config, officer_or_login, on_node
from bridge.cli.output import Json, emit, table
from bridge.compose.console import accounts_of
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.ports.store.accounts import AccountRecord
from bridge.private_files import read_private_line

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Small letters, digits, . _ and -.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="A private file with the password on its first line; asked for at a terminal without."),
]
RoleOption = Annotated[
    list[str],
    typer.Option("--role", help="duty_officer, approver, operator, auditor or administrator; repeat for several."),
]


@app.command()
def add(
    login: Login,
    config: Config,
    name: Annotated[str, typer.Option(help="How the person is called in logs and answers.")],
    role: RoleOption,
    contact_point: Annotated[
        str | None, typer.Option(help="Whose messages they read; the only one here by default.")
    ] = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Make an account that signs in with a password."""
    password = _password(password_file)

    async def work(node: Node) -> AccountRecord:
        own = contact_point or (node.hosted[0] if len(node.hosted) == 1 else None)
        if set(role) <= {"operator", "administrator"}:
            own = contact_point
        return await accounts_of(node).add(
            login, name=name, roles=role, by=officer_or_login(None), contact_point=own, password=password
        )

    account = on_node(config, work)
    emit(_told(account), as_json=as_json, text=lambda: f"{login} may sign in as {', '.join(account.roles)}")


@app.command("list")
def list_accounts(config: Config, as_json: Json = False) -> None:
    """List the accounts."""

    async def work(node: Node) -> list[AccountRecord]:
        async with node.store.reading() as unit:
            return list(await unit.accounts.list())

    told = [_told(account) for account in on_node(config, work)]
    columns = ("login", "name", "roles", "contact_point", "signs_in_by", "disabled_at")
    rows = [[one[key] for key in columns] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def password(login: Login, config: Config, password_file: PasswordFile = None, as_json: Json = False) -> None:
    """Give an account another password; its sessions end."""
    new = _password(password_file)

    async def work(node: Node) -> AccountRecord:
        return await accounts_of(node).change(login, by=officer_or_login(None), password=new)

    account = on_node(config, work)
    emit(_told(account), as_json=as_json, text=lambda: f"{login} has another password; open sessions are ended")


@app.command()
def disable(login: Login, config: Config, as_json: Json = False) -> None:
    """Close an account; its sessions end, what it did stays in the log."""

    async def work(node: Node) -> AccountRecord:
        return await accounts_of(node).disable(login, by=officer_or_login(None))

    account = on_node(config, work)
    emit(_told(account), as_json=as_json, text=lambda: f"{login} cannot sign in any more")


def _told(account: AccountRecord) -> Mapping[str, object]:
    return {
        "login": account.login,
        "name": account.name,
        "roles": list(account.roles),
        "contact_point": account.contact_point,
        "signs_in_by": "password" if account.password_hash else "identity provider",
        "disabled_at": format_time(account.disabled_at) if account.disabled_at else None,
    }


def _password(file: Path | None) -> str:
    if file is not None:
        return read_private_line(file)
    if not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "--password-file: expected the file that holds the password, without a terminal")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return entered
