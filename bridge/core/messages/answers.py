"""The bodies that answer an alert: its originator's cancellation, and a recipient's acknowledgement."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.core.messages.fields import TEXT_PATTERN, CodeOf, ContactPointId, LongText, Maybe, Reference, UtcTime
from bridge.core.messages.head import BodyHead


class AlertCancelBody(BodyHead):
    """The end of an alert; only its originator sends it."""

    reason: Annotated[str, CodeOf("alert_cancel.reason"), Field(description="Why it no longer holds.")]
    note: Annotated[Maybe[LongText], Field(description="What else recipients should know.")] = None


class AcknowledgementBody(BodyHead):
    """A duty officer's answer to one message, in the officer's name."""

    of: Annotated[Reference, Field(description="The message that is acknowledged.")]
    level: Annotated[str, CodeOf("acknowledgement.level"), Field(description="How far it got.")]
    officer: Annotated[
        str,
        Field(min_length=1, max_length=120, pattern=TEXT_PATTERN, description="Who acknowledges: a person or a desk."),
    ]
    at: Annotated[UtcTime, Field(description="When the officer acknowledged.")]
    note: Annotated[Maybe[LongText], Field(description="What else the sender should know.")] = None
    redirect_to: Annotated[
        Maybe[ContactPointId], Field(description="Who is competent instead; only with level not_competent.")
    ] = None
