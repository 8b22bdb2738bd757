"""The form of an alert file for each kind: how to send, and the body without what only the wire has."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, Field

from bridge.core.messages.answers import AlertCancelBody
from bridge.core.messages.fields import FORM, CodeOf, Maybe, MessageId, UtcTime
from bridge.core.messages.route_alert import AlertUpdateBody, RouteAlertBody
from bridge.core.vocabulary import ALERT_CANCEL, ALERT_UPDATE, ROUTE_ALERT

if TYPE_CHECKING:
    from collections.abc import Mapping


class AlertFileForm(BaseModel):
    """What an alert file holds: how to send, and the body."""

    model_config = FORM

    kind: Annotated[Literal["route_alert", "alert_update", "alert_cancel"], Field(description="The kind of message.")]
    status: Annotated[
        str, CodeOf("status"), Field(description="OASIS CAP 1.2; a draft can be validated but is never sent.")
    ]
    urgency: Annotated[
        str, CodeOf("urgency"), Field(description="OASIS CAP 1.2; immediate travels in a lane of its own.")
    ]
    expires: Annotated[
        Maybe[UtcTime], Field(description="Until when it is worth delivering, 30 days after sending at most.")
    ] = None
    thread: Annotated[
        Maybe[MessageId], Field(description="The id of the first message of the thread that it continues.")
    ] = None
    supersedes: Annotated[
        Maybe[MessageId],
        Field(description="The id of the message that an update or a cancellation takes the place of."),
    ] = None
    body: Annotated[dict[str, object], Field(description="The body, without the members that only the wire has.")]


class RouteAlertFile(AlertFileForm):
    """A file with a route alert."""

    body: RouteAlertBody  # type: ignore[assignment]  # the base says only: an object


class AlertUpdateFile(AlertFileForm):
    """A file with an update."""

    body: AlertUpdateBody  # type: ignore[assignment]  # as above


class AlertCancelFile(AlertFileForm):
    """A file with a cancellation."""

    body: AlertCancelBody  # type: ignore[assignment]  # as above


FILE_FORMS: Final[Mapping[str, type[RouteAlertFile | AlertUpdateFile | AlertCancelFile]]] = MappingProxyType(
    {ROUTE_ALERT: RouteAlertFile, ALERT_UPDATE: AlertUpdateFile, ALERT_CANCEL: AlertCancelFile}
)
FILE_BODIES: Final[Mapping[str, type[RouteAlertBody | AlertUpdateBody | AlertCancelBody]]] = MappingProxyType(
    {ROUTE_ALERT: RouteAlertBody, ALERT_UPDATE: AlertUpdateBody, ALERT_CANCEL: AlertCancelBody}
)
