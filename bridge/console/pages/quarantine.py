"""Quarantine: grouped by reason, looked at with the payload masked, replayed, returned or dropped after a count.

An entry shows what the broker sees of every message, and its verdict; never its bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.operating.reasons import class_of
from bridge.app.quarantine.picking import CAME_WITHOUT_BYTES, Done, Selection, pick
from bridge.console.access import Page
from bridge.console.language import marked
from bridge.console.pages.operations import CLASSES
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.errors import BridgeError
from bridge.ports.store.records import Quarantined

SHOWN: Final = 100
VERBS: Final = {"replay": marked("Verify again"), "return": marked("Return to sender"), "drop": marked("Drop for good")}
FATES: Final = {
    "accepted": marked("accepted"),
    "duplicate": marked("here already"),
    "handed_on": marked("handed on to the contact points"),
    "held": marked("held, to be verified again by itself"),
    "refused": marked("refused again"),
    "returned": marked("returned"),
    "dropped": marked("dropped"),
    "impossible": marked("not possible"),
}
HINTS: Final = {
    "security": marked(
        "Somebody may be forging, or a key or the membership list is out of date. Ask the named sender over another "
        "channel before anything else; once the list is right, verify again."
    ),
    "data": marked(
        "The sender's program wrote something that is not as agreed. Return it to the sender with the report."
    ),
    "delivery": marked(
        "It came too late or too early, or this node was not ready. Verify again once the cause is gone."
    ),
}


async def _groups(visit: Visit) -> Response:
    async with visit.parts.store.reading() as unit:
        groups = await unit.operations.refused_groups()
        _, held = await unit.refusals.counts()
        total = await unit.refusals.total()
    return visit.show(
        "quarantine.html", groups=groups, held=held, total=total, class_of=class_of, classes=CLASSES, hints=HINTS
    )


async def _group(visit: Visit) -> Response:
    return await _show_group(visit, visit.request.path_params["code"])


async def _show_group(
    visit: Visit, code: str, *, status: int = 200, error: str | None = None, done: list[Done] | None = None
) -> Response:
    async with visit.parts.store.reading() as unit:
        items = await unit.refusals.list(code=code, limit=SHOWN)
    return visit.show(
        "quarantine_group.html",
        status=status,
        reason=code,
        items=items,
        shown=SHOWN,
        kind=CLASSES[class_of(code)],
        hint=HINTS[class_of(code)],
        error=error,
        outcomes=Counter(one.fate.value for one in done) if done is not None else None,
        fates=FATES,
    )


async def _ask(visit: Visit) -> Response:
    """The count first: what would be done, before anything is."""
    code, verb = visit.request.path_params["code"], visit.field("verb")
    if verb not in VERBS:
        return await _show_group(visit, code, status=UNPROCESSABLE, error=visit.words.text("Choose what to do."))
    items = await _meant(visit, code)
    if not items:
        return await _show_group(visit, code, status=UNPROCESSABLE, error=visit.words.text("Nothing is chosen."))
    without = sum(not item.has_bytes for item in items) if verb != "drop" else 0
    return visit.show(
        "quarantine_ask.html",
        reason=code,
        verb=verb,
        label=VERBS[verb],
        items=items,
        every=visit.field("which") == "all",
        without=without,
        why_not=CAME_WITHOUT_BYTES,
        error=None,
    )


async def _work(visit: Visit) -> Response:
    code, verb, why = visit.request.path_params["code"], visit.field("verb"), visit.field("why").strip()
    items = await _meant(visit, code)
    if visit.field("which") == "all":
        items = _counted(items, visit.field("newest"))
    if not items or visit.field("do") != verb:
        return await _ask(visit)  # what was counted is no longer what is there, or nobody pressed the button
    if verb == "drop" and not why:
        return visit.show(
            "quarantine_ask.html",
            status=UNPROCESSABLE,
            reason=code,
            verb=verb,
            label=VERBS[verb],
            items=items,
            every=visit.field("which") == "all",
            without=0,
            why_not="",
            error=visit.words.text("Say why they are destroyed."),
        )
    try:
        done = await visit.parts.quarantine.do(verb, items, actor=visit.person.login, why=why or None)
    except BridgeError as error:
        return await _show_group(visit, code, status=UNPROCESSABLE, error=error.message)
    return await _show_group(visit, code, done=list(done))


def _counted(items: Sequence[Quarantined], newest: str) -> list[Quarantined]:
    """Those that stood behind the count: what came since was seen by nobody. None where its newest is gone."""
    places = [place for place, item in enumerate(items) if item.id == newest]
    return list(items[: places[0] + 1]) if places else []


async def _meant(visit: Visit, code: str) -> list[Quarantined]:
    """What the form names: the chosen ones, or all with this reason."""
    ids = None if visit.field("which") == "all" else [str(value) for value in visit.form.getlist("id")]
    if ids == []:
        return []
    found = await pick(visit.parts.store, Selection(ids=ids, code=code if ids is None else None))
    return [item for item in found if item.code == code]


PAGES: Final = (
    Page("/operations/quarantine", "quarantine", _groups, Permission.WATCH_NODE, tab="operations"),
    Page("/operations/quarantine/{code}", "quarantine_group", _group, Permission.WATCH_NODE, tab="operations"),
    Page(
        "/operations/quarantine/{code}/ask", "quarantine_ask", _ask, Permission.WORK_ON_NODE, "POST", tab="operations"
    ),
    Page(
        "/operations/quarantine/{code}/work",
        "quarantine_work",
        _work,
        Permission.WORK_ON_NODE,
        "POST",
        tab="operations",
    ),
)
