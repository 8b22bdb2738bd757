"""The reasons for which messages are refused, by class, each with what an operator can do about it.

Security: somebody may be forging, or a key or list is out of date. Data: the sender's program wrote something wrong.
Delivery: it came too late, or where it was to go is not there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ReasonClass(StrEnum):
    """What kind of trouble it is."""

    SECURITY = "security"
    DATA = "data"
    DELIVERY = "delivery"


_SECURITY: Final = frozenset(
    {
        *("E_SIGNATURE", "E_SIG_POLICY", "E_ALG", "E_KEY_UNKNOWN", "E_KEY_EXPIRED", "E_KEY_REVOKED", "E_NETWORK"),
        *("E_NOT_AUTHORISED", "E_NOT_ORIGINATOR", "E_NOT_RECIPIENT", "E_RECIPIENTS", "E_SENDER", "E_EQUIVOCATION"),
        *("E_COMMITMENT", "E_SEAL_DIGEST", "E_SEAL_BINDING", "E_DECRYPT", "E_ROUTE_MISMATCH", "E_RECEIPT"),
        *("E_CLASSIFICATION", "E_STATUS"),
    }
)
_DELIVERY: Final = frozenset({"E_EXPIRED", "E_FUTURE", "E_LIFETIME", "E_TRUST_STALE", "E_NO_KEY", "E_INTERNAL"})


def class_of(code: str) -> ReasonClass:
    """The class of a code; one that stands nowhere is about data."""
    if code in _SECURITY:
        return ReasonClass.SECURITY
    return ReasonClass.DELIVERY if code in _DELIVERY else ReasonClass.DATA
