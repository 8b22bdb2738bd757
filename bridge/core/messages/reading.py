"""Reading the bodies and control members of verified messages (wire-format: step 17 and Control messages).

Rules:
1. Bad content is an answer, never an exception; nothing is repaired.
2. Same or lower minor version than ours: nothing unknown is accepted. Higher minor, same major: unknown members and
   unknown codes are accepted and kept as they came, everything else still holds.
3. What came is kept as it came (`ReadBody.members`); the models are a view of it.

Who may send what, and whether the sender began the thread, is decided elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.core.errors import Problem
from bridge.core.messages.answers import AcknowledgementBody, AlertCancelBody
from bridge.core.messages.directory_notice import DirectoryNoticeBody
from bridge.core.messages.fields import NEWER, Reference
from bridge.core.messages.head import Superseding
from bridge.core.messages.member_names import member_names
from bridge.core.messages.problems import MAX_PROBLEMS, problems_of
from bridge.core.messages.route_alert import AlertUpdateBody, RouteAlertBody
from bridge.core.messages.rules import check_body, check_control, check_retention, check_supersedes
from bridge.core.messages.sealed_forms import CONTROL_FORMS, SEALED_FORMS
from bridge.core.vocabulary import ALERT_CANCEL, ALERT_UPDATE, DIRECTORY_NOTICE, KINDS, ROUTE_ALERT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.core.messages.control import ControlBody

MAJOR: Final = 1
MINOR: Final = 0
_URN: Final = re.compile(r"urn:ncp-bridge:([a-z_]{1,40}):(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\Z")

KnownBody = RouteAlertBody | AlertUpdateBody | AlertCancelBody | AcknowledgementBody | DirectoryNoticeBody


@dataclass(frozen=True, slots=True)
class ReadBody:
    """A body that has the form of its kind and keeps the rules.

    Attributes:
        kind: the message kind.
        thread: the id of the thread's first message.
        references: earlier messages that it is about.
        supersedes: the message that an update or a cancellation takes the place of.
        known: what this version understands of it.
        members: everything exactly as it came, unknown members of a newer version included.
    """

    kind: str
    thread: str
    references: tuple[Reference, ...]
    supersedes: Reference | None
    known: KnownBody
    members: Mapping[str, object]


def schema_urn_of(kind: str) -> str:
    """The name of the schema that this version writes for a kind."""
    return f"urn:ncp-bridge:{kind}:{MAJOR}.{MINOR}"


def is_known_schema(kind: str, urn: str) -> bool:
    """Whether this version reads messages of `kind` under the schema `urn`: its own kind, our major version."""
    return _minor_of(kind, urn) is not None


def read_body(
    kind: str, schema_urn: str, members: Mapping[str, object], *, sent: datetime, status: str
) -> ReadBody | tuple[Problem, ...]:
    """The body of a sealed message, or everything that is wrong with it.

    Args:
        kind: the payload's kind.
        schema_urn: the payload's schema.
        members: the opened body, parsed as strict JSON.
        sent: the payload's time of sending; the body is kept at most 180 days longer.
        status: the payload's status; only `system` goes with TLP CLEAR.
    """
    minor, model = _minor_of(kind, schema_urn), SEALED_FORMS.get(kind)
    if minor is None or model is None:
        return (_unread(kind, schema_urn),)
    form = _validate(model, members, minor)
    problems = [item for item in form if not _is_told_by_a_rule(item)] if isinstance(form, list) else []
    problems += check_supersedes(kind, members)
    problems += check_body(kind, members, at="$", status=status)
    problems += check_retention(members, sent=sent)
    if problems or isinstance(form, list):
        return tuple(problems)
    supersedes = form.supersedes if isinstance(form, Superseding) else None
    return ReadBody(kind, form.thread, form.references, supersedes, form, members)


def read_control(kind: str, schema_urn: str, control: Mapping[str, object]) -> ControlBody | tuple[Problem, ...]:
    """The control member of a control message, or everything that is wrong with it."""
    minor, model = _minor_of(kind, schema_urn), CONTROL_FORMS.get(kind)
    if minor is None or model is None:
        return (_unread(kind, schema_urn),)
    form = _validate(model, control, minor)
    problems = form if isinstance(form, list) else []
    problems += islice(check_control(kind, control), MAX_PROBLEMS)
    return tuple(problems) if problems or isinstance(form, list) else form


def acknowledge_within(kind: str, urgency: str) -> timedelta | None:
    """How soon after receipt an officer answers (vocabulary: Message kinds); `None` where no answer is expected."""
    if kind in (ROUTE_ALERT, ALERT_UPDATE):
        return timedelta(hours={"immediate": 1, "expected": 12}.get(urgency, 24))
    return timedelta(hours=24) if kind in (ALERT_CANCEL, DIRECTORY_NOTICE) else None


def _minor_of(kind: str, urn: str) -> int | None:
    match = _URN.match(urn)
    if match is None or kind not in KINDS or match[1] != kind or int(match[2]) != MAJOR:
        return None
    return int(match[3])


_Form = TypeVar("_Form", bound=BaseModel)


def _validate(model: type[_Form], members: Mapping[str, object], minor: int) -> _Form | list[Problem]:
    try:
        if minor > MINOR:
            return model.model_validate(members, extra="ignore", context=NEWER)
        return model.model_validate(members)
    except ValidationError as error:
        return problems_of(error, at="$", names=member_names())


def _is_told_by_a_rule(problem: Problem) -> bool:
    """Whether `supersedes` is there or not is a rule's to say, with the reason."""
    return problem.path == "$.supersedes" and problem.code in ("E_MISSING", "E_UNKNOWN_MEMBER")


def _unread(kind: str, schema_urn: str) -> Problem:
    return Problem("$", f"{schema_urn} for {kind}", f"a schema of version {MAJOR} that is read here", "E_SCHEMA")
