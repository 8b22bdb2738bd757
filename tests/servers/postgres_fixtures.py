"""Fixtures with a real PostgreSQL: one server for the session, an empty database of its own for each test.

The server is private and thrown away, or that of `NCP_BRIDGE_POSTGRES_URL` (`postgresql://role:password@host:port/db`),
whose role must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from servers.missing import server_is_missing
from servers.private_postgres import PrivatePostgres
from sqlalchemy.engine import make_url

from bridge.core.errors import UnavailableError

URL_VARIABLE = "NCP_BRIDGE_POSTGRES_URL"
STATEMENT_SECONDS = 30.0

MakeDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The `postgresql://` URL of the session's server, for a role that may create databases."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    server = PrivatePostgres()
    try:
        server.start()
    except UnavailableError as error:
        server_is_missing(error)
    try:
        yield server.url()
    finally:
        server.stop()


@pytest.fixture
def make_postgres_database(postgres_server: str) -> Iterator[MakeDatabase]:
    """Makes an empty database and returns its `postgresql://` URL; all are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
        _execute(postgres_server, f'CREATE DATABASE "{name}"')
        made.append(name)
        return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    yield make
    for name in made:
        _execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(make_postgres_database: MakeDatabase) -> str:
    """The `postgresql://` URL of an empty database of this test's own."""
    return make_postgres_database()


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url, timeout=STATEMENT_SECONDS)
        try:
            await connection.execute(statement, timeout=STATEMENT_SECONDS)
        finally:
            await connection.close(timeout=STATEMENT_SECONDS)

    with ThreadPoolExecutor(max_workers=1) as thread:  # the test's own event loop stays untouched
        thread.submit(asyncio.run, run()).result()
