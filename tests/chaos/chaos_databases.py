"""Reads the countries' databases as any operator could: plain SQL, read-only, nothing of the product's code."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import asyncpg
from chaos_world import Country

PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.2

Row = tuple[Any, ...]


async def rows(country: Country, query: str, *values: object, seconds: float = PATIENCE_SECONDS) -> Sequence[Row]:
    """The rows of a query; parameters stand in it as $1, $2. A database that is away is waited for.

    Raises:
        TimeoutError: it did not answer in time.
    """
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await _ask(country, query, values)
            except (OSError, sqlite3.OperationalError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if "no such table" in str(error) or "syntax" in str(error):
                    raise
                await asyncio.sleep(PAUSE_SECONDS)


async def _ask(country: Country, query: str, values: Sequence[object]) -> Sequence[Row]:
    if country.database is not None:
        return await asyncio.to_thread(_ask_file, country, query, values)
    connection = await asyncpg.connect(country.database_url, timeout=5)
    try:
        return [tuple(row) for row in await connection.fetch(query, *values, timeout=PATIENCE_SECONDS)]
    finally:
        await connection.close(timeout=5)


def _ask_file(country: Country, query: str, values: Sequence[object]) -> Sequence[Row]:
    address = f"file:{country.database}?mode=ro"
    numbered = {str(number): value for number, value in enumerate(values, 1)}
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE_SECONDS)) as connection:
        return connection.execute(query, numbered).fetchall()
