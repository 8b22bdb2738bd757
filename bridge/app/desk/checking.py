"""Checking what was written: every fault with its field, what looks like personal data, and who would receive it.

It changes nothing, and is asked again at the moment of release.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridge.app.desk.drafts import Written
from bridge.app.sending.may_send import check_list_age
from bridge.app.sending.send import Draft, check_plan
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.errors import BadInputError, BridgeError, Problem, RefusedError
from bridge.core.messages import read_alert_file
from bridge.core.privacy import Finding, find_personal_data
from bridge.core.routing import RoutePlan
from bridge.core.wire import strict_json
from bridge.core.wire.sealed import MAX_PLAINTEXT_BYTES

MOST_BYTES: Final = MAX_PLAINTEXT_BYTES - 1024  # what the wire adds: salt, thread and references
_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Marked:
    """Something that looks like personal data; `key` names it together with the text that stands there."""

    finding: Finding
    key: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes:
        problems: faults of the document.
        marked: what looks like personal data.
        draft: ready to be sent, where the document has no fault.
        refusal: why it cannot be sent although it is complete: nobody can be reached, the list is too old, ...
    """

    problems: tuple[Problem, ...] = ()
    marked: tuple[Marked, ...] = ()
    draft: Draft | None = None
    refusal: BridgeError | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything stands against sending it."""
        return bool(self.problems) or self.refusal is not None or any(not one.is_confirmed for one in self.marked)

    def ready(self) -> Draft:
        """The draft that may be sent.

        Raises:
            BadInputError: the faults of the document.
            RefusedError: `E_PERSONAL_DATA`, something is not confirmed; or what refuses to send.
        """
        if self.problems:
            raise BadInputError.of(self.problems)
        open_ones = [one for one in self.marked if not one.is_confirmed]
        if open_ones:
            raise RefusedError("E_PERSONAL_DATA", open_ones[0].finding.sentence(), path=open_ones[0].finding.path)
        if self.refusal is not None or self.draft is None:
            raise self.refusal or RefusedError("E_DRAFT_STATE", "nothing was written")
        return self.draft


async def check(submitting: SubmitAlerts, written: Written, *, sender: str) -> Checked:
    """Everything that stands against sending what was written."""
    marked = marked_in(written)
    data = strict_json.encode(written.document)
    alert = read_alert_file(data)
    if isinstance(alert, tuple):
        return Checked(problems=alert, marked=marked)
    if len(strict_json.encode(written.body)) > MOST_BYTES:
        fault = Problem("$.body", f"{len(data)} bytes", f"at most {MOST_BYTES} bytes in all", "E_LIMIT")
        return Checked(problems=(fault,), marked=marked)
    sending = submitting.sending
    draft: Draft | None = None
    try:
        draft = await submitting.prepare(alert, sender=sender)
        check_list_age(sending.trust.current(), at=sending.clock.now())
        check_plan(draft.plan, partial=written.is_partial)
    except BridgeError as error:
        return Checked(marked=marked, draft=draft, refusal=error)
    return Checked(marked=marked, draft=draft)


def key_of(finding: Finding, document: Mapping[str, object]) -> str:
    """Names a finding and the text that it is about: another text there has to be confirmed anew."""
    found = [finding.path, finding.what, _at(document, finding.path)]
    return hashlib.sha256(strict_json.encode(found)).hexdigest()[:16]


def recipients_key(plan: RoutePlan) -> str:
    """Names who receives and who cannot be reached: what a person saw is what is sent to."""
    seen = [[recipient.id for recipient in plan.recipients], list(plan.unreachable)]
    return hashlib.sha256(strict_json.encode(seen)).hexdigest()[:16]


def marked_in(written: Written) -> tuple[Marked, ...]:
    """What looks like personal data in what was written, and whether somebody confirmed it."""
    named = [(finding, key_of(finding, written.document)) for finding in find_personal_data(written.body)]
    return tuple(Marked(finding, key, key in written.confirmed) for finding, key in named)


def _at(value: object, path: str) -> object:
    for step in _STEP.finditer(path.removeprefix("$")):
        name, index = step.groups()
        if name is not None and isinstance(value, Mapping):
            value = value.get(name)
        elif index is not None and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
    return value
