"""Fixtures with a real PostgreSQL: one server for the session, an empty database of its own for each test.

The server is private and thrown away, or that of `NCP_BRIDGE_POSTGRES_URL` (`postgresql://role:password@host:port/db`),
whose role must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from servers.missing import server_is_missing
from servers.private_postgres import PrivatePostgres
from sqlalchemy.engine import make_url

from bridge.core.errors import UnavailableError
from broker.installation import find_installation
from broker.packages import POSTGRESQL

URL_VARIABLE = "NCP_BRIDGE_POSTGRES_URL"
STATEMENT_SECONDS = 30.0

MakeDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def postgres_client() -> Iterator[None]:
    """PostgreSQL's own programs are on the PATH: installed ones, or those that came with the unpacked server."""
    installation = find_installation(POSTGRESQL)
    with pytest.MonkeyPatch.context() as patch:
        if shutil.which("pg_dump") is None and installation is not None:
            patch.setenv("PATH", str(installation.root / installation.program.parent), prepend=os.pathsep)
            if installation.library_path:
                patch.setenv("LD_LIBRARY_PATH", installation.library_path, prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The `postgresql://` URL of the session's server, for a role that may create databases."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        request.getfixturevalue("postgres_client")
        yield given
        return
    server = PrivatePostgres()
    try:
        server.start()
    except UnavailableError as error:
        server_is_missing(error)
    request.getfixturevalue("postgres_client")  # after the server, which fetches them
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
