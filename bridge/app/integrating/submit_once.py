"""Submitting an alert under a key of the system's own: trying again after a lost answer sends nothing twice.

The key is stored in the transaction that stores the message. What was refused is not stored: the same key may be used
once the alert was mended.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from bridge.app.integrating.tokens import System
from bridge.app.sending.send import Submitted
from bridge.app.sending.submit import SubmitAlerts, alert_of, check_findings
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.wire import strict_json
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.systems import SubmissionRecord

KEPT_FOR: Final = timedelta(days=7)
LONGEST_KEY: Final = 128
LONGEST_OFFICER: Final = 200
# One line, with something in it to read: no control characters, no line ends, nothing that turns its direction.
_NO_NAME: Final = r"\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069"
OFFICER_PATTERN: Final = rf"^[^{_NO_NAME}]*[^\s{_NO_NAME}][^{_NO_NAME}]*$"


@dataclass(frozen=True, slots=True)
class Request:
    """What a system submits.

    Attributes:
        alert: the members of an alert file.
        officer: the person there who released it (Directive (EU) 2016/680 Art. 11: no automatic decision).
        partial: sends to the rest when a country cannot be reached.
        is_impersonal: they looked at what looks like personal data, and it is nobody's.
    """

    alert: Mapping[str, object]
    officer: str
    partial: bool = False
    is_impersonal: bool = False

    @property
    def sha256(self) -> bytes:
        """By which another request under the same key is told from this one; the order of members does not count."""
        members = {
            "alert": self.alert,
            "officer": self.officer,
            "partial": self.partial,
            "is_impersonal": self.is_impersonal,
        }
        return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class SubmitOnce:
    """Submits for the contact point of a system."""

    submitting: SubmitAlerts

    async def submit(self, request: Request, *, system: System, key: str) -> tuple[Submitted, bool]:
        """What was stored under this key, and whether it had been before.

        Raises:
            BadInputError: a fault of the alert; `E_OFFICER`, `E_IDEMPOTENCY_KEY`.
            RefusedError: `E_PERSONAL_DATA`; `E_KEY_REUSED`, the key was used for another request; what sending refuses.
        """
        _check(request, key)
        sending, digest = self.submitting.sending, request.sha256
        async with sending.store.reading() as unit:
            before = await unit.systems.submission(system.name, key)
        if before is not None:
            return _again(before, digest), True
        alert = alert_of(strict_json.encode(dict(request.alert)))
        draft = await self.submitting.prepare(alert, sender=system.contact_point)
        if not request.is_impersonal:
            check_findings(draft)
        by = f"api:{system.name}/{request.officer.strip()}"
        async with sending.store.writing() as unit:
            before = await unit.systems.begin_submission(system.name, key)
            if before is not None:
                return _again(before, digest), True
            sent = await sending.send_in(unit, draft, sender=system.contact_point, by=by, partial=request.partial)
            answer = strict_json.encode({**asdict(sent), "recipients": list(sent.recipients)}).decode()
            noted = SubmissionRecord(system.name, key, digest, sent.id, answer, sending.clock.now())
            await unit.systems.note_submission(noted)
        return sent, False


def _check(request: Request, key: str) -> None:
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        sentence = f"Idempotency-Key: expected 1 to {LONGEST_KEY} printable ASCII characters, as a UUID is"
        raise BadInputError("E_IDEMPOTENCY_KEY", sentence, path="Idempotency-Key")
    if len(request.officer) > LONGEST_OFFICER or re.search(OFFICER_PATTERN, request.officer) is None:
        sentence = f"$.officer: expected the name of who released it, one line, at most {LONGEST_OFFICER} characters"
        raise BadInputError("E_OFFICER", sentence, path="$.officer")


def _again(before: SubmissionRecord, digest: bytes) -> Submitted:
    if before.request_sha256 != digest:
        sentence = f"Idempotency-Key: it was used for another request, which became message {before.message_id}"
        raise RefusedError("E_KEY_REUSED", sentence, path="Idempotency-Key")
    answer = json.loads(before.answer)
    return Submitted(answer["id"], answer["thread"], tuple(answer["recipients"]), answer["payload_sha256"])


@dataclass(frozen=True, slots=True)
class ForgetSubmissions:
    """Forgets keys that nobody tries again any more; without it the table would only grow."""

    store: Store
    clock: Clock

    async def look(self) -> None:
        """Once in a while."""
        async with self.store.writing() as unit:
            await unit.systems.forget_submissions(before=self.clock.now() - KEPT_FOR)
