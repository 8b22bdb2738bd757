"""Submitting an alert file: who may send it, to whom it goes and why, and what an officer should look at first.

`prepare` writes nothing, so that a person can look before anything happens (Directive (EU) 2016/680 Art. 11: no
automatic decision); `SendMessages.send` does what was prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.sending.may_send import check_may_send
from bridge.app.sending.send import Draft, SendMessages
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.messages import AlertFile, RouteAlertBody, read_alert_file
from bridge.core.privacy import find_personal_data
from bridge.core.routing import RoutePlan, corridor_of, plan_answer, plan_route
from bridge.core.times import to_milliseconds
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import OutgoingMessage

DEFAULT_RETENTION: Final = timedelta(days=90)  # vocabulary: Privacy, Retention
SUPERSEDABLE: Final = frozenset({"route_alert", "alert_update"})


@dataclass(frozen=True, slots=True)
class SubmitAlerts:
    """Prepares alerts for the contact points of one node."""

    sending: SendMessages

    async def prepare(self, alert: AlertFile, *, sender: str) -> Draft:
        """The draft with its route plan.

        Raises:
            RefusedError: `E_DRAFT`, `E_NOT_AUTHORISED`, `E_NOT_ORIGINATOR`, `E_UNKNOWN_MESSAGE`, `E_NOT_AN_ALERT`,
                `E_OTHER_STATUS`.
        """
        directory = self.sending.trust.current()
        check_may_send(directory, sender, alert.kind, alert.status)
        earlier: OutgoingMessage | None = None
        received_before: tuple[str, ...] = ()
        if alert.supersedes is not None:
            async with self.sending.store.reading() as unit:
                earlier = await _superseded(unit, alert.supersedes, sender, status=alert.status)
                received_before = tuple(await unit.ledger.recipients_of_thread(earlier.thread, sender=sender))
        now = to_milliseconds(self.sending.clock.now())
        reference = reference_to(earlier) if earlier else None
        body = alert.body_members(retain_until_default=now + DEFAULT_RETENTION, supersedes=reference)
        return Draft(
            kind=alert.kind,
            status=alert.status,
            urgency=alert.urgency,
            body=body,
            plan=_plan(alert, directory, sender, received_before, now),
            findings=find_personal_data(body),
            expires=alert.expires,
            thread=earlier.thread if earlier else alert.thread,
            supersedes=earlier.id if earlier else None,
            references=(reference,) if reference else (),
        )


def alert_of(data: bytes) -> AlertFile:
    """The alert that a file holds.

    Raises:
        BadInputError: every fault of it is in `problems`.
    """
    alert = read_alert_file(data)
    if isinstance(alert, tuple):
        raise BadInputError.of(alert)
    return alert


def check_findings(draft: Draft) -> None:
    """Refuses what looks like personal data, where nobody said that it is nobody's (`E_PERSONAL_DATA`)."""
    if draft.findings:
        first = draft.findings[0]
        raise RefusedError("E_PERSONAL_DATA", first.sentence(), path=first.path)


def plan_for_answer(
    directory: Directory, recipient: str, *, kind: str, status: str, sender: str, at: datetime
) -> RoutePlan:
    """The plan for an answer to one contact point; refuses what the sender may not send."""
    check_may_send(directory, sender, kind, status)
    return plan_answer(recipient, directory, kind=kind, status=status, sender=sender, at=at)


def reference_to(message: OutgoingMessage) -> Mapping[str, str]:
    """How another message names one of ours."""
    return {"from": message.sender, "id": message.id, "payload_sha256": message.payload_sha256}


def _plan(
    alert: AlertFile, directory: Directory, sender: str, received_before: tuple[str, ...], at: datetime
) -> RoutePlan:
    body = alert.body
    return plan_route(
        corridor_of(body if isinstance(body, RouteAlertBody) else None),
        directory,
        kind=alert.kind,
        status=alert.status,
        sender=sender,
        at=at,
        earlier=received_before,
    )


async def _superseded(unit: UnitOfWork, message_id: str, sender: str, *, status: str) -> OutgoingMessage:
    earlier = await unit.ledger.get(message_id)
    path = "$.supersedes"
    if earlier is None:
        raise RefusedError("E_UNKNOWN_MESSAGE", f"{path}: no message {message_id} was sent from this node", path=path)
    if earlier.sender != sender:
        sentence = f"{path}: {message_id} was sent by {earlier.sender}; only the originator updates or cancels it"
        raise RefusedError("E_NOT_ORIGINATOR", sentence, path=path)
    if earlier.kind not in SUPERSEDABLE:
        sentence = f"{path}: {message_id} is an {earlier.kind}; expected a route_alert or an alert_update"
        raise RefusedError("E_NOT_AN_ALERT", sentence, path=path)
    if earlier.status != status:
        sentence = f"$.status: {message_id} is {earlier.status}, found {status}; a thread stays what it began as"
        raise RefusedError("E_OTHER_STATUS", sentence, path="$.status")
    return earlier
