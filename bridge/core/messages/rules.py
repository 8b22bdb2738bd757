"""The rules that hold one member of a document against another. `schemas/rules.json` lists them all, with their codes.

They look at the parsed document, not at the models: so they speak up about a document whose form is wrong elsewhere,
and an author learns everything at once. They are silent about what the form refuses already, and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from bridge.core.errors import Problem
from bridge.core.messages.fields import parse_utc
from bridge.core.messages.found import describe
from bridge.core.messages.problems import MAX_PROBLEMS
from bridge.core.messages.route_alert import LABOUR
from bridge.core.messages.route_rules import check_legs
from bridge.core.vocabulary import (
    ACKNOWLEDGEMENT,
    ALERT_CANCEL,
    ALERT_UPDATE,
    CHILD_AGE_BANDS,
    DIRECTORY_NOTICE,
    RECEIPT,
    RESEND_REQUEST,
    ROUTE_ALERT,
)

MAX_RETENTION: Final = timedelta(days=180)
SUPERSEDING_KINDS: Final = frozenset({ALERT_UPDATE, ALERT_CANCEL})

Members = Mapping[str, object]
Check = Callable[[Members, str], Iterator[Problem]]

_CODE_LISTS: Final = (
    "acts",
    "means",
    "exploitation",
    "labour_sector",
    "recruitment",
    "recruiter_relation",
    "control",
    "displaced_from",
)


def check_body(kind: str, body: Members, *, at: str, status: str) -> list[Problem]:
    """What the rules say about a body of `kind` that stands at path `at`, in a message of this status."""
    found = (problem for check in _CHECKS.get(kind, ()) for problem in check(body, at))
    problems = list(islice(found, MAX_PROBLEMS))
    if body.get("tlp") == "CLEAR" and status != "system":
        expected = "GREEN or stricter: CLEAR goes with status system only"
        problems.append(Problem(f"{at}.tlp", '"CLEAR"', expected, "E_TLP_CLEAR"))
    return problems


def check_retention(body: Members, *, sent: datetime) -> Iterator[Problem]:
    """A body is kept beyond its sending, at most 180 days."""
    until = parse_utc(body.get("retain_until"))
    if until is not None and not sent < until <= sent + MAX_RETENTION:
        expected = f"a time after sent and at most {MAX_RETENTION.days} days later"
        yield Problem("$.retain_until", describe(body["retain_until"]), expected, "E_RETAIN_UNTIL")


def check_supersedes(kind: str, document: Members) -> Iterator[Problem]:
    """Updates and cancellations name what they take the place of; nothing else does."""
    if kind in SUPERSEDING_KINDS and "supersedes" not in document:
        expected = f"the message that this {kind} takes the place of"
        yield Problem("$.supersedes", "nothing", expected, "E_SUPERSEDES")
    if kind not in SUPERSEDING_KINDS and "supersedes" in document:
        expected = f"nothing: a {kind} takes the place of no message"
        yield Problem("$.supersedes", describe(document["supersedes"]), expected, "E_SUPERSEDES")


def check_control(kind: str, control: Members) -> Iterator[Problem]:
    """A receipt has a code exactly when it rejects; a number is asked for once."""
    if kind == RECEIPT:
        state, has_code = control.get("state"), "code" in control
        if state == "rejected" and not has_code:
            yield Problem("$.code", "nothing", "why it was rejected", "E_RECEIPT_CODE")
        if state == "delivered" and has_code:
            yield Problem("$.code", describe(control["code"]), "nothing: it was delivered", "E_RECEIPT_CODE")
    if kind == RESEND_REQUEST:
        yield from _twice(control.get("numbers"), "$.numbers", code="E_DUPLICATE_NUMBER")


def _check_head(body: Members, at: str) -> Iterator[Problem]:
    handling = body.get("handling")
    yield from _twice(handling, f"{at}.handling")
    if isinstance(handling, list) and "H3" in handling and body.get("handling_note", "") == "":
        expected = "the restriction that H3 stands for"
        yield Problem(f"{at}.handling_note", _present(body, "handling_note"), expected, "E_HANDLING_NOTE")


def _check_alert(body: Members, at: str) -> Iterator[Problem]:
    for name in _CODE_LISTS:
        codes = body.get(name)
        if codes is not None:
            yield from _twice(codes, f"{at}.{name}")
    organisers = body.get("organisers")
    if isinstance(organisers, dict):
        yield from _twice(organisers.get("roles"), f"{at}.organisers.roles")
    victims = body.get("victims")
    yield from _check_means(body, victims, at)
    exploitation = body.get("exploitation")
    if isinstance(exploitation, list) and LABOUR in exploitation and _lacks(body, "labour_sector"):
        expected = f"at least one sector with {LABOUR}; unknown is one"
        yield Problem(f"{at}.labour_sector", _present(body, "labour_sector"), expected, "E_LABOUR_SECTOR")
    yield from check_window(body, at, name="observed", code="E_OBSERVED_WINDOW")


def _check_means(body: Members, victims: object, at: str) -> Iterator[Problem]:
    child_involved = False
    if isinstance(victims, list):
        for index, group in enumerate(victims):
            if isinstance(group, dict):
                yield from _twice(group.get("nationalities"), f"{at}.victims[{index}].nationalities")
                age_band = group.get("age_band")
                child_involved = child_involved or (isinstance(age_band, str) and age_band in CHILD_AGE_BANDS)
    if not child_involved and _lacks(body, "means"):
        expected = "at least one means, as no victim is a child; unknown is one"
        yield Problem(f"{at}.means", _present(body, "means"), expected, "E_MEANS_REQUIRED")


def _check_route(body: Members, at: str) -> Iterator[Problem]:
    legs = body.get("legs")
    if not isinstance(legs, list):
        return
    for index, leg in enumerate(legs):
        if not isinstance(leg, dict):
            continue
        here = f"{at}.legs[{index}]"
        if "document_fraud" in leg:
            yield from _twice(leg["document_fraud"], f"{here}.document_fraud")
        roles = leg.get("roles")
        if isinstance(roles, dict):
            yield from _twice(roles.get("from"), f"{here}.roles.from")
            yield from _twice(roles.get("to"), f"{here}.roles.to")
        if "expected_from" in leg:
            yield from check_window(leg, here, name="expected", code="E_EXPECTED_WINDOW")
    yield from check_legs(legs, f"{at}.legs")


def _check_redirect(body: Members, at: str) -> Iterator[Problem]:
    if "redirect_to" in body and body.get("level") != "not_competent":
        expected = "nothing: only level not_competent names who is"
        yield Problem(f"{at}.redirect_to", describe(body["redirect_to"]), expected, "E_REDIRECT")


def check_window(members: Members, at: str, *, name: str, code: str) -> Iterator[Problem]:
    """A window of time ends no earlier than it begins."""
    start, end = parse_utc(members.get(f"{name}_from")), parse_utc(members.get(f"{name}_to"))
    if start is not None and end is not None and start > end:
        expected = f"a time no earlier than {name}_from"
        yield Problem(f"{at}.{name}_to", describe(members[f"{name}_to"]), expected, code)


def _twice(values: object, at: str, *, code: str = "E_DUPLICATE_CODE") -> Iterator[Problem]:
    """Each later appearance of what stood in the list before; a list of other things is the form's to refuse."""
    if not isinstance(values, list):
        return
    seen: set[object] = set()
    for index, value in enumerate(values):
        if not isinstance(value, str | int):
            continue
        if value in seen:
            yield Problem(f"{at}[{index}]", describe(value), "each value once", code)
        seen.add(value)


def _lacks(body: Members, name: str) -> bool:
    return name not in body or body[name] == []


def _present(body: Members, name: str) -> str:
    return describe(body[name]) if name in body else "nothing"


_ALERT: Final[tuple[Check, ...]] = (_check_head, _check_alert, _check_route)
_CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    ROUTE_ALERT: _ALERT,
    ALERT_UPDATE: _ALERT,
    ALERT_CANCEL: (_check_head,),
    ACKNOWLEDGEMENT: (_check_head, _check_redirect),
    DIRECTORY_NOTICE: (_check_head,),
}
