"""The numbered verification procedure of the wire format, pure and synchronous.

`authenticate` is steps 1 to 12, which routers and contact points share. `judge_replay` is step 13. `open_message` is
steps 15 to 17. Step 14 (sequence) never refuses and step 18 is a transaction: both belong to the store. A
`VerifiedMessage` can be made by `open_message` only, and the inbox takes nothing else.
"""

from bridge.core.verification.authenticate import (
    MAX_LIFETIME,
    SENDER_STEP,
    Authenticated,
    AuthenticatedRefusal,
    Receiver,
    TrustView,
    authenticate,
)
from bridge.core.verification.hints import Hints
from bridge.core.verification.open_message import VerifiedMessage, check_originator, open_message
from bridge.core.verification.ports import OpeningError, OpeningKeys, SignatureCheck
from bridge.core.verification.receipts import SentDigests, control_of, read_receipt
from bridge.core.verification.replay import HELD_CODES, ReplayVerdict, judge_replay

__all__ = [
    "HELD_CODES",
    "MAX_LIFETIME",
    "SENDER_STEP",
    "Authenticated",
    "AuthenticatedRefusal",
    "Hints",
    "OpeningError",
    "OpeningKeys",
    "Receiver",
    "ReplayVerdict",
    "SentDigests",
    "SignatureCheck",
    "TrustView",
    "VerifiedMessage",
    "authenticate",
    "check_originator",
    "control_of",
    "judge_replay",
    "open_message",
    "read_receipt",
]
