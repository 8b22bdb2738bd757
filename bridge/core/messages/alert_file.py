"""Alert files: what an officer or another system hands in to be sent (cli: An alert file).

Reading one reports everything that is wrong with it, not the first fault: its JSON, then its form together with the
rules. What is right is handed on as it was written: nothing is reformatted, no default is written into it. Whether a
draft may be sent, whether `expires` still lies ahead, and who receives is decided by whoever sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from bridge.core.errors import Problem
from bridge.core.messages.file_forms import FILE_FORMS, AlertCancelFile, AlertFileForm, AlertUpdateFile, RouteAlertFile
from bridge.core.messages.member_names import member_names
from bridge.core.messages.problems import nearest, path_of, problems_of
from bridge.core.messages.rules import SUPERSEDING_KINDS, check_body, check_supersedes
from bridge.core.times import format_time
from bridge.core.vocabulary import ALERT_KINDS
from bridge.core.wire import strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bridge.core.messages.answers import AlertCancelBody
    from bridge.core.messages.route_alert import AlertUpdateBody, RouteAlertBody

MOST_IN_A_LIST: Final = 300  # a list of codes holds each once, and there are fewer countries
MOST_IN_LISTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class AlertFile:
    """An alert file that has the form of its kind and keeps the rules.

    Attributes:
        kind: `route_alert`, `alert_update` or `alert_cancel`.
        status: of the message; `draft` is never sent.
        urgency: of the message.
        expires: until when it is worth delivering, where the file says so.
        thread: the message id of the thread that it continues, where the file says so.
        supersedes: the message id of what an update or a cancellation takes the place of.
        body: what the body means.
        members: the body exactly as the file has it.
    """

    kind: str
    status: str
    urgency: str
    expires: datetime | None
    thread: str | None
    supersedes: str | None
    body: RouteAlertBody | AlertUpdateBody | AlertCancelBody
    members: Mapping[str, object]

    def body_members(
        self, *, retain_until_default: datetime, supersedes: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        """The wire body's members without salt, thread and references, as the file has them.

        Args:
            retain_until_default: filled in where the file names no time.
            supersedes: the reference (`from`, `id`, `payload_sha256`) to what `supersedes` names; updates and
                cancellations only.
        """
        members = {**self.members}
        members.setdefault("retain_until", format_time(retain_until_default))
        if supersedes is not None and self.kind in SUPERSEDING_KINDS:
            members["supersedes"] = dict(supersedes)
        return members


def read_alert_file(data: bytes) -> AlertFile | tuple[Problem, ...]:
    """The alert in a file's bytes, or everything that is wrong with it."""
    try:
        document = strict_json.parse_object(data)
    except strict_json.StrictJsonError as error:
        return (Problem("$", "other bytes", f"one strict JSON object ({error.for_author})", "E_JSON"),)
    if (too_long := _too_long(document)) is not None:
        return (too_long,)
    kind, body, status = document.get("kind"), document.get("body"), document.get("status")
    meant = kind if kind in ALERT_KINDS else nearest(kind, ALERT_KINDS)
    form = _validate(FILE_FORMS.get(str(meant), AlertFileForm), document)
    problems = form if isinstance(form, list) else []
    if isinstance(meant, str):
        problems += check_supersedes(meant, document)
        if isinstance(body, dict):
            problems += check_body(meant, body, at="$.body", status=status if isinstance(status, str) else "")
    if (
        problems
        or not isinstance(form, RouteAlertFile | AlertUpdateFile | AlertCancelFile)
        or not isinstance(body, dict)
    ):
        return tuple(problems)
    return AlertFile(
        kind=form.kind,
        status=form.status,
        urgency=form.urgency,
        expires=form.expires,
        thread=form.thread,
        supersedes=form.supersedes,
        body=form.body,
        members=MappingProxyType(body),
    )


def _too_long(document: Mapping[str, object]) -> Problem | None:
    """A list far longer than any may be: each element might be several faults, and naming them takes time."""
    total = 0
    waiting: list[tuple[str, tuple[str | int, object]]] = [("$", member) for member in document.items()]
    while waiting:
        at, (name, value) = waiting.pop()
        path = path_of(at, [name])
        if isinstance(value, dict):
            waiting += [(path, member) for member in value.items()]
        elif isinstance(value, list):
            total += len(value)
            if len(value) > MOST_IN_A_LIST or total > MOST_IN_LISTS:
                return Problem(path, f"{len(value)} elements", f"at most {MOST_IN_A_LIST}, far less in most", "E_LIMIT")
            waiting += [(path, member) for member in enumerate(value)]
    return None


def _validate(model: type[AlertFileForm], document: Mapping[str, object]) -> AlertFileForm | list[Problem]:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        return problems_of(error, at="$", names=(*AlertFileForm.model_fields, *member_names()))
