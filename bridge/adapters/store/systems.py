"""Tokens of national systems, and what they submitted under which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, delete, insert, select, update

from bridge.adapters.store.system_tables import api_token, submission
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.systems import SubmissionRecord, TokenRecord

_TOKEN: Final = tuple(column.name for column in api_token.columns)
_SUBMISSION: Final = tuple(column.name for column in submission.columns)


class SqlSystems:
    """Implements `bridge.ports.store.systems.Systems`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add_token(self, token: TokenRecord) -> bool:
        """Stores a new token; answers whether its name was free."""
        values = asdict(token) | {"scopes": list(token.scopes)}
        statement = self._transaction.insert(api_token).values(values)
        return await self._transaction.change(statement.on_conflict_do_nothing(index_elements=[api_token.c.name])) == 1

    async def token(self, digest: bytes) -> TokenRecord | None:
        """A token by its digest, whatever became of it."""
        rows = await self._transaction.rows(select(api_token).where(api_token.c.digest == digest))
        return _token(rows[0]) if rows else None

    async def tokens(self) -> Sequence[TokenRecord]:
        """All tokens, by name."""
        return [_token(row) for row in await self._transaction.rows(select(api_token).order_by(api_token.c.name))]

    async def revoke_token(self, name: str, at: datetime) -> bool:
        """Revokes a token; answers whether there was one that was not."""
        open_one = update(api_token).where(api_token.c.name == name, api_token.c.revoked_at.is_(None))
        return await self._transaction.change(open_one.values(revoked_at=at)) == 1

    async def see_token(self, name: str, at: datetime) -> None:
        """Notes when it was used."""
        await self._transaction.change(update(api_token).where(api_token.c.name == name).values(used_at=at))

    async def submission(self, token: str, key: str) -> SubmissionRecord | None:
        """What was submitted under a key."""
        query = select(submission).where(submission.c.token == token, submission.c.key == key)
        rows = await self._transaction.rows(query)
        return SubmissionRecord(**{name: rows[0][name] for name in _SUBMISSION}) if rows else None

    async def begin_submission(self, token: str, key: str) -> SubmissionRecord | None:
        """What was submitted under a key; nobody else submits under it before this transaction ends."""
        await self._transaction.take_turn(f"submission {token} {key}")
        return await self.submission(token, key)

    async def note_submission(self, noted: SubmissionRecord) -> None:
        """Stores a submission, which this transaction has begun."""
        await self._transaction.change_each(insert(submission), [asdict(noted)])

    async def forget_submissions(self, *, before: datetime) -> int:
        """Removes submissions made before a moment; answers how many."""
        return await self._transaction.change(delete(submission).where(submission.c.at < before))


def _token(row: RowMapping) -> TokenRecord:
    return TokenRecord(**{name: row[name] for name in _TOKEN} | {"scopes": tuple(row["scopes"])})
