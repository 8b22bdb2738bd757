"""Alerts: checked, previewed, submitted; what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from bridge.api.door import with_scope
from bridge.api.examples import ALERT, header
from bridge.api.fields import Officer
from bridge.api.parts import parts_of
from bridge.api.problems import ProblemItem, item
from bridge.api.strict_route import StrictRoute
from bridge.app.integrating.submit_once import LONGEST_KEY, SubmitOnce
from bridge.app.integrating.submit_once import Request as Submission
from bridge.app.integrating.tokens import Scope, System
from bridge.app.sending.submit import alert_of
from bridge.core.errors import BadInputError
from bridge.core.ids import MESSAGE_ID_PATTERN
from bridge.core.messages import read_alert_file
from bridge.core.privacy import find_personal_data
from bridge.core.times import format_time
from bridge.core.wire import strict_json
from bridge.ports.store.records import OutgoingRecipient

router: Final = APIRouter(tags=["alerts"], route_class=StrictRoute)

Alert = Annotated[
    dict[str, Any],
    Body(description="An alert file: /api/schemas/alert-file/1.0.json.", openapi_examples={"alert": {"value": ALERT}}),
]


class Checked(BaseModel):
    """What a check found: `ok` without errors; `warnings` are places that look like personal data."""

    ok: bool
    errors: list[ProblemItem]
    warnings: list[str]


class PreviewedRecipient(BaseModel):
    """Who would receive it, and which rule says so."""

    id: str
    country: str
    roles: list[str]
    rule: str
    reason: str


class Excluded(BaseModel):
    """Who would not, and why."""

    id: str
    reason: str


class Preview(BaseModel):
    """Who would receive an alert; `unreachable` are countries of the route in which nobody can."""

    recipients: list[PreviewedRecipient]
    excluded: list[Excluded]
    unreachable: list[str]
    warnings: list[str]


class SubmissionBody(BaseModel):
    """An alert, and the person who released it: no system sends by itself (Directive (EU) 2016/680, art. 11)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    officer: Officer
    alert: Annotated[dict[str, Any], Field(examples=[ALERT])]
    partial: Annotated[bool, Field(description="Send to the rest when a country cannot be reached.")] = False
    impersonal: Annotated[
        bool, Field(description="The officer looked at what looks like personal data, and it is nobody's.")
    ] = False


class Submitted(BaseModel):
    """What was stored, and is being delivered."""

    id: str
    thread: str
    recipients: list[str]
    payload_sha256: str


class RecipientState(BaseModel):
    """What became of it at one recipient."""

    id: str
    state: str
    sent_at: str | None
    delivered_at: str | None
    acknowledged_at: str | None
    level: str | None
    code: str | None


class MessageState(BaseModel):
    """What became of a message of this contact point."""

    id: str
    kind: str
    status: str
    urgency: str
    thread: str
    sent: str
    expires: str
    recipients: list[RecipientState]


@router.post(
    "/validate",
    operation_id="validateAlert",
    summary="Check an alert file",
    response_description="What was found.",
)
async def validate(alert: Alert, _system: Annotated[System, Depends(with_scope(Scope.CHECK))]) -> Checked:
    """Every problem with its path, what was found and what was expected. Sends nothing, stores nothing."""
    read = read_alert_file(strict_json.encode(alert))
    if isinstance(read, tuple):
        return Checked(ok=False, errors=[item(one) for one in read], warnings=[])
    findings = find_personal_data(read.body.model_dump(mode="json", by_alias=True))
    return Checked(ok=True, errors=[], warnings=[finding.sentence() for finding in findings])


@router.post(
    "/preview",
    operation_id="previewRecipients",
    summary="Who would receive an alert, and why",
    response_description="By the newest membership list.",
)
async def preview(
    request: Request, alert: Alert, system: Annotated[System, Depends(with_scope(Scope.CHECK))]
) -> Preview:
    """Sends nothing, stores nothing."""
    submitting = await parts_of(request).submitting()
    draft = await submitting.prepare(alert_of(strict_json.encode(alert)), sender=system.contact_point)
    return Preview(
        recipients=[
            PreviewedRecipient(id=one.id, country=one.country, roles=list(one.roles), rule=one.rule, reason=one.reason)
            for one in draft.plan.recipients
        ],
        excluded=[Excluded(id=one.id, reason=one.reason) for one in draft.plan.excluded],
        unreachable=list(draft.plan.unreachable),
        warnings=[finding.sentence() for finding in draft.findings],
    )


@router.post(
    "/messages",
    operation_id="submitAlert",
    summary="Submit an alert",
    status_code=201,
    response_description="Stored, and being delivered.",
    responses={
        201: {
            "headers": {
                "Location": header("Where its state is."),
                "Idempotency-Replayed": header("`true`: it was submitted before under this key, and not sent again."),
            }
        }
    },
)
async def submit(
    request: Request,
    response: Response,
    submission: SubmissionBody,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=LONGEST_KEY,
            pattern=r"^[\x21-\x7e]+$",
            description="One of your own for each alert: trying again with it sends nothing twice, for 7 days.",
        ),
    ],
    system: Annotated[System, Depends(with_scope(Scope.SUBMIT))],
) -> Submitted:
    """Signs, seals and stores it; the node delivers it.

    The same answer again, with `Idempotency-Replayed: true`, when the key was used before for the same request;
    `E_KEY_REUSED` when it was used for another.
    """
    once = SubmitOnce(await parts_of(request).submitting())
    asked = Submission(submission.alert, submission.officer, submission.partial, submission.impersonal)
    sent, was_there = await once.submit(asked, system=system, key=key)
    if was_there:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = f"/api/v1/messages/{sent.id}"
    return Submitted(
        id=sent.id, thread=sent.thread, recipients=list(sent.recipients), payload_sha256=sent.payload_sha256
    )


@router.get(
    "/messages/{message_id}",
    operation_id="messageState",
    summary="What became of a message",
    response_description="Each recipient's state.",
)
async def state(
    request: Request,
    message_id: Annotated[str, Path(pattern=MESSAGE_ID_PATTERN)],
    system: Annotated[System, Depends(with_scope(Scope.MESSAGES))],
) -> MessageState:
    """Recipient by recipient: sent, delivered (a verified receipt), acknowledged (a person's answer)."""
    async with parts_of(request).store.reading() as unit:
        message = await unit.ledger.get(message_id)
    if message is None or message.sender != system.contact_point:
        raise BadInputError("E_UNKNOWN_MESSAGE", f"no message {message_id} was sent by {system.contact_point}")
    return MessageState(
        id=message.id,
        kind=message.kind,
        status=message.status,
        urgency=message.urgency,
        thread=message.thread,
        sent=format_time(message.sent),
        expires=format_time(message.expires),
        recipients=[_recipient(one) for one in message.recipients],
    )


def _recipient(one: OutgoingRecipient) -> RecipientState:
    sent, delivered, acknowledged = (
        format_time(at) if at else None for at in (one.sent_at, one.delivered_at, one.acknowledged_at)
    )
    return RecipientState(
        id=one.id,
        state=one.state,
        sent_at=sent,
        delivered_at=delivered,
        acknowledged_at=acknowledged,
        level=one.level,
        code=one.code,
    )
