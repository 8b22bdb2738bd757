"""Steps 1 to 12 for a batch of deliveries, with the refresh of the membership list that some of them ask for.

Rules:
1. An unknown key, or a proven peer's higher `trust.version`, asks for a newer list, whatever the verdict was.
2. A batch is judged by one list. After a refresh the whole batch is judged again: what the newer list takes away, a
   revoked key, must not pass because it came a moment before.
3. Where a peer has a higher version and no newer list could be had, the older list is no ground for refusing authority
   (step 11): the message is held, for as long as it is worth delivering.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receiving.giving_way import let_others_run
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError, VerificationError
from bridge.core.verification import (
    MAX_LIFETIME,
    Authenticated,
    AuthenticatedRefusal,
    Receiver,
    SignatureCheck,
    TrustView,
    authenticate,
)
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock
from bridge.ports.trust import TrustSource

# A flood of unknown keys must not become a flood of refreshes.
REFRESH_AT_MOST_EVERY: Final = timedelta(seconds=10)
# What waits for a list is held and judged again when it is there; an alert must not wait for a mirror's deadline.
REFRESH_PATIENCE_SECONDS: Final = 2.0
AUTHORITY: Final = 11

Verdict = Authenticated | VerificationError


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery with its verdict after step 12: proven, or an error."""

    delivery: Delivery
    verdict: Verdict


class Authenticator:
    """Runs steps 1 to 12 for one receiver against the newest membership list."""

    def __init__(self, *, trust: TrustSource, clock: Clock, receiver: Receiver, is_signature: SignatureCheck) -> None:
        self._trust = trust
        self._clock = clock
        self._receiver = receiver
        self._is_signature = is_signature
        self._refreshed_at: datetime | None = None
        self._refreshing: asyncio.Future[Directory] | None = None

    async def judge(self, batch: Sequence[Delivery]) -> list[Judged]:
        """One verdict per delivery, in order."""
        try:
            view = self._trust.view()
        except UnavailableError as error:
            return [Judged(delivery, VerificationError(5, "E_TRUST_STALE", error.message)) for delivery in batch]
        verdicts = await self._verdicts(batch, view)
        if any(_wants_newer_list(verdict, view) for verdict in verdicts) and await self._refresh():
            before, view = view, self._trust.view()
            if view.directory is not before.directory:
                verdicts = await self._verdicts(batch, view)
        self._note_versions(verdicts)
        return [
            Judged(delivery, self._held_for_newer_list(verdict, view))
            for delivery, verdict in zip(batch, verdicts, strict=True)
        ]

    async def _verdicts(self, batch: Sequence[Delivery], view: TrustView) -> list[Verdict]:
        verdicts = []
        for delivery in batch:
            verdicts.append(self._verdict(delivery, view))
            await let_others_run()
        return verdicts

    def _verdict(self, delivery: Delivery, view: TrustView) -> Verdict:
        try:
            return authenticate(
                delivery.wire_bytes,
                trust=view,
                receiver=self._receiver,
                now=self._clock.now(),
                hints=delivery.hints,
                is_signature=self._is_signature,
            )
        except VerificationError as error:
            return error

    def _held_for_newer_list(self, verdict: Verdict, view: TrustView) -> Verdict:
        if not isinstance(verdict, AuthenticatedRefusal) or verdict.step != AUTHORITY or not _is_ahead(verdict, view):
            return verdict
        payload = verdict.proven.payload
        if self._clock.now() >= min(payload.expires, payload.sent + MAX_LIFETIME):
            return verdict
        detail = (
            f"{verdict.message} in membership list {view.directory.version}, the message names {payload.trust.version}"
        )
        return VerificationError(verdict.step, "E_TRUST_STALE", detail)

    def _note_versions(self, verdicts: Sequence[Verdict]) -> None:
        """What list the peers use, after a newer one was asked for: one that is held back shows by them alone."""
        for proven in map(_proven, verdicts):
            if proven is not None:
                payload = proven.payload
                self._trust.note_version(proven.sender.id, payload.trust.version, sent=payload.sent)

    async def _refresh(self) -> bool:
        """Whether a refresh is done. A slow mirror goes on alone; what it brings is heeded when it is there."""
        now = self._clock.now()
        if self._refreshed_at is not None and timedelta(0) <= now - self._refreshed_at < REFRESH_AT_MOST_EVERY:
            return False
        self._refreshed_at = now
        refreshing = self._refreshing
        if refreshing is None or refreshing.done():
            refreshing = self._refreshing = asyncio.ensure_future(self._trust.refresh())
        done, _ = await asyncio.wait({refreshing}, timeout=REFRESH_PATIENCE_SECONDS)
        for task in done:
            task.result()
        return bool(done)


def _wants_newer_list(verdict: Verdict, view: TrustView) -> bool:
    return (isinstance(verdict, VerificationError) and verdict.code == "E_KEY_UNKNOWN") or _is_ahead(verdict, view)


def _is_ahead(verdict: Verdict, view: TrustView) -> bool:
    """Whether a proven signer, refused or not, had a newer list than ours."""
    proven = _proven(verdict)
    return proven is not None and proven.payload.trust.version > view.directory.version


def _proven(verdict: Verdict) -> Authenticated | None:
    message = verdict.proven if isinstance(verdict, AuthenticatedRefusal) else verdict
    return message if isinstance(message, Authenticated) else None
