"""What scripts ask for on their own: the stream of news, what is new since a page was made, what became of a message.

None of them holds a word of a message, and none keeps a session awake.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from starlette.responses import JSONResponse, Response, StreamingResponse

from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.banners import banners_for, waiting_for
from bridge.console.guard.session import token_in
from bridge.console.language import marked
from bridge.console.news import ANYTHING, BROKER, SESSION, Listener, News
from bridge.console.pages.inbox import names_of
from bridge.console.visit import Visit
from bridge.core.errors import UnavailableError
from bridge.core.vocabulary import ALERT_CANCEL

BEAT_SECONDS: Final = 5.0  # also how soon a stream ends after a session was locked
RETRY_MILLISECONDS: Final = 2000
MOST_DIGITS: Final = 18
MOST_ENTRIES: Final = 20
_ENDED: Final = "event: ended\ndata: {}\n\n"
_SAID: Final[Mapping[str, str]] = {
    "message.acknowledged": marked("{who} has acknowledged this message."),
    "message.taken": marked("{who} has taken this message in hand."),
    "message.given_back": marked("{who} has given this message back."),
    "message.closed": marked("{who} has closed this message."),
    "message.reopened": marked("{who} has opened this message again."),
}


async def _events(visit: Visit) -> Response:
    """Server-sent events, until the session ends."""
    session = visit.signed_in
    listener = visit.parts.live.listen(visit.person, session.digest if session else b"")
    if listener is None:
        return Response(status_code=503, headers={"Retry-After": "30"})
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(visit, listener), media_type="text/event-stream", headers=headers)


async def _stream(visit: Visit, listener: Listener) -> AsyncIterator[str]:
    live = visit.parts.live
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        for news in await _first(visit):
            if listener.may_know(news):
                yield _event(news, visit)
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while not listener.is_closed:
            found = await listener.next(BEAT_SECONDS)
            is_time = not found or loop.time() >= looked_at + BEAT_SECONDS
            if is_time or any(one.topic == SESSION for one in found):
                if not await _is_signed_in(visit):
                    yield _ENDED
                    return
                looked_at = loop.time()
            for news in found:
                if news.topic != SESSION:
                    yield _event(news, visit)
            if not found:
                yield ": still here\n\n"
    finally:
        live.leave(listener)


async def _first(visit: Visit) -> Sequence[News]:
    """Whether the broker is there, and what a stream that was interrupted has missed."""
    last = visit.request.headers.get("last-event-id", "")
    state = [News(BROKER)] if visit.parts.live.is_receiving is not None else []
    if not last:
        return state
    if not (last.isascii() and last.isdecimal() and len(last) <= MOST_DIGITS):
        return [*state, News(ANYTHING)]
    try:
        return [*state, *await visit.parts.live.missed(int(last))]
    except UnavailableError:
        return [*state, News(ANYTHING)]


async def _is_signed_in(visit: Visit) -> bool:
    token = token_in(visit.request, visit.parts.country)
    try:
        signed_in = await visit.parts.sign_in.session(token, is_use=False) if token else None
    except UnavailableError:
        return True  # nothing is told either while the database is away
    return signed_in is not None and not signed_in.is_locked


def _event(news: News, visit: Visit) -> str:
    about: dict[str, object] = {"id": news.subject} if news.subject is not None else {}
    if news.topic == BROKER:
        about = {"receives": visit.parts.live.is_receiving}
    place = f"id: {news.position}\n" if news.position is not None else ""
    return f"{place}event: {news.topic}\ndata: {json.dumps(about)}\n\n"


async def _news(visit: Visit) -> Response:
    """How much has arrived behind a place in the inbox, and the banners of this moment."""
    waiting, after = waiting_for(visit), visit.query("after")
    newest = waiting.newest if waiting is not None else None
    count = 0
    if newest is not None and after.isascii() and after.isdecimal() and len(after) <= MOST_DIGITS:
        async with visit.parts.store.reading() as unit:
            count = await unit.happenings.count_arrivals(visit.contact_point, after=int(after))
    text = visit.words.count("{n} new message, show", "{n} new messages, show", count) if count else ""
    banners = [asdict(banner) for banner in banners_for(visit)]
    return JSONResponse({"newest": newest, "count": count, "text": text, "banners": banners})


async def _changed(visit: Visit) -> Response:
    """What has become of one message since a page showed it, in a sentence."""
    sender, message_id = visit.request.path_params["sender"], visit.request.path_params["message_id"]
    own, words = visit.contact_point, visit.words
    async with visit.parts.store.reading() as unit:
        newer = await unit.desk.replaced_by(own, (sender, message_id))
        found = await unit.desk.get(own, newer) if newer is not None else None
        entries = await unit.audit.list(subject=message_id, limit=MOST_ENTRIES)
    text, address = "", visit.request.app.url_path_for("message", sender=sender, message_id=message_id)
    last = next((one for one in entries if one.contact_point == own and one.action in _SAID), None)
    if found is not None:
        is_cancel = found.kind == ALERT_CANCEL
        text = words.text("This alert was cancelled.") if is_cancel else words.text("A newer version has arrived.")
        address = visit.request.app.url_path_for("message", sender=found.sender, message_id=found.id)
    elif last is not None and last.actor != visit.person.login:
        text = words.text(_SAID[last.action], who=(await names_of(visit)).get(last.actor, last.actor))
    return JSONResponse({"text": text, "label": words.text("Show"), "address": address})


PAGES: Final = (
    Page("/events", "events", _events, Permission.OWN_ACCOUNT, is_background=True),
    Page("/live/news", "news", _news, Permission.OWN_ACCOUNT, is_background=True),
    Page(
        "/message/{sender}/{message_id}/changed",
        "message_changed",
        _changed,
        Permission.READ_MESSAGES,
        is_background=True,
    ),
)
