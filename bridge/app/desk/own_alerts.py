"""One's own alerts: what was sent, what became of it, and the drafts of their updates and cancellations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person
from bridge.app.desk.drafts import WriteDrafts, Written, check_may
from bridge.app.receiving.inbox_items import body_context
from bridge.app.sending.acknowledge import MARKS
from bridge.app.sending.submit import SUPERSEDABLE
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.messages.fields import parse_utc
from bridge.core.vocabulary import ALERT_CANCEL, ALERT_UPDATE
from bridge.core.wire import strict_json
from bridge.ports.store.drafts import RETURNED, SUBMITTED, WRITING
from bridge.ports.store.records import AuditEntry, OutgoingMessage

PAGE: Final = 50
_ON_THE_WIRE: Final = ("salt", "thread", "references", "supersedes")


@dataclass(frozen=True, slots=True)
class OwnAlert:
    """An alert that was sent, with its body; the body is `None` once it is erased."""

    message: OutgoingMessage
    body: Mapping[str, object] | None

    @property
    def title(self) -> str | None:
        """What it is about."""
        title = self.body.get("title") if self.body is not None else None
        return title if isinstance(title, str) else None


@dataclass(frozen=True, slots=True)
class OwnAlerts:
    """What the contact points of a node have sent, for their officers."""

    drafts: WriteDrafts

    async def page(self, person: Person, *, before: str | None = None) -> Sequence[OwnAlert]:
        """Alerts, updates and cancellations, the newest first; one entry in the log for the look."""
        contact_point = check_may(person, Permission.READ_MESSAGES)
        async with self.drafts.store.reading() as unit:
            found = await unit.sent_alerts.page(contact_point, before=before, limit=PAGE)
        await self._note(person, "sent.listed", None)
        return [self._opened(message) for message in found]

    async def versions(self, message_id: str, person: Person) -> Sequence[OwnAlert]:
        """All versions of an alert, the oldest first; that they are read is in the log before.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`.
        """
        contact_point = check_may(person, Permission.READ_MESSAGES)
        async with self.drafts.store.reading() as unit:
            message = await unit.ledger.get(message_id)
            if message is None or message.sender != contact_point:
                raise BadInputError("E_UNKNOWN_MESSAGE", f"{contact_point} sent no message {message_id}")
            found = await unit.sent_alerts.versions(message.thread, sender=contact_point)
        await self._note(person, "body.read", message_id)
        return [self._opened(version) for version in found]

    async def body_of(self, message_id: str, person: Person) -> Mapping[str, object] | None:
        """One version's body, to compare another with it; `None` once it is erased, or where it is no alert of ours."""
        try:
            versions = await self.versions(message_id, person)
        except BadInputError:
            return None
        return next((one.body for one in versions if one.message.id == message_id), None)

    async def update(self, message_id: str, person: Person) -> Written:
        """What an update begins with: the newest version as it is.

        Raises:
            RefusedError: `E_SUPERSEDED`, `E_NOT_AN_ALERT`, `E_NO_BODY`.
        """
        newest, body = await self._newest(message_id, person)
        kept = {name: value for name, value in body.items() if name not in _ON_THE_WIRE}
        return Written(self._head(newest, ALERT_UPDATE, kept | {"change_summary": ""}))

    async def cancel(self, message_id: str, person: Person) -> Written:
        """What a cancellation begins with: the marks of the newest version; raises as `update` does."""
        newest, body = await self._newest(message_id, person)
        return Written(self._head(newest, ALERT_CANCEL, {name: body[name] for name in MARKS if name in body}))

    async def being_written(self, message_id: str, person: Person) -> Sequence[str]:
        """The drafts of this contact point that take the place of a message."""
        contact_point = check_may(person, Permission.READ_MESSAGES)
        async with self.drafts.store.reading() as unit:
            found = await unit.drafts.list(contact_point, (WRITING, RETURNED, SUBMITTED), limit=PAGE)
        return [record.id for record in found if record.supersedes == message_id]

    def _head(self, newest: OutgoingMessage, kind: str, body: dict[str, object]) -> dict[str, object]:
        until = parse_utc(body.get("retain_until"))
        if until is not None and until <= self.drafts.clock.now():
            del body["retain_until"]
        return {
            "kind": kind,
            "status": newest.status,
            "urgency": newest.urgency,
            "supersedes": newest.id,
            "body": body,
        }

    async def _newest(self, message_id: str, person: Person) -> tuple[OutgoingMessage, Mapping[str, object]]:
        check_may(person, Permission.WRITE_ALERTS)
        newest = (await self.versions(message_id, person))[-1]
        message = newest.message
        if message.kind not in SUPERSEDABLE:
            raise RefusedError("E_NOT_AN_ALERT", f"this alert was cancelled by {message.id}; nothing replaces it")
        if message.id != message_id:
            raise RefusedError("E_SUPERSEDED", f"{message_id} was replaced by {message.id}; begin from that version")
        if newest.body is None:
            raise RefusedError("E_NO_BODY", f"the body of {message.id} has been erased")
        return message, newest.body

    def _opened(self, message: OutgoingMessage) -> OwnAlert:
        if message.body is None:
            return OwnAlert(message, None)
        context = body_context(message.sender, message.sender, message.id)
        return OwnAlert(
            message, strict_json.parse_object(self.drafts.vault.get(message.sender, message.body, context=context))
        )

    async def _note(self, person: Person, action: str, subject: str | None) -> None:
        entry = AuditEntry(self.drafts.clock.now(), person.login, action, person.contact_point, subject)
        async with self.drafts.store.writing() as unit:
            await unit.audit.add([entry])
