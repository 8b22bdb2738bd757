"""The queue of notices; what is due is found by a partial index that holds nothing that was settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import Update, case, delete, func, insert, select, update

from bridge.adapters.store.desk_tables import notice, unsent_notice
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.notices import NoticeRecord

_COLUMNS: Final = tuple(column for column in notice.c if column.name != "position")


class SqlNotices:
    """Implements `bridge.ports.store.notices.Notices`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, notices: Sequence[NoticeRecord]) -> None:
        """Stores notices, except where one of the same channel, contact point and occasion waits for its first try."""
        same = (notice.c.channel, notice.c.contact_point, notice.c.occasion)
        rows = await self._transaction.rows(select(*same).where(unsent_notice, notice.c.attempts == 0))
        waiting = {tuple(row.values()) for row in rows}
        for one in notices:
            key = (one.channel, one.contact_point, one.occasion)
            if key not in waiting:
                waiting.add(key)
                await self._transaction.change_each(insert(notice), [asdict(one)])

    async def claim(
        self, channels: Collection[str], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[NoticeRecord]:
        """Takes what is due; nobody else gets it before `until`. Each counts as one attempt."""
        due = (
            select(*_COLUMNS)
            .where(unsent_notice, notice.c.next_attempt_at <= now, notice.c.channel.in_(channels))
            .order_by(notice.c.next_attempt_at, notice.c.position)
            .limit(limit)
        )
        claimed = []
        for row in await self._transaction.rows(due):
            found = NoticeRecord(**row)
            taken = (
                update(notice)
                .where(unsent_notice, notice.c.id == found.id, notice.c.attempts == found.attempts)
                .values(attempts=found.attempts + 1, next_attempt_at=until)
            )
            if await self._transaction.change(taken) == 1:
                claimed.append(NoticeRecord(**dict(row) | {"attempts": found.attempts + 1, "next_attempt_at": until}))
        return claimed

    async def mark_sent(self, notice_id: str, at: datetime) -> None:
        """It went out."""
        await self._transaction.change(_one(notice_id).values(sent_at=at, next_attempt_at=None, last_error=None))

    async def mark_failed(self, notice_id: str, *, next_attempt_at: datetime, error: str) -> None:
        """It did not, and is tried again."""
        await self._transaction.change(_one(notice_id).values(next_attempt_at=next_attempt_at, last_error=error))

    async def give_up(self, notice_id: str, at: datetime, *, error: str) -> None:
        """It did not, and is not tried again."""
        await self._transaction.change(_one(notice_id).values(given_up_at=at, next_attempt_at=None, last_error=error))

    async def counts(self, *, since: datetime) -> Mapping[str, tuple[int, int]]:
        """Channel -> how many wait, and how many were given up since a moment."""
        waiting = func.sum(case((unsent_notice, 1), else_=0)).label("waiting")
        given_up = func.sum(case((notice.c.given_up_at > since, 1), else_=0)).label("given_up")
        query = select(notice.c.channel, waiting, given_up).group_by(notice.c.channel)
        rows = await self._transaction.rows(query)
        return {row["channel"]: (int(row["waiting"]), int(row["given_up"])) for row in rows}

    async def forget(self, *, before: datetime) -> int:
        """Removes what was settled and made before a moment; answers how many."""
        return await self._transaction.change(
            delete(notice).where(notice.c.next_attempt_at.is_(None), notice.c.created_at < before)
        )


def _one(notice_id: str) -> Update:
    return update(notice).where(notice.c.id == notice_id, unsent_notice)
