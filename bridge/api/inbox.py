"""The inbox of the token's contact point: what arrived, opened for a person, answered in a person's name."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from bridge.api.door import check_again, with_scope
from bridge.api.fields import Officer
from bridge.api.parts import parts_of
from bridge.api.strict_route import StrictRoute
from bridge.app.integrating.tokens import Scope, System
from bridge.app.read_message import item_summary
from bridge.app.receiving.unchecked import checked_at
from bridge.core.errors import BadInputError
from bridge.core.ids import CONTACT_POINT_PATTERN, MESSAGE_ID_PATTERN
from bridge.core.messages.fields import TEXT_PATTERN
from bridge.core.wire import base64url

router: Final = APIRouter(prefix="/inbox", tags=["inbox"], route_class=StrictRoute)

MOST_ITEMS: Final = 200
MOST_SECONDS: Final = 30
POLL_SECONDS: Final = 0.3
LONGEST_CURSOR: Final = 400
# <contact point>/<id>/<sender>, as the store names an item
_CURSOR: Final = re.compile(
    "/".join(p[1:-1] for p in (CONTACT_POINT_PATTERN, MESSAGE_ID_PATTERN, CONTACT_POINT_PATTERN))
)

Sender = Annotated[str, Path(pattern=CONTACT_POINT_PATTERN, description="Who sent it; ids are unique per sender.")]
MessageId = Annotated[str, Path(pattern=MESSAGE_ID_PATTERN)]


class Item(BaseModel):
    """A message that arrived: what its envelope says, nothing of what is sealed. `cursor` continues behind it."""

    cursor: str
    id: str
    contact_point: str
    sender: Annotated[str, Field(alias="from")]
    kind: str
    urgency: str
    status: str
    received_at: str
    state: Annotated[str, Field(description="new, read, acknowledged, or expired: it came too late, ask the sender.")]
    acknowledge_by: str | None
    thread: str | None
    supersedes: str | None
    supersedes_from: str | None
    of: str | None
    of_from: str | None
    membership_checked_at: str | None


class Page(BaseModel):
    """Items, oldest first; `next` is what to ask for after them, also when there was nothing new."""

    items: list[Item]
    next: str | None


class Opening(BaseModel):
    """Who looks at a body, and why where the kind asks for a reason; it goes into the audit log first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    officer: Officer
    reason: Annotated[str, Field(max_length=500, pattern=TEXT_PATTERN)] = ""


class Opened(BaseModel):
    """A message as it came: the signed payload, what was sealed, what proves it, and what was answered."""

    id: str
    envelope: dict[str, Any]
    body: dict[str, Any]
    signature: dict[str, Any]
    receipts: list[dict[str, Any]]
    membership_checked_at: str | None


class Acknowledgement(BaseModel):
    """An officer's answer; their name travels in it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    officer: Officer
    level: Literal["delivered", "read", "accepted", "forwarded_nationally", "not_competent"]
    note: Annotated[str | None, Field(max_length=2000)] = None
    redirect_to: Annotated[str | None, Field(pattern=CONTACT_POINT_PATTERN)] = None


class Acknowledged(BaseModel):
    """The answer that was stored, and is being delivered."""

    id: str
    of: str
    level: str


@router.get(
    "",
    operation_id="readInbox",
    summary="What arrived, oldest first",
    response_description="Items, oldest first, and where to go on.",
)
async def list_items(
    request: Request,
    system: Annotated[System, Depends(with_scope(Scope.INBOX))],
    after: Annotated[str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the answer before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS)] = 50,
    wait: Annotated[int, Query(ge=0, le=MOST_SECONDS, description="Seconds to wait for something new.")] = 0,
) -> Page:
    """Nothing is stepped over: keep `next` once the items are dealt with, and begin there. Nothing is marked."""
    parts = parts_of(request)
    cursor = None if after is None else _cursor(after, system.contact_point)
    end = asyncio.get_running_loop().time() + wait
    has_waited = False
    while True:
        async with parts.store.reading() as unit:
            found = await unit.inbox.list(contact_point=system.contact_point, after=cursor, limit=limit)
            marks = await checked_at(unit) if found else {}
        if found or asyncio.get_running_loop().time() >= end or await request.is_disconnected():
            break
        await asyncio.sleep(POLL_SECONDS)
        has_waited = True
    if has_waited:
        await check_again(request)
    items = [Item(cursor=_opaque(one.cursor), **item_summary(one, marks=marks)) for one in found]
    return Page(items=items, next=items[-1].cursor if items else after)


@router.post(
    "/{sender}/{message_id}/open",
    operation_id="openMessage",
    summary="Open a message",
    response_description="The message as it came.",
)
async def open_message(
    request: Request,
    sender: Sender,
    message_id: MessageId,
    opening: Opening,
    system: Annotated[System, Depends(with_scope(Scope.INBOX))],
) -> Opened:
    """The look is logged before the body is handed out; the item is `read` from now on."""
    shown = await parts_of(request).reading.show(
        message_id,
        contact_point=system.contact_point,
        sender=sender,
        officer=_by(system, opening.officer),
        reason=opening.reason,
    )
    return Opened.model_validate(shown)


@router.post(
    "/{sender}/{message_id}/acknowledgements",
    operation_id="acknowledge",
    summary="Answer a message",
    status_code=201,
    response_description="Stored, and being delivered.",
)
async def acknowledge(
    request: Request,
    sender: Sender,
    message_id: MessageId,
    answer: Acknowledgement,
    system: Annotated[System, Depends(with_scope(Scope.ACKNOWLEDGE))],
) -> Acknowledged:
    """Signed, sealed, back to the sender. Answering again is another answer; the sender keeps the last."""
    parts = parts_of(request)
    item = await parts.reading.item(message_id, contact_point=system.contact_point, sender=sender)
    acknowledging = await parts.acknowledging()
    sent = await acknowledging.acknowledge(
        item,
        level=answer.level,
        officer=answer.officer.strip(),
        note=answer.note,
        redirect_to=answer.redirect_to,
        login=_by(system, answer.officer),
    )
    return Acknowledged(id=sent.id, of=message_id, level=answer.level)


def _by(system: System, officer: str) -> str:
    return f"api:{system.name}/{officer.strip()}"


def _opaque(cursor: str) -> str:
    return base64url.encode(cursor.encode())


def _cursor(opaque: str, contact_point: str) -> str:
    try:
        cursor = base64url.decode(opaque).decode()
    except ValueError:
        cursor = ""
    if _CURSOR.fullmatch(cursor) is None or not cursor.startswith(f"{contact_point}/"):
        raise BadInputError("E_CURSOR", "after: expected `next` of an answer before", path="query.after")
    return cursor
