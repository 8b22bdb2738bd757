"""Releasing an alert: what waits for a second person, as recipients will see it; and what left without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.checking import recipients_key
from bridge.app.desk.drafts import OpenDraft
from bridge.app.desk.releasing import ReleaseAlerts, is_second
from bridge.console.access import Handler, Page
from bridge.console.showing import shown_body
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.console.writing.documents import revision_in
from bridge.console.writing.faults import faults_of, questions_of, refusal_in_words
from bridge.console.writing.recipients import preview_of, shown_recipients
from bridge.core.errors import BadInputError, BridgeError, RefusedError, UnavailableError
from bridge.ports.store.drafts import RELEASED, SUBMITTED

Work = Callable[[Visit, ReleaseAlerts, int], Awaitable[None]]

CONFLICT: Final = 409
UNAVAILABLE: Final = 503


async def _list(visit: Visit) -> Response:
    waiting = await visit.parts.drafts.list(visit.person, (SUBMITTED,))
    async with visit.parts.store.reading() as unit:
        alone = await unit.drafts.to_review(visit.contact_point, limit=50)
    return visit.show("release_list.html", waiting=waiting, alone=alone, done=visit.query("done"))


async def _one(visit: Visit) -> Response:
    return await _show(visit)


def _button(do: str, work: Work, then: Callable[[Visit], Response]) -> Handler:
    """What a button does; a form without it was sent again after a lock, and is shown once more."""

    async def handler(visit: Visit) -> Response:
        if visit.field("do") != do:
            return await _show(visit)
        try:
            await work(visit, await visit.parts.releasing(), revision_in(visit.field("revision")))
        except BridgeError as error:
            return await _show(visit, refusal=error)
        return then(visit)

    return handler


async def _release(visit: Visit, releasing: ReleaseAlerts, revision: int) -> None:
    await releasing.release(_id(visit), visit.person, revision=revision, recipients=visit.field("recipients"))


async def _return(visit: Visit, releasing: ReleaseAlerts, revision: int) -> None:
    await releasing.return_to_author(_id(visit), visit.person, revision=revision, note=_note(visit))


async def _review(visit: Visit, releasing: ReleaseAlerts, revision: int) -> None:
    await releasing.review(_id(visit), visit.person, revision=revision, note=_note(visit))


async def _withdraw(visit: Visit, releasing: ReleaseAlerts, revision: int) -> None:
    await releasing.withdraw(_id(visit), visit.person, revision=revision)


def _to_list(done: str) -> Callable[[Visit], Response]:
    return lambda visit: visit.go("release", query={"done": done})


def _to_released(visit: Visit) -> Response:
    return visit.go("release_one", draft_id=_id(visit), query={"done": "released"})


def _to_form(visit: Visit) -> Response:
    return visit.go("compose_draft", draft_id=_id(visit))


async def _show(visit: Visit, *, refusal: BridgeError | None = None) -> Response:
    words = visit.words
    draft = await visit.parts.drafts.open(_id(visit), visit.person)
    context: dict[str, object] = {
        "draft": draft,
        "done": visit.query("done"),
        "note": visit.field("note"),
        "is_second": is_second(draft, visit.person),
        "refusal": (refusal_in_words(refusal.code, words) or words.text("This could not be done")) if refusal else "",
        "refusal_code": refusal.code if refusal else "",
        "refusal_detail": refusal.message if refusal else "",
    }
    if draft.record.state == RELEASED:
        return visit.show("released.html", status=_status(refusal), **context)
    if draft.record.state != SUBMITTED:
        return _elsewhere(visit)
    before = draft.record.supersedes
    shown = shown_body(
        draft.record.kind,
        draft.written.body,
        words,
        own=visit.parts.country,
        before=await visit.parts.own_alerts.body_of(before, visit.person) if before else None,
    )
    return visit.show(
        "release.html",
        status=_status(refusal),
        **context,
        **shown,
        **await _recipients(visit, draft),
    )


def _elsewhere(visit: Visit) -> Response:
    """Where a draft that is being written again is for this person."""
    if visit.person.may(Permission.WRITE_ALERTS):
        return _to_form(visit)
    return visit.go("release" if visit.person.may(Permission.RELEASE) else "inbox")


async def _recipients(visit: Visit, draft: OpenDraft) -> dict[str, object]:
    """Who would receive it now, what is unusual about it, and what has changed since it was submitted."""
    words = visit.words
    preview = await preview_of(visit, draft.written.document)
    context: dict[str, object] = {"recipients": "", "faults": (), "questions": (), "unavailable": ""}
    try:
        checked = await (await visit.parts.releasing()).check(draft.written, sender=visit.contact_point)
        context["faults"] = faults_of(checked, words)
        context["questions"] = questions_of(checked.marked, words)
        context["recipients"] = recipients_key(checked.draft.plan) if checked.draft else ""
    except UnavailableError as error:
        context["unavailable"] = refusal_in_words(error.code, words) or error.message
    now = {recipient.id for recipient in preview.plan.recipients} if preview else set()
    before = set(draft.written.recipients)
    return (
        shown_recipients(visit, preview)
        | context
        | {
            "is_partial": draft.written.is_partial,
            "may_choose": False,
            "shows_kosovo": "XK" in str(draft.written.body) or any(name.startswith("xk.") for name in now),
            "added": sorted(now - before),
            "gone": sorted(before - now) if preview else [],
        }
    )


def _status(refusal: BridgeError | None) -> int:
    if isinstance(refusal, UnavailableError):
        return UNAVAILABLE
    if isinstance(refusal, RefusedError):
        return CONFLICT
    return UNPROCESSABLE if isinstance(refusal, BadInputError) else 200


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["draft_id"])


def _note(visit: Visit) -> str:
    return visit.field("note").replace("\r\n", "\n")


_SEND: Final = _button("release", _release, _to_released)
_GIVE_BACK: Final = _button("return", _return, _to_list("returned"))
_REVIEWED: Final = _button("review", _review, _to_list("reviewed"))
_TAKE_BACK: Final = _button("withdraw", _withdraw, _to_form)
_AT: Final = "/release/{draft_id}"
PAGES: Final = (
    Page("/release", "release", _list, Permission.RELEASE),
    Page(_AT, "release_one", _one, Permission.READ_MESSAGES, tab="release"),
    Page(f"{_AT}/release", "release_now", _SEND, Permission.RELEASE, "POST", tab="release"),
    Page(f"{_AT}/return", "return_draft", _GIVE_BACK, Permission.RELEASE, "POST", tab="release"),
    Page(f"{_AT}/review", "review_draft", _REVIEWED, Permission.RELEASE, "POST", tab="release"),
    Page(f"{_AT}/withdraw", "withdraw_draft", _TAKE_BACK, Permission.WRITE_ALERTS, "POST", tab="compose"),
)
