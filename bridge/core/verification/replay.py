"""Step 13: has this message been here before? And which codes mean "not yet" instead of "no"."""

from __future__ import annotations

from enum import Enum
from typing import Final

from bridge.core.errors import VerificationError
from bridge.core.verification.authenticate import Authenticated, AuthenticatedRefusal

# Neither accepted nor refused: kept within a quota and verified again when list or clock changes; never answered.
HELD_CODES: Final = frozenset({"E_TRUST_STALE", "E_KEY_UNKNOWN", "E_FUTURE"})


class ReplayVerdict(Enum):
    """New, or seen with the same digest (then only the answer is repeated, at most once a minute)."""

    NEW = "new"
    DUPLICATE = "duplicate"


def judge_replay(message: Authenticated, *, known_digest: str | None) -> ReplayVerdict:
    """Step 13, given the digest under which (`from`, `id`) is known, or `None`.

    Raises:
        VerificationError: `E_EQUIVOCATION`, when one id was used for two payloads.
    """
    if known_digest is None:
        return ReplayVerdict.NEW
    if known_digest == message.payload_sha256:
        return ReplayVerdict.DUPLICATE
    detail = "this id was used before for another payload"
    raise AuthenticatedRefusal(VerificationError(13, "E_EQUIVOCATION", detail), message)
