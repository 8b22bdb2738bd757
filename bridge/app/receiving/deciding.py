"""What is to become of what arrived at a contact point: step 13, the last check of step 17, and who is owed an answer.

It decides and touches nothing: judged arrivals and what is known of them go in, one decision each comes out. A decision
becomes known to the arrivals behind it, so that two copies in one batch are treated like two batches.

Promises:
1. What is known of a (sender, id) under one digest is never replaced by anything with another digest.
2. Only a sealed message is answered or remembered. Control is what says so in its header *or* in its kind: where the
   two disagree nothing is known about the message but that it is wrong.
3. What was delivered stays delivered, whatever is wrong with a copy of it that comes later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.no_gap.peer_controls import PASSING_KINDS
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.refusing import is_held
from bridge.core.errors import VerificationError
from bridge.core.verification import (
    Authenticated,
    AuthenticatedRefusal,
    ReplayVerdict,
    VerifiedMessage,
    check_originator,
    judge_replay,
)
from bridge.core.wire.payload import SealedPayload
from bridge.ports.store import MessageKey
from bridge.ports.store.records import Replay

ANSWER_AGAIN_AFTER: Final = timedelta(minutes=1)
DELIVERED: Final = "delivered"
LAST_STEP_WITHOUT_NUMBER: Final = 9  # wire-format: every message past step 9 uses its number, refused or not


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed message that passed steps 1 to 12, with what steps 15 to 17 say; step 13 comes before that counts."""

    message: Authenticated
    content: VerifiedMessage | AuthenticatedRefusal


@dataclass(frozen=True, slots=True)
class ProvenControl:
    """A control message that passed steps 1 to 12."""

    message: Authenticated


Verdict = Opened | ProvenControl | VerificationError


