"""The shift: what is open, handing it over, and taking over what somebody left."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.handover import LONGEST_NOTE
from bridge.console.access import Page
from bridge.console.pages.inbox import names_of
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.errors import BadInputError


async def _shift(visit: Visit) -> Response:
    return await _show(visit)


async def _show(visit: Visit, *, status: int = 200, error: BadInputError | None = None) -> Response:
    shifts, own = visit.parts.shifts, visit.contact_point
    return visit.show(
        "shift.html",
        status=status,
        items=await shifts.open_items(own),
        given=await shifts.list(own),
        names=await names_of(visit),
        colleagues=await shifts.colleagues(visit.person),
        may_answer=visit.person.may(Permission.ANSWER),
        longest=LONGEST_NOTE,
        error=error,
        note=visit.field("note"),
        to=visit.field("to"),
    )


async def _give(visit: Visit) -> Response:
    if visit.field("do") != "hand-over":  # sent again after a lock: shown once more
        return await _show(visit)
    note, to = visit.field("note").replace("\r\n", "\n").strip(), visit.field("to") or None
    try:
        given = await visit.parts.shifts.give(visit.person, note=note, to=to)
    except BadInputError as error:
        return await _show(visit, status=UNPROCESSABLE, error=error)
    return visit.go("handover", id=given.id)


async def _handover(visit: Visit) -> Response:
    given, note = await visit.parts.shifts.show(visit.request.path_params["id"], visit.person)
    is_takeable = given.taken_at is None and given.given_by != visit.person.login
    return visit.show(
        "handover.html",
        given=given,
        note=note,
        names=await names_of(visit),
        may_take=is_takeable and visit.person.may(Permission.ANSWER),
    )


async def _take(visit: Visit) -> Response:
    given_id, instead_of = visit.request.path_params["id"], visit.field("instead_of")
    taken = await visit.parts.shifts.take(given_id, visit.person, instead_of=instead_of)
    return visit.go("handover", id=taken.id)


PAGES: Final = (
    Page("/shift", "shift", _shift, Permission.READ_MESSAGES),
    Page("/shift", "hand_over", _give, Permission.ANSWER, "POST"),
    Page("/shift/{id}", "handover", _handover, Permission.READ_MESSAGES, tab="shift"),
    Page("/shift/{id}/take", "handover_take", _take, Permission.ANSWER, "POST"),
)
