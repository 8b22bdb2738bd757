"""The signed payload: the routing header of a message (wire-format: Payload).

Nothing about the case stands here: no thread, no references, no child flag, no exploitation. Two shapes share it: a
sealed message and a control message. What the models enforce is form; who may say what is the verification's work.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from bridge.core.ids import CONTACT_POINT_PATTERN, MESSAGE_ID_PATTERN
from bridge.core.times import format_time, parse_time
from bridge.core.wire import base64url

MAX_RECIPIENTS: Final = 64
CONTROL_KINDS: Final = frozenset({"receipt", "heartbeat", "resend_request"})


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        message = "expected a time as text"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only ValueError into a validation error
    return parse_time(value)


def _digest(text: str) -> str:
    base64url.decode(text)
    return text


MessageId = Annotated[str, Field(pattern=MESSAGE_ID_PATTERN)]
ContactPointId = Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
Time = Annotated[datetime, BeforeValidator(_time), PlainSerializer(format_time, return_type=str)]
Digest = Annotated[str, Field(min_length=43, max_length=43), AfterValidator(_digest)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]

_FORM = ConfigDict(frozen=True, strict=True, extra="forbid", serialize_by_alias=True)


class Trust(BaseModel):
    """The membership list that the sender used."""

    model_config = _FORM

    network: Annotated[str, Field(min_length=1, max_length=64)]
    version: Count


class Sequence(BaseModel):
    """The sender's counters: one number per recipient, in one lane and epoch."""

    model_config = _FORM

    epoch: Annotated[int, Field(ge=1, le=2**53 - 1)]
    n: Annotated[dict[ContactPointId, Count], Field(min_length=1, max_length=MAX_RECIPIENTS)]


class Header(BaseModel):
    """What sealed and control messages share."""

    model_config = _FORM

    v: Annotated[int, Field(ge=1, le=1)]  # not Literal: that takes true for 1
    id: MessageId
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    schema_urn: Annotated[str, Field(alias="schema", pattern=r"^urn:ncp-bridge:[a-z_]{1,40}:[0-9]{1,4}\.[0-9]{1,4}$")]
    status: Literal["actual", "exercise", "system", "test"]
    urgency: Literal["immediate", "expected", "future", "past", "unknown"]
    sender: Annotated[ContactPointId, Field(alias="from")]
    to: Annotated[
        tuple[ContactPointId, ...],
        # The first fault is all that anybody is told; a list may be long.
        Field(strict=False, min_length=1, max_length=MAX_RECIPIENTS, fail_fast=True),
    ]
    sent: Time
    expires: Time
    reply_within_s: Annotated[int, Field(ge=1, le=31 * 86400)] | None = None
    trust: Trust

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, members: object) -> object:
        if isinstance(members, dict) and None in members.values():
            message = "a member is null; what is not there is left out"
            raise ValueError(message)
        return members

    @property
    def lane(self) -> str:
        """`urgent` when the urgency is `immediate`, else `normal`: its own queues and its own counters."""
        return lane_of(self.urgency)


class SealedPayload(Header):
    """The payload of a message with a sealed body."""

    seq: Sequence
    sealed_sha256: Digest
    body_sha256: Digest
    replaces: MessageId | None = None

    @model_validator(mode="after")
    def _a_number_for_each_recipient(self) -> SealedPayload:
        if set(self.seq.n) != set(self.to):
            message = "seq.n names other contact points than to"
            raise ValueError(message)
        return self


class ControlPayload(Header):
    """The payload of a message from machine to machine: no sealed body, one recipient."""

    control: dict[str, object]
    to: Annotated[tuple[ContactPointId, ...], Field(strict=False, min_length=1, max_length=1, fail_fast=True)]


AnyPayload = SealedPayload | ControlPayload


def lane_of(urgency: str) -> str:
    """The lane of an urgency: two lanes, because an immediate message must overtake a backlog."""
    return "urgent" if urgency == "immediate" else "normal"


def read_payload(members: dict[str, object]) -> AnyPayload:
    """The payload model for parsed members; raises pydantic's `ValidationError` on any other form."""
    kind = members.get("kind")
    model = ControlPayload if isinstance(kind, str) and kind in CONTROL_KINDS else SealedPayload
    return model.model_validate(members)


_NAMES: Final = frozenset(
    field.alias or name
    for model in (SealedPayload, ControlPayload, Sequence, Trust)
    for name, field in model.model_fields.items()
)


def first_fault(error: ValidationError) -> str:
    """Which member is wrong, without its value or an invented name: nothing of an unread message goes into a log."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    names = (str(part) if isinstance(part, int) or part in _NAMES else "?" for part in fault["loc"])
    return f"{'.'.join(names) or 'the payload'}: {fault['type']}"
