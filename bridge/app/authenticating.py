"""Steps 1 to 12 for a batch of deliveries, with the one refresh of the membership list that step 6 asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.core.errors import UnavailableError, VerificationError
from bridge.core.verification import Authenticated, Receiver, SignatureCheck, TrustView, authenticate
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock
from bridge.ports.trust import TrustSource

# A flood of unknown keys must not become a flood of refreshes.
REFRESH_AT_MOST_EVERY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery with its verdict after step 12: proven, or an error."""

    delivery: Delivery
    verdict: Authenticated | VerificationError


class Authenticator:
    """Runs steps 1 to 12 for one receiver against the newest membership list."""

    def __init__(self, *, trust: TrustSource, clock: Clock, receiver: Receiver, is_signature: SignatureCheck) -> None:
        self._trust = trust
        self._clock = clock
        self._receiver = receiver
        self._is_signature = is_signature
        self._refreshed_at: datetime | None = None

    async def judge(self, batch: Sequence[Delivery]) -> list[Judged]:
        """One verdict per delivery, in order."""
        judged = [self._judge_one(delivery) for delivery in batch]
        if any(self._wants_newer_list(item.verdict) for item in judged) and await self._refresh():
            judged = [self._judge_one(item.delivery) if _is_unknown_key(item.verdict) else item for item in judged]
        return judged

    def _judge_one(self, delivery: Delivery) -> Judged:
        try:
            view = TrustView(self._trust.current(), self._trust.highest_version())
        except UnavailableError as error:
            return Judged(delivery, VerificationError(5, "E_TRUST_STALE", error.message))
        try:
            verdict: Authenticated | VerificationError = authenticate(
                delivery.wire_bytes,
                trust=view,
                receiver=self._receiver,
                now=self._clock.now(),
                hints=delivery.hints,
                is_signature=self._is_signature,
            )
        except VerificationError as error:
            verdict = error
        return Judged(delivery, verdict)

    def _wants_newer_list(self, verdict: Authenticated | VerificationError) -> bool:
        if isinstance(verdict, VerificationError):
            return _is_unknown_key(verdict)
        return verdict.payload.trust.version > self._trust.current().version

    async def _refresh(self) -> bool:
        now = self._clock.now()
        if self._refreshed_at is not None and timedelta(0) <= now - self._refreshed_at < REFRESH_AT_MOST_EVERY:
            return False
        self._refreshed_at = now
        await self._trust.refresh()
        return True


def _is_unknown_key(verdict: Authenticated | VerificationError) -> bool:
    return isinstance(verdict, VerificationError) and verdict.code == "E_KEY_UNKNOWN"
