"""The bridge as a library: `from bridge import Client`. What is named here is what a program may build on."""

from bridge.client.client import Alert, Client
from bridge.client.records import InboxItem, Message, Preview, Recipient, RecipientState, Submitted, Verdict
from bridge.client.verifying import verify
from bridge.core.errors import BadInputError, BridgeError, Problem, RefusedError, UnavailableError

__all__ = [
    "Alert",
    "BadInputError",
    "BridgeError",
    "Client",
    "InboxItem",
    "Message",
    "Preview",
    "Problem",
    "Recipient",
    "RecipientState",
    "RefusedError",
    "Submitted",
    "UnavailableError",
    "Verdict",
    "verify",
]
