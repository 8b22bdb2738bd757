"""Messages: bodies, alert files and control members, their forms and their rules.

`read_body`, `read_control` and `read_alert_file` are the doors: what they answer has the form of its kind and keeps the
rules, or is the list of what is wrong. Nothing here sends, verifies a signature, or knows a member of the network.
"""

from bridge.core.messages.alert_file import AlertFile, read_alert_file
from bridge.core.messages.answers import AcknowledgementBody, AlertCancelBody
from bridge.core.messages.control import ControlBody, HeartbeatControl, ReceiptControl, ResendRequestControl
from bridge.core.messages.directory_notice import DirectoryNoticeBody
from bridge.core.messages.fields import Reference
from bridge.core.messages.impersonal import impersonal
from bridge.core.messages.reading import (
    ReadBody,
    acknowledge_within,
    is_known_schema,
    read_body,
    read_control,
    schema_urn_of,
)
from bridge.core.messages.route_alert import AlertUpdateBody, Endpoint, Leg, RouteAlertBody

__all__ = [
    "AcknowledgementBody",
    "AlertCancelBody",
    "AlertFile",
    "AlertUpdateBody",
    "ControlBody",
    "DirectoryNoticeBody",
    "Endpoint",
    "HeartbeatControl",
    "Leg",
    "ReadBody",
    "ReceiptControl",
    "Reference",
    "ResendRequestControl",
    "RouteAlertBody",
    "acknowledge_within",
    "impersonal",
    "is_known_schema",
    "read_alert_file",
    "read_body",
    "read_control",
    "schema_urn_of",
]
