"""`ncp-bridge accounts`: who may sign in to this node's console."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import Config, officer_or_login, on_node
from bridge.cli.output import Json, emit, table
from bridge.compose.console import accounts_of, prepare_database
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.ports.store.accounts import AccountRecord, SessionRecord
from bridge.private_files import read_private_line
from bridge.settings import load_settings

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
WhoseOption = Annotated[str | None, typer.Option(help="Whose messages they read; the only one here by default.")]


@app.command()
def add(
    login: Login,
    config: Config,
    name: Annotated[str, typer.Option(help="How the person is called in logs and answers.")],
    role: RoleOption,
    contact_point: WhoseOption = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Make an account that signs in with a password; makes the node's database where there is none yet."""
    password = _password(password_file)
    asyncio.run(prepare_database(load_settings(config)))

    async def work(node: Node) -> AccountRecord:
        own = _whose(node, role, contact_point)
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
    rows = [[_shown(one[key]) for key in columns] for one in told]
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
def roles(
    login: Login,
    config: Config,
    role: RoleOption,
    contact_point: WhoseOption = None,
    as_json: Json = False,
) -> None:
    """Give an account other roles instead of the ones it has; its sessions end."""

    async def work(node: Node) -> AccountRecord:
        own = _whose(node, role, contact_point)
        return await accounts_of(node).change(login, by=officer_or_login(None), roles=role, contact_point=own)

    account = on_node(config, work)
    emit(_told(account), as_json=as_json, text=lambda: f"{login} may sign in as {', '.join(account.roles)}")


@app.command()
def sessions(
    login: Login,
    config: Config,
    end: Annotated[bool, typer.Option("--end", help="Sign the account out wherever it is signed in.")] = False,
    as_json: Json = False,
) -> None:
    """Show where an account is signed in, or end that."""

    async def work(node: Node) -> Mapping[str, object]:
        if end:
            return {"login": login, "ended": await accounts_of(node).end_sessions(login, by=officer_or_login(None))}
        found = await accounts_of(node).sessions(login)
        return {"login": login, "items": [_told_session(session) for session in found]}

    told = on_node(config, work)
    columns = ("began_at", "seen_at", "signed_in_by")

    def text() -> str:
        items = told.get("items")
        if not isinstance(items, list):
            return f"{told['ended']} sessions of {login} are ended"
        return table(columns, [[one[key] for key in columns] for one in items])

    emit(told, as_json=as_json, text=text)


@app.command()
def enable(login: Login, config: Config, as_json: Json = False) -> None:
    """Open an account again that was closed, or locked after wrong passwords."""

    async def work(node: Node) -> AccountRecord:
        return await accounts_of(node).enable(login, by=officer_or_login(None))

    account = on_node(config, work)
    emit(_told(account), as_json=as_json, text=lambda: f"{login} may sign in again")


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


def _shown(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _told_session(session: SessionRecord) -> Mapping[str, object]:
    return {
        "began_at": format_time(session.began_at),
        "seen_at": format_time(session.seen_at),
        "signed_in_by": session.detail.get("by"),
    }


def _whose(node: Node, roles: list[str], contact_point: str | None) -> str | None:
    """Whose messages an account reads: the only contact point here, unless it is for nobody who reads any."""
    if contact_point is None and len(node.hosted) == 1 and not set(roles) <= {"operator", "administrator"}:
        return node.hosted[0]
    return contact_point


def _password(file: Path | None) -> str:
    if file is not None:
        return read_private_line(file)
    if not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "--password-file: expected the file that holds the password, without a terminal")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return entered
