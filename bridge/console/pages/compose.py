"""Writing an alert: the form, its check, what follows from it while somebody types, and asking for its release."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.checking import Checked, marked_in
from bridge.app.desk.drafts import OpenDraft, Written
from bridge.console.access import Page
from bridge.console.differences import differences
from bridge.console.showing import route_map
from bridge.console.visit import SEE_OTHER, UNPROCESSABLE, SentForm, Visit
from bridge.console.writing.changing import change
from bridge.console.writing.documents import document_of, revision_in
from bridge.console.writing.faults import faults_of, questions_of, refusal_in_words
from bridge.console.writing.fields import field_id
from bridge.console.writing.form import Form
from bridge.console.writing.kinds import FORMS, new_alert
from bridge.console.writing.recipients import preview_of, shown_recipients
from bridge.core.errors import BadInputError, BridgeError, RefusedError, UnavailableError
from bridge.core.ids import MESSAGE_ID_PATTERN
from bridge.core.vocabulary import ROUTE_ALERT
from bridge.ports.store.drafts import DISCARDED, RELEASED, SUBMITTED

CONFLICT: Final = 409
UNAVAILABLE: Final = 503
_ID: Final = re.compile(MESSAGE_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One form as it is shown.

    Attributes:
        revision: that it was made from; 0 for a draft that is not stored yet.
        window: names this window, so that its own requests do not stand in each other's way.
        checked: what a check found; `None` where nobody asked for one.
        refusal: why something was not done.
    """

    draft_id: str
    revision: int
    written: Written
    window: str
    saved_at: datetime | None = None
    decided_by: str = ""
    checked: Checked | None = None
    refusal: BridgeError | None = None
    is_conflict: bool = False


async def _new(visit: Visit) -> Response:
    document = new_alert(country=visit.parts.country, language=visit.words.tag)
    return await _show(visit, _Sheet(_fresh_id(visit), 0, Written(document), secrets.token_urlsafe(9)))


async def _draft(visit: Visit) -> Response:
    draft = await visit.parts.drafts.open(str(visit.request.path_params["draft_id"]), visit.person)
    if draft.record.state not in ("writing", "returned"):
        return visit.go("release_one", draft_id=draft.record.id)
    if draft.record.author != visit.person.login:
        return visit.show("compose_other.html", draft=draft)
    return await _show(visit, _sheet_of(draft))


async def _take_over(visit: Visit) -> Response:
    draft_id, revision = str(visit.request.path_params["draft_id"]), revision_in(visit.field("revision"))
    await visit.parts.drafts.take_over(draft_id, visit.person, revision=revision)
    return visit.go("compose_draft", draft_id=draft_id)


async def _keep(visit: Visit) -> Response:
    """Whatever the button says, what was typed is saved first."""
    do, typed = visit.field("do"), await _typed(visit)
    document = dict(typed.written.document)
    next_field = change(document, do, language=visit.field("add_language"))
    try:
        if do == "fork":
            saved = await visit.parts.drafts.fork(typed.draft_id, visit.person, typed.written)
        else:
            saved = await _save(visit, replace(typed, written=replace(typed.written, document=document)))
    except RefusedError as error:
        done = await _done_before(visit, typed)
        return done or await _show(visit, replace(typed, refusal=error, is_conflict=True), status=CONFLICT)
    sheet = _sheet_of(saved)
    if do in _DOES:
        return await _DOES[do](visit, sheet)
    address = visit.request.app.url_path_for("compose_draft", draft_id=saved.record.id)
    return RedirectResponse(f"{address}#{field_id(next_field)}" if next_field else address, SEE_OTHER)


async def _done_before(visit: Visit, sheet: _Sheet) -> Response | None:
    """Where a button leads that was pressed twice: its first press has done it."""
    written = replace(sheet.written, window=_window(visit))
    state = await visit.parts.drafts.state_of(sheet.draft_id, visit.person, written)
    if state == DISCARDED and visit.field("do") == "discard":
        return visit.go("compose")
    if state in (SUBMITTED, RELEASED):
        return visit.go("release_one", draft_id=sheet.draft_id, query={"done": state})
    return None


