"""The `control` member of messages from machine to machine (wire-format: Control messages)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bridge.core.messages.fields import FORM, Count, Digest, Epoch, Maybe, MessageId, RefusalCode

MAX_NUMBERS = 1000

Lane = Annotated[
    Literal["urgent", "normal"], Field(description="urgent when the message's urgency is immediate, else normal.")
]


class Receipted(BaseModel):
    """Names what arrived, exactly."""

    model_config = FORM

    id: Annotated[MessageId, Field(description="The message id.")]
    payload_sha256: Annotated[Digest, Field(description="The SHA-256 of its payload's bytes, base64url.")]
    sealed_sha256: Annotated[Digest, Field(description="The SHA-256 of its sealed member's bytes, base64url.")]


class ReceiptControl(BaseModel):
    """A machine's answer: whole, verified and stored; or rejected with a code."""

    model_config = FORM

    state: Annotated[Literal["delivered", "rejected"], Field(description="rejected goes with a code.")]
    code: Annotated[Maybe[RefusalCode], Field(description="Why it was rejected; only then.")] = None
    of: Annotated[Receipted, Field(description="What arrived.")]


class NumberRange(BaseModel):
    """The numbers of one lane that were used in the epoch, both ends included."""

    model_config = FORM

    first: Annotated[Count, Field(description="The first number of the epoch.")]
    last: Annotated[Count, Field(description="The newest number.")]


class VoidNumber(BaseModel):
    """A number whose message cannot be sent again."""

    model_config = FORM

    lane: Lane
    number: Annotated[Count, Field(description="The number.")]
    code: Annotated[RefusalCode, Field(description="Why it cannot be sent again.")]


class HeartbeatControl(BaseModel):
    """Which numbers the sender has used towards this recipient, so that silence and loss can be told apart."""

    model_config = FORM

    epoch: Annotated[Epoch, Field(description="The sender's epoch.")]
    urgent: Annotated[NumberRange, Field(description="The urgent lane.")]
    normal: Annotated[NumberRange, Field(description="The normal lane.")]
    void: Annotated[
        tuple[VoidNumber, ...],
        Field(strict=False, max_length=MAX_NUMBERS, description="Numbers asked for again that cannot be sent again."),
    ] = ()


class ResendRequestControl(BaseModel):
    """Asks for the messages of missing numbers, byte for byte."""

    model_config = FORM

    epoch: Annotated[Epoch, Field(description="The epoch that the numbers are of.")]
    lane: Lane
    numbers: Annotated[
        tuple[Count, ...],
        Field(
            strict=False,
            min_length=1,
            max_length=MAX_NUMBERS,
            json_schema_extra={"uniqueItems": True},
            description="The missing numbers.",
        ),
    ]


ControlBody = ReceiptControl | HeartbeatControl | ResendRequestControl
