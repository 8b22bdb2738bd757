"""NCP Bridge carries signed, sealed route alerts between national contact points.

`from bridge import Client` is the library for programs (`bridge.client`). Its names are imported when they are asked
for: every module of the bridge passes through here first.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.client import (
        Alert,
        BadInputError,
        BridgeError,
        Client,
        InboxItem,
        Message,
        Preview,
        Problem,
        Recipient,
        RecipientState,
        RefusedError,
        Submitted,
        UnavailableError,
        Verdict,
        verify,
    )

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


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("bridge.client"), name)