async def _live(visit: Visit) -> Response:
    """While somebody types: saves, and answers what follows from it."""
    typed = await _typed(visit)
    try:
        saved = await _save(visit, typed)
        sheet = replace(typed, revision=saved.record.revision, saved_at=saved.record.changed_at)
    except BridgeError as error:
        sheet = replace(typed, refusal=error)
    return visit.show("compose/live.html", status=200, **await _following(visit, sheet))


async def _check(visit: Visit, sheet: _Sheet) -> Response:
    try:
        checked = await _checked(visit, sheet)
    except UnavailableError as error:
        return await _show(visit, replace(sheet, refusal=error), status=UNAVAILABLE)
    return await _show(visit, replace(sheet, checked=checked), status=UNPROCESSABLE if checked.is_open else 200)


async def _submit(visit: Visit, sheet: _Sheet) -> Response:
    try:
        releasing = await visit.parts.releasing()
        await releasing.submit(sheet.draft_id, visit.person, revision=sheet.revision)
    except BridgeError as error:
        return await _not_done(visit, sheet, error)
    return visit.go("release_one", draft_id=sheet.draft_id, query={"done": "submitted"})


async def _emergency(visit: Visit, sheet: _Sheet) -> Response:
    reason = visit.field("reason").replace("\r\n", "\n")
    try:
        releasing = await visit.parts.releasing()
        await releasing.release_in_emergency(
            sheet.draft_id, visit.person, revision=sheet.revision, reason=reason, window=_window(visit)
        )
    except BridgeError as error:
        return await _not_done(visit, sheet, error)
    return visit.go("release_one", draft_id=sheet.draft_id, query={"done": "released"})


async def _not_done(visit: Visit, sheet: _Sheet, error: BridgeError) -> Response:
    """The form with everything that stands against it; `error` itself where the check finds nothing."""
    if isinstance(error, UnavailableError):
        return await _show(visit, replace(sheet, refusal=error), status=UNAVAILABLE)
    done = await _done_before(visit, sheet)
    if done is not None:
        return done
    checked = await _checked(visit, sheet)
    own = None if checked.is_open else error
    return await _show(visit, replace(sheet, checked=checked, refusal=own), status=UNPROCESSABLE)


async def _discard(visit: Visit, sheet: _Sheet) -> Response:
    """What was saved is destroyed, also for what is still on its way from this window."""
    await visit.parts.drafts.discard(sheet.draft_id, visit.person, revision=sheet.revision, window=_window(visit))
    return visit.go("compose")


_DOES: Final = {"check": _check, "submit": _submit, "emergency": _emergency, "discard": _discard}


async def _save(visit: Visit, sheet: _Sheet) -> OpenDraft:
    return await visit.parts.drafts.save(
        sheet.draft_id, visit.person, sheet.written, revision=sheet.revision, window=sheet.window
    )


async def _checked(visit: Visit, sheet: _Sheet) -> Checked:
    return await (await visit.parts.releasing()).check(sheet.written, sender=visit.contact_point)


async def _typed(visit: Visit) -> _Sheet:
    kind, supersedes = visit.field("kind"), visit.field("supersedes")
    head = {"kind": kind if kind in FORMS else ROUTE_ALERT}
    if supersedes:
        head |= {"supersedes": supersedes} | await _status_of(visit, supersedes)
    window, draft_id = _window(visit), visit.field("draft")
    confirmed = tuple(sorted({value for name, value in visit.fields if name == "confirm"}))
    written = Written(
        document_of(visit.fields, head), confirmed, is_partial=visit.field("is_partial") == "1", window=window
    )
    if _ID.match(draft_id) is None:
        raise BadInputError("E_UNKNOWN_DRAFT", "draft: expected the id of a draft")
    return _Sheet(draft_id, revision_in(visit.field("revision")), written, window)


async def _status_of(visit: Visit, message_id: str) -> dict[str, str]:
    """An update or a cancellation is as real as the version that it takes the place of."""
    async with visit.parts.store.reading() as unit:
        earlier = await unit.ledger.get(message_id)
    if earlier is None or earlier.sender != visit.contact_point:
        return {}
    return {"status": earlier.status}