@dataclass(slots=True)
class Known:
    """What a contact point knows when a batch arrives: earlier verdicts, and who began the threads."""

    replays: dict[MessageKey, Replay] = field(default_factory=dict)
    originators: dict[str, list[str]] = field(default_factory=dict)

    def note(self, decision: Decision) -> None:
        """Makes a decision known to what comes behind it."""
        if decision.replay is not None:
            key, replay = decision.replay
            self.replays[key] = replay
        item = decision.item
        if isinstance(item, VerifiedMessage) and item.payload.id == item.body.thread:
            self.originators.setdefault(item.body.thread, []).append(item.payload.sender)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one arrival; everything but the outcome may be nothing.

    Attributes:
        outcome: for a control message, and for one to be held, the store has the last word.
        item: goes to the inbox: a whole message, or an expired one, of which a stub stays.
        numbered: used its number (step 14).
        answer: is owed a receipt with this outcome, `delivered` or a code.
        replay: what is known of it from now on.
        refusal: why it is refused or held.
        control: is held against the ledger instead of the replay table.
    """

    outcome: Outcome
    item: VerifiedMessage | Authenticated | None = None
    numbered: Authenticated | None = None
    answer: tuple[Authenticated, str] | None = None
    replay: tuple[MessageKey, Replay] | None = None
    refusal: VerificationError | None = None
    control: Authenticated | None = None


def sealed_message_of(verdict: Authenticated | VerificationError) -> Authenticated | None:
    """The sealed message of a proven signer, refused or not; `None` where there is none to answer or to remember."""
    message = verdict.proven if isinstance(verdict, AuthenticatedRefusal) else verdict
    if not isinstance(message, Authenticated) or message.envelope.is_control:
        return None
    return message if isinstance(message.payload, SealedPayload) else None


def is_overdue_control(verdict: Authenticated | VerificationError) -> bool:
    """A heartbeat or request that has expired: it is worth nothing any more, and nothing is wrong with it."""
    if not isinstance(verdict, AuthenticatedRefusal) or verdict.code != "E_EXPIRED":
        return False
    return verdict.proven.payload.kind in PASSING_KINDS


def threads_to_judge(verdicts: Sequence[Verdict]) -> list[str]:
    """The threads whose originators matter: those that an update or a cancellation belongs to."""
    contents = [verdict.content for verdict in verdicts if isinstance(verdict, Opened)]
    superseding = [one for one in contents if isinstance(one, VerifiedMessage) and one.supersedes is not None]
    return sorted({verified.body.thread for verified in superseding})


def decide(
    verdicts: Sequence[Verdict],
    *,
    replays: Mapping[MessageKey, Replay],
    originators: Mapping[str, Sequence[str]],
    now: datetime,
) -> list[Decision]:
    """One decision per verdict, in order."""
    known = Known(dict(replays), {thread: list(senders) for thread, senders in originators.items()})
    decisions = []
    for verdict in verdicts:
        decision = _decide_one(verdict, known, now)
        known.note(decision)
        decisions.append(decision)
    return decisions


def _decide_one(verdict: Verdict, known: Known, now: datetime) -> Decision:
    if isinstance(verdict, ProvenControl):
        return Decision(Outcome.ACCEPTED, control=verdict.message)
    if isinstance(verdict, VerificationError):
        return _refuse(verdict, known, now)
    try:
        return _accept(verdict, known, now)
    except VerificationError as error:
        return _refuse(error, known, now)


def _accept(opened: Opened, known: Known, now: datetime) -> Decision:
    message, content = opened.message, opened.content
    before = known.replays.get(message.key_of_message)
    verdict = judge_replay(message, known_digest=before.payload_sha256 if before else None)  # 13
    if verdict is ReplayVerdict.DUPLICATE and before is not None and before.outcome == DELIVERED:
        accepted = Decision(Outcome.DUPLICATE, numbered=message)
    else:
        if isinstance(content, AuthenticatedRefusal):  # 15 to 17
            raise content
        _check_originator(content, known.originators.get(content.body.thread, []))
        accepted = Decision(Outcome.ACCEPTED, item=content, numbered=message)
    return _answered(accepted, message, DELIVERED, before=before, now=now)


def _check_originator(verified: VerifiedMessage, originators: Sequence[str]) -> None:
    """Refused only where somebody else is known to have begun the thread: an original may never have come here."""
    if verified.payload.sender not in originators:
        check_originator(verified, originator=next(iter(originators), None))


def _refuse(error: VerificationError, known: Known, now: datetime) -> Decision:
    if is_held(error):
        return Decision(Outcome.HELD, refusal=error)
    if is_overdue_control(error):
        return Decision(Outcome.ACCEPTED)
    refused = Decision(Outcome.QUARANTINED, refusal=error)
    message = sealed_message_of(error)
    if message is None:
        return refused
    before = known.replays.get(message.key_of_message)
    if error.step > LAST_STEP_WITHOUT_NUMBER:
        refused = replace(refused, numbered=message)
    if error.code == "E_EXPIRED" and (before is None or (_is_of(before, message) and before.outcome != DELIVERED)):
        refused = replace(refused, item=message)
    return _answered(refused, message, error.code, before=before, now=now)


def _answered(
    decision: Decision, message: Authenticated, outcome: str, *, before: Replay | None, now: datetime
) -> Decision:
    """Owes the sender a receipt: at once for a new verdict, at most once a minute for a repeated one.

    Another payload under a known id is answered at most once a minute too, and changes nothing of what is known.
    """
    key = message.key_of_message
    if before is None:
        after = Replay(message.payload_sha256, outcome, now)
    elif not _is_of(before, message):
        if _is_lately(before.conflict_answered_at, now):
            return decision
        after = replace(before, conflict_answered_at=now)
    else:
        outcome = DELIVERED if before.outcome == DELIVERED else outcome
        if before.outcome == outcome and _is_lately(before.answered_at, now):
            return decision
        after = replace(before, outcome=outcome, answered_at=now)
    return replace(decision, answer=(message, outcome), replay=(key, after))


def _is_of(replay: Replay, message: Authenticated) -> bool:
    return replay.payload_sha256 == message.payload_sha256


def _is_lately(moment: datetime | None, now: datetime) -> bool:
    """A moment after now was noted by a wrong clock, and silences nobody."""
    return moment is not None and timedelta(0) <= now - moment < ANSWER_AGAIN_AFTER
