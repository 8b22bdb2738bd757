"""One message: what is asked, what may be done with it, the route, who has it, its versions; and answering it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.open_message import Opened, Version
from bridge.app.desk.route import Members, text
from bridge.app.sending.acknowledge import Seen
from bridge.console.access import Page
from bridge.console.differences import Change, differences
from bridge.console.pages.inbox import MESSAGE_AT, board_of, names_of
from bridge.console.showing import shown_body
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.ports.store.desk import Group, ItemId

LEVELS: Final = ("accepted", "forwarded_nationally", "not_competent", "read")
CONFLICT: Final = 409
LONGEST_REASON: Final = 300
TYPED: Final = ("level", "redirect_to", "note")


async def _message(visit: Visit) -> Response:
    return await _show(visit)


async def _print(visit: Visit) -> Response:
    try:
        opened = await open_here(visit)
    except BadInputError as error:
        return _ask_why(visit, error, "print_for")
    return visit.show("message_print.html", status=200, **shown(visit, opened))


async def _export(visit: Visit) -> Response:
    sender, message_id = _item(visit)
    exporting, item = visit.parts.exporting, (sender, message_id)
    try:
        exported = await exporting.export(
            visit.contact_point, item, officer=visit.person.login, reason=reason_in(visit)
        )
    except BadInputError as error:
        return _ask_why(visit, error, "export_for")
    headers = {"Content-Disposition": f'attachment; filename="ncp-bridge-{message_id}.json"'}
    return Response(json.dumps(exported, ensure_ascii=False, indent=2), media_type="application/json", headers=headers)


async def _acknowledge(visit: Visit) -> Response:
    if visit.field("do") != "acknowledge":  # sent again after a lock: shown once more
        return await _show(visit)
    level, note, ask = (visit.field(name).strip() for name in ("level", "note", "redirect_to"))
    sender, message_id = _item(visit)
    if level not in LEVELS:
        return await _show(visit, status=UNPROCESSABLE, wrong="level")
    item = await visit.parts.reading.item(message_id, contact_point=visit.contact_point, sender=sender)
    acknowledging = await visit.parts.acknowledging()
    try:
        await acknowledging.acknowledge(
            item,
            level=level,
            officer=visit.person.name,
            note=note.replace("\r\n", "\n") or None,
            redirect_to=ask if level == "not_competent" and ask else None,
            login=visit.person.login,
            seen=Seen(visit.field("answer"), visit.field("replaced_by")),
        )
    except BadInputError as error:
        wrong = "redirect_to" if error.path and "redirect_to" in error.path else "note"
        return await _show(visit, status=UNPROCESSABLE, wrong=wrong)
    except RefusedError as error:
        return await _show(visit, status=CONFLICT, refused=error)
    return visit.go("message", sender=sender, message_id=message_id)


def _step(do: Callable[[Visit, ItemId], Awaitable[None]]) -> Callable[[Visit], Awaitable[Response]]:
    async def handler(visit: Visit) -> Response:
        item = _item(visit)
        try:
            await do(visit, item)
        except RefusedError as error:
            return await _show(visit, status=CONFLICT, refused=error)
        return visit.go("message", sender=item[0], message_id=item[1])

    return handler


async def _take(visit: Visit, item: ItemId) -> None:
    work, login = visit.parts.work, visit.person.login
    await work.take(visit.contact_point, item, officer=login, instead_of=visit.field("taken_by"))


async def _give_back(visit: Visit, item: ItemId) -> None:
    await visit.parts.work.give_back(visit.contact_point, item, officer=visit.person.login)


async def _close(visit: Visit, item: ItemId) -> None:
    await visit.parts.work.close(visit.contact_point, item, officer=visit.person.login)


async def _reopen(visit: Visit, item: ItemId) -> None:
    await visit.parts.work.reopen(visit.contact_point, item, officer=visit.person.login)


async def _show(visit: Visit, *, status: int = 200, wrong: str = "", refused: RefusedError | None = None) -> Response:
    try:
        opened = await open_here(visit)
    except BadInputError as error:
        return _ask_why(visit, error, "open_for")
    parts = shown(visit, opened) | {"wrong": wrong, "refused": refused, "members": _members(visit, opened)}
    if visit.is_fragment:
        return visit.show("message_part.html", status=status, **parts, names=await names_of(visit))
    return visit.show("message.html", status=status, **parts, **await board_of(visit))


def _ask_why(visit: Visit, error: BadInputError, then: str) -> Response:
    """Asks for the reason, and keeps what was typed into the answer until it is given; raises what is another fault."""
    if error.code != "E_REASON":
        raise error
    asked = visit.request.method == "POST"
    return visit.show(
        "reason.html",
        status=UNPROCESSABLE if asked else 200,
        then=visit.request.app.url_path_for(then, **visit.request.path_params),
        typed=[(name, visit.field(name)) for name in TYPED if visit.field(name)],
        is_missing=asked,
    )


def reason_in(visit: Visit) -> str:
    """Why the person opens the message, where they were asked."""
    return visit.field("reason").strip()[:LONGEST_REASON]


async def open_here(visit: Visit) -> Opened:
    """The message that the address names; the look is logged."""
    return await visit.parts.opening.open(
        visit.contact_point,
        _item(visit),
        officer=visit.person.login,
        reason=reason_in(visit),
        marks_read=visit.person.may(Permission.ANSWER),
    )


def shown(visit: Visit, opened: Opened) -> dict[str, object]:
    """What the templates of a message show."""
    item, before = opened.item, opened.before
    takes_answer = item is not None and item.acknowledge_by is not None and item.body is not None
    before_body = before.body if before is not None else None
    return shown_body(opened.message.kind, opened.body, visit.words, own=visit.parts.country, before=before_body) | {
        "opened": opened,
        "here": dict(visit.request.path_params),
        "reason": reason_in(visit),
        "message": opened.message,
        "addressed": _addressed(opened),
        "thread": _thread(opened, visit),
        "takes_answer": takes_answer and visit.person.may(Permission.ANSWER),
        "is_in_progress": item is not None and item.group is Group.IN_PROGRESS,
        "levels": LEVELS,
        "shows_kosovo": "XK" in _codes_in(opened.body),
    }


def _codes_in(body: Members) -> frozenset[str]:
    """Every text that stands alone in a body: codes, countries among them."""
    found: set[str] = set()
    waiting: list[object] = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return frozenset(found)


def _thread(opened: Opened, visit: Visit) -> Sequence[tuple[Version, str, Sequence[Change]]]:
    """Each message of the thread, newest first, with what it says in a line and what it changed."""
    known = {(one.sender, one.id): one for one in opened.thread}
    lines = []
    for version in reversed(opened.thread):
        before = known.get((version.sender, version.supersedes or ""))
        has_both = before is not None and before.body and version.body and "legs" in version.body
        changes = differences(before.body, version.body, visit.words) if before is not None and has_both else []
        lines.append((version, text(version.body, "change_summary") or text(version.body, "note"), changes))
    return lines


def _addressed(opened: Opened) -> Sequence[str]:
    to = opened.payload.get("to")
    return [str(one) for one in to] if isinstance(to, list) else []


def _members(visit: Visit, opened: Opened) -> Sequence[str]:
    """Whom an officer may name as competent: every contact point but the two that are talking."""
    try:
        listed = visit.parts.trust.current().contact_points
    except UnavailableError:
        return []
    return sorted(set(listed) - {visit.contact_point, opened.message.sender})


def _item(visit: Visit) -> ItemId:
    path = visit.request.path_params
    return str(path["sender"]), str(path["message_id"])


PAGES: Final = (
    Page(MESSAGE_AT, "message", _message, Permission.READ_MESSAGES, tab="inbox"),
    Page(MESSAGE_AT, "open_for", _message, Permission.READ_MESSAGES, "POST", tab="inbox"),
    Page(f"{MESSAGE_AT}/print", "message_print", _print, Permission.READ_MESSAGES, tab="inbox"),
    Page(f"{MESSAGE_AT}/export", "export", _export, Permission.READ_MESSAGES),
    Page(f"{MESSAGE_AT}/print", "print_for", _print, Permission.READ_MESSAGES, "POST", tab="inbox"),
    Page(f"{MESSAGE_AT}/export", "export_for", _export, Permission.READ_MESSAGES, "POST"),
    Page(f"{MESSAGE_AT}/acknowledge", "acknowledge", _acknowledge, Permission.ANSWER, "POST"),
    Page(f"{MESSAGE_AT}/take", "take", _step(_take), Permission.ANSWER, "POST"),
    Page(f"{MESSAGE_AT}/give-back", "give_back", _step(_give_back), Permission.ANSWER, "POST"),
    Page(f"{MESSAGE_AT}/close", "close", _step(_close), Permission.ANSWER, "POST"),
    Page(f"{MESSAGE_AT}/reopen", "reopen", _step(_reopen), Permission.ANSWER, "POST"),
)
