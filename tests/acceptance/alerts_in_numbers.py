"""Many alerts, submitted as `alert submit` does but in one process, and where they have come to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge_countries import ALERTS, Country

from bridge.compose.node import open_node
from bridge.core.messages import AlertFile, read_alert_file
from bridge.settings import load_settings

if TYPE_CHECKING:
    from bridge.app.sending.send import Draft
    from bridge.compose.node import Node

ALERT = "01-rs-at-construction-recruitment-agency.json"  # Serbia, to Hungary's two contact points and to Austria's
IN_ONE_TRANSACTION = 100


async def prepare(node: Node, *, urgency: str, to: Sequence[str] = ()) -> Draft:
    """The sample alert, prepared; only to some of its recipients where they are named."""
    alert = read_alert_file((ALERTS / ALERT).read_bytes())
    assert isinstance(alert, AlertFile)
    submitting = await node.submitting()
    draft = await submitting.prepare(replace(alert, urgency=urgency), sender=node.hosted[0])
    if not to:
        return draft
    wanted = tuple(one for one in draft.plan.recipients if one.id in to)
    return replace(draft, plan=replace(draft.plan, recipients=wanted, unreachable=()))


def submit_many(country: Country, count: int, *, urgency: str = "expected", to: Sequence[str] = ()) -> list[str]:
    """Submits the sample alert so often; answers the ids."""
    return asyncio.run(_submit_many(country, count, urgency, to))


async def _submit_many(country: Country, count: int, urgency: str, to: Sequence[str]) -> list[str]:
    ids: list[str] = []
    async with open_node(load_settings(country.config)) as node:
        draft = await prepare(node, urgency=urgency, to=to)
        sending = (await node.submitting()).sending
        while len(ids) < count:
            async with node.store.writing() as unit:
                for _ in range(min(IN_ONE_TRANSACTION, count - len(ids))):
                    ids.append((await sending.send_in(unit, draft, sender=node.hosted[0])).id)  # noqa: PERF401
    return ids


def arrived(country: Country, contact_point: str) -> Mapping[str, int]:
    """How often each message is in the inbox of a contact point."""
    query = "SELECT id, count(*) FROM inbox WHERE contact_point = ? GROUP BY id"
    with closing(sqlite3.connect(f"file:{country.folder / 'node.db'}?mode=ro", uri=True)) as database:
        return dict(database.execute(query, (contact_point,)).fetchall())


def waiting(country: Country) -> int:
    """How many rows wait in the node's outbox."""
    with closing(sqlite3.connect(f"file:{country.folder / 'node.db'}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM outbox WHERE sent_at IS NULL").fetchone()
    return int(count)
