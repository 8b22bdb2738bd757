"""One contact point of a node, from a program: submit, follow the inbox, acknowledge, see what became of a message.

It is the command line without the command line: the same settings file, the same use cases over the same database, the
same audit log. The node's running services (`ncp-bridge run`) carry what is submitted here, and bring what arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

from bridge.app.sending.submit import alert_of, check_findings
from bridge.client.records import InboxItem, Message, Preview, Recipient, RecipientState, Submitted
from bridge.compose.node import Node, open_node
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.wire import strict_json
from bridge.ports.store import records as rows
from bridge.settings import load_settings

Alert = bytes | Path | Mapping[str, Any]
"""An alert file: its bytes, where it is, or its members."""

POLL_SECONDS: Final = 0.3
PAGE: Final = 200


class Client:
    """A contact point of this node; made by `Client.open`.

    Every method raises `BadInputError` for what a person can mend, `RefusedError` for what a rule forbids and
    `UnavailableError` for what cannot be reached now; each has a stable `code`.
    """

    def __init__(self, node: Node, contact_point: str) -> None:
        self._node = node
        self.contact_point = contact_point

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Path | str, *, contact_point: str | None = None) -> AsyncIterator[Self]:
        """Opens a node by its settings file, and closes it afterwards.

        Args:
            config: the node's `node.toml`.
            contact_point: which one; may be left out where the node hosts one only.

        Raises:
            BadInputError: a fault of the settings; `E_CONTACT_POINT`.
            UnavailableError: `E_DATABASE_SCHEMA`, the node has not run yet.
        """
        async with open_node(load_settings(Path(config))) as node:
            yield cls(node, _one_of(node.hosted, contact_point))

    async def preview(self, alert: Alert) -> Preview:
        """Who would receive an alert and which rule says so. Sends nothing."""
        submitting = await self._node.submitting()
        draft = await submitting.prepare(alert_of(_bytes_of(alert)), sender=self.contact_point)
        plan = draft.plan
        return Preview(
            recipients=tuple(
                Recipient(one.id, one.country, one.roles, one.rule, one.reason) for one in plan.recipients
            ),
            excluded={one.id: one.reason for one in plan.excluded},
            unreachable=tuple(plan.unreachable),
            warnings=tuple(finding.sentence() for finding in draft.findings),
        )

    async def submit(
        self, alert: Alert, *, officer: str, partial: bool = False, is_impersonal: bool = False
    ) -> Submitted:
        """Signs, seals and stores an alert, for which an officer has answered.

        Args:
            alert: what is sent.
            officer: who released it (Directive (EU) 2016/680 Art. 11: no automatic decision); the log names them.
            partial: sends to the rest when a country cannot be reached.
            is_impersonal: they looked at what looks like personal data, and it is nobody's.

        Raises:
            RefusedError: `E_PERSONAL_DATA`, something looks like it and nobody confirmed; `E_UNREACHABLE_COUNTRY`, ...
        """
        submitting = await self._node.submitting()
        draft = await submitting.prepare(alert_of(_bytes_of(alert)), sender=self.contact_point)
        if not is_impersonal:
            check_findings(draft)
        sent = await submitting.sending.send(draft, sender=self.contact_point, by=_officer(officer), partial=partial)
        return Submitted(sent.id, sent.thread, sent.recipients, sent.payload_sha256)

    async def inbox(self, *, after: str | None = None, wait: bool = False) -> AsyncIterator[InboxItem]:
        """What arrived, oldest first; with `wait` it goes on as messages arrive, until it is closed.

        Nothing is stepped over, and nothing is marked: whoever begins again behind the last `cursor` that was dealt
        with sees every item at least once.

        Raises:
            BadInputError: `E_CURSOR`, `after` is not the cursor of an item here.
        """
        while True:
            async with self._node.store.reading() as unit:
                page = await unit.inbox.list(contact_point=self.contact_point, after=after, limit=PAGE)
            for row in page:
                after = row.cursor
                yield _item(row)
            if len(page) == PAGE:
                continue
            if not wait:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def read(self, item: InboxItem, *, officer: str, reason: str = "") -> Message:
        """Opens a message; the look is logged before the body is handed out, and the item is `read` from now on.

        Raises:
            RefusedError: `E_NO_BODY`, it expired before it came, or was erased.
            BadInputError: `E_REASON`, messages of this kind are opened for a reason only.
        """
        shown = await self._node.reading.show(
            item.id, contact_point=self.contact_point, sender=item.sender, officer=_officer(officer), reason=reason
        )
        row = await self._row(item)
        return Message(_item(row), _members(shown["envelope"]), _members(shown["body"]))

    async def acknowledge(
        self,
        item: InboxItem,
        *,
        level: str,
        officer: str,
        note: str | None = None,
        redirect_to: str | None = None,
    ) -> Submitted:
        """Answers a message in an officer's name; the answer is what was submitted.

        Args:
            item: what is answered.
            level: `delivered`, `read`, `accepted`, `forwarded_nationally` or `not_competent`.
            officer: their name goes into the answer.
            note: for the sender, short.
            redirect_to: whom to ask instead, with `not_competent`.
        """
        acknowledging = await self._node.acknowledging()
        sent = await acknowledging.acknowledge(
            await self._row(item), level=level, officer=_officer(officer), note=note, redirect_to=redirect_to
        )
        return Submitted(sent.id, sent.thread, sent.recipients, sent.payload_sha256)

    async def state(self, message_id: str) -> Sequence[RecipientState]:
        """What became of a message of this contact point, recipient by recipient.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`, it was not sent from here.
        """
        async with self._node.store.reading() as unit:
            message = await unit.ledger.get(message_id)
        if message is None or message.sender != self.contact_point:
            raise BadInputError("E_UNKNOWN_MESSAGE", f"no message {message_id} was sent by {self.contact_point}")
        return [
            RecipientState(one.id, one.state, one.sent_at, one.delivered_at, one.acknowledged_at, one.level, one.code)
            for one in message.recipients
        ]

    async def _row(self, item: InboxItem) -> rows.InboxItem:
        return await self._node.reading.item(item.id, contact_point=self.contact_point, sender=item.sender)


def _item(row: rows.InboxItem) -> InboxItem:
    return InboxItem(
        cursor=row.cursor,
        id=row.id,
        sender=row.sender,
        contact_point=row.contact_point,
        kind=row.kind,
        status=row.status,
        urgency=row.urgency,
        thread=row.thread,
        received_at=row.received_at,
        state=row.state,
        acknowledge_by=row.acknowledge_by,
        of=row.of,
        of_from=row.of_from,
    )


def _one_of(hosted: Sequence[str], wanted: str | None) -> str:
    if wanted is None and len(hosted) == 1:
        return hosted[0]
    if wanted is None or wanted not in hosted:
        found = f"{wanted} is not hosted here" if wanted else "this node hosts several contact points"
        raise BadInputError("E_CONTACT_POINT", f"contact_point: {found}; expected {' or '.join(hosted)}")
    return wanted


def _officer(name: str) -> str:
    if not name.strip():
        raise BadInputError("E_OFFICER", "officer: found nothing, expected the name of who answers for it")
    return name.strip()


def _bytes_of(alert: Alert) -> bytes:
    if isinstance(alert, bytes):
        return alert
    if isinstance(alert, Path):
        try:
            return alert.read_bytes()
        except OSError as error:
            raise UnavailableError("E_FILE", f"{alert}: {error.strerror}") from None
    try:
        return strict_json.encode(dict(alert))
    except (TypeError, ValueError) as error:
        raise BadInputError(
            "E_JSON", f"alert: found what is no JSON ({error}), expected an alert file's members"
        ) from None


def _members(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value
