"""The bodies as they travel: what the author wrote, and the members that only the wire has.

One form per kind. A reader meets them as the body they extend: a `SealedRouteAlert` is a `RouteAlertBody`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bridge.core.messages.answers import AcknowledgementBody, AlertCancelBody
from bridge.core.messages.control import HeartbeatControl, ReceiptControl, ResendRequestControl
from bridge.core.messages.directory_notice import DirectoryNoticeBody
from bridge.core.messages.head import Sealed, Superseding
from bridge.core.messages.route_alert import AlertUpdateBody, RouteAlertBody
from bridge.core.vocabulary import (
    ACKNOWLEDGEMENT,
    ALERT_CANCEL,
    ALERT_UPDATE,
    DIRECTORY_NOTICE,
    HEARTBEAT,
    RECEIPT,
    RESEND_REQUEST,
    ROUTE_ALERT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class SealedRouteAlert(Sealed, RouteAlertBody):
    """An alert about a trafficking route."""


class SealedAlertUpdate(Superseding, Sealed, AlertUpdateBody):
    """A new version of an alert: the whole new body, what changed, and which message it takes the place of."""


class SealedAlertCancel(Superseding, Sealed, AlertCancelBody):
    """The end of an alert; only its originator sends it."""


class SealedAcknowledgement(Sealed, AcknowledgementBody):
    """A duty officer's answer to one message, in the officer's name."""


class SealedDirectoryNotice(Sealed, DirectoryNoticeBody):
    """There is another membership list; its files may be in it."""


SealedForm = SealedRouteAlert | SealedAlertUpdate | SealedAlertCancel | SealedAcknowledgement | SealedDirectoryNotice

SEALED_FORMS: Final[Mapping[str, type[SealedForm]]] = MappingProxyType(
    {
        ROUTE_ALERT: SealedRouteAlert,
        ALERT_UPDATE: SealedAlertUpdate,
        ALERT_CANCEL: SealedAlertCancel,
        ACKNOWLEDGEMENT: SealedAcknowledgement,
        DIRECTORY_NOTICE: SealedDirectoryNotice,
    }
)
CONTROL_FORMS: Final[Mapping[str, type[ReceiptControl | HeartbeatControl | ResendRequestControl]]] = MappingProxyType(
    {RECEIPT: ReceiptControl, HEARTBEAT: HeartbeatControl, RESEND_REQUEST: ResendRequestControl}
)
