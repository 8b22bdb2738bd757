"""The audit log: who did what to which message, when. It holds no word of a message, and looking at it is in it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.audit.chain import ChainChecked
from bridge.console.access import Page
from bridge.console.visit import Visit
from bridge.ports.store.records import AuditEntry

PAGE_SIZE: Final = 100
MOST_DIGITS: Final = 18  # of a place in the log, as the database counts


async def _audit(visit: Visit) -> Response:
    return await _show(visit)


async def _check_chain(visit: Visit) -> Response:
    return await _show(visit, checked=await visit.parts.audit_chain.check())


async def _show(visit: Visit, *, checked: ChainChecked | None = None) -> Response:
    subject, action = visit.query("subject").strip(), visit.query("action").strip()
    before = visit.query("before")
    place = int(before) if before.isdecimal() and len(before) <= MOST_DIGITS else None
    async with visit.parts.store.writing() as unit:
        detail = {"subject": subject, "action": action}
        looked = AuditEntry(visit.parts.clock.now(), visit.person.login, "audit.read", None, None, detail)
        await unit.audit.add([looked])
    async with visit.parts.store.reading() as unit:  # an action alone is looked for in the whole log: nobody waits
        placed = await unit.audit.page(subject=subject or None, action=action or None, before=place, limit=PAGE_SIZE)
    return visit.show(
        "audit.html",
        entries=[entry for _, entry in placed],
        subject=subject,
        action=action,
        checked=checked,
        older=placed[-1][0] if len(placed) == PAGE_SIZE else None,
    )


PAGES: Final = (
    Page("/audit", "audit", _audit, Permission.READ_AUDIT, tab="operations"),
    Page("/audit", "check_chain", _check_chain, Permission.READ_AUDIT, "POST", tab="operations"),
)