def _window(visit: Visit) -> str:
    return visit.field("window")[:32]


def _sheet_of(draft: OpenDraft) -> _Sheet:
    record = draft.record
    decided_by = record.decided_by or ""
    return _Sheet(
        record.id, record.revision, draft.written, secrets.token_urlsafe(9), record.changed_at, decided_by=decided_by
    )


async def _show(visit: Visit, sheet: _Sheet, *, status: int = 200) -> Response:
    words, kind = visit.words, str(sheet.written.document["kind"])
    questions = questions_of(marked_in(sheet.written), words)
    faults = faults_of(sheet.checked, words) if sheet.checked else ()
    refusal = sheet.refusal or (sheet.checked.refusal if sheet.checked else None)
    said = refusal_in_words(refusal.code, words) if refusal else ""
    supersedes = sheet.written.document.get("supersedes")
    before = await visit.parts.own_alerts.body_of(supersedes, visit.person) if isinstance(supersedes, str) else None
    changes = differences(before, sheet.written.body, words) if before and FORMS[kind].shows_differences else ()
    drafts = await visit.parts.drafts.list(visit.person)
    context = {
        "heading": words.text(FORMS[kind].heading),
        "template": FORMS[kind].template,
        "kind": kind,
        "supersedes": supersedes or "",
        "window": sheet.window,
        "faults": faults,
        "open_questions": [one for one in questions if not one.is_confirmed] if sheet.checked else [],
        "refusal": said or (words.text("This could not be done") if refusal else ""),
        "refusal_code": refusal.code if refusal else "",
        "refusal_detail": refusal.message if refusal and not said else "",
        "conflict": sheet.is_conflict,
        "is_checked": sheet.checked is not None,
        "reason": visit.field("reason"),
        "changes": changes,
        "language": str(sheet.written.body.get("language", "")),
        "note": sheet.written.note,
        "decided_by": sheet.decided_by,
        "drafts": [one for one in drafts if one.record.id != sheet.draft_id],
        "rivals": [
            one
            for one in drafts
            if supersedes and one.record.supersedes == supersedes and one.record.id != sheet.draft_id
        ],
    }
    following = await _following(visit, replace(sheet, refusal=None))
    form = Form(sheet.written.document, words, faults, questions)
    return visit.show("compose.html", status=status, **(following | {"form": form}), **context)


async def _following(visit: Visit, sheet: _Sheet) -> dict[str, object]:
    """What follows from what is written: the map, and who receives it."""
    document, words = sheet.written.document, visit.words
    preview, refusal = await preview_of(visit, document), sheet.refusal
    return shown_recipients(visit, preview) | {
        "form": Form(document, words),
        "draft_id": sheet.draft_id,
        "revision": sheet.revision,
        "saved_at": sheet.saved_at,
        "live_refusal": (refusal_in_words(refusal.code, words) or refusal.message) if refusal else "",
        "is_partial": sheet.written.is_partial,
        "may_choose": True,
        "route_map": route_map(sheet.written.body, words, visit.parts.country),
    }


def _whole_form(visit: Visit) -> SentForm:
    """What somebody goes on with later is the page, not the part of it that follows from what is typed."""
    return str(visit.request.app.url_path_for("compose_keep")), visit.fields


def _fresh_id(visit: Visit) -> str:
    return visit.parts.ids.new(visit.parts.clock.now())


PAGES: Final = (
    Page("/compose", "compose", _new, Permission.WRITE_ALERTS),
    Page("/compose", "compose_keep", _keep, Permission.WRITE_ALERTS, "POST", tab="compose"),
    Page("/compose/live", "compose_live", _live, Permission.WRITE_ALERTS, "POST", tab="compose", written=_whole_form),
    Page("/compose/{draft_id}", "compose_draft", _draft, Permission.WRITE_ALERTS, tab="compose"),
    Page(
        "/compose/{draft_id}/take-over", "draft_take_over", _take_over, Permission.WRITE_ALERTS, "POST", tab="compose"
    ),
)
