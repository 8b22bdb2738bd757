"""Tells every member that there is another membership list, with its files: `directory_notice`.

Whoever can be reached by messages alone keeps up with the list by them. Nobody has to believe the sender: what is in
the notice is verified like what is in a mirror. Who may send it stands in the list (`sends`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bridge.app.sending.may_send import check_may_send
from bridge.app.sending.send import Draft, SendMessages, Submitted, check_plan
from bridge.core.messages.directory_notice import MAX_CHANGES, MAX_FILES, MAX_PACKED_CHARACTERS, pack_files
from bridge.core.routing import Exclusion, RoutePlan, plan_for_everybody
from bridge.core.times import format_time, to_milliseconds
from bridge.core.vocabulary import DIRECTORY_NOTICE
from bridge.core.wire.payload import MAX_RECIPIENTS
from bridge.ports.list_changes import ListChanges

STATUS: Final = "system"
KEPT: Final = timedelta(days=90)
LIFETIME: Final = timedelta(days=30)
URGENT_CHANGE: Final = "revocations_changed"


@dataclass(frozen=True, slots=True)
class SentNotice:
    """One notice, in as many messages as its recipients take; `excluded` are those who cannot receive it."""

    messages: Sequence[Submitted]
    excluded: Sequence[Exclusion]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody it goes to, sorted."""
        return tuple(sorted(to for message in self.messages for to in message.recipients))


def fits(files: Mapping[str, bytes]) -> bool:
    """Whether these files go into one message."""
    return len(files) <= MAX_FILES and len(pack_files(files)) <= MAX_PACKED_CHARACTERS


@dataclass(frozen=True, slots=True)
class SendNotices:
    """Sends for the contact points of one node."""

    sending: SendMessages

    async def send(self, changes: ListChanges, *, sender: str) -> SentNotice:
        """Puts a notice to everybody into the outbox, in one transaction.

        Raises:
            RefusedError: `E_NOT_AUTHORISED`, `E_NO_RECIPIENT`, or what `SendMessages.send_in` refuses.
        """
        sending, directory = self.sending, self.sending.trust.current()
        check_may_send(directory, sender, DIRECTORY_NOTICE, STATUS)
        now = to_milliseconds(sending.clock.now())
        plan = plan_for_everybody(directory, kind=DIRECTORY_NOTICE, status=STATUS, sender=sender, at=now)
        check_plan(plan, partial=True)
        codes = {code for code, _ in changes.changes}
        draft = Draft(
            kind=DIRECTORY_NOTICE,
            status=STATUS,
            urgency="immediate" if URGENT_CHANGE in codes else "expected",
            body=_body(changes, retain_until=format_time(now + KEPT)),
            plan=plan,
            expires=now + LIFETIME,
        )
        async with sending.store.writing() as unit:
            sent = [await sending.send_in(unit, replace(draft, plan=part), sender=sender) for part in _parts(plan)]
        return SentNotice(sent, plan.excluded)


def _parts(plan: RoutePlan) -> Iterator[RoutePlan]:
    for begin in range(0, len(plan.recipients), MAX_RECIPIENTS):
        yield RoutePlan(plan.recipients[begin : begin + MAX_RECIPIENTS], (), ())


def _body(changes: ListChanges, *, retain_until: str) -> dict[str, object]:
    body: dict[str, object] = {
        "title": f"Membership list of {changes.network}, version {changes.version}",
        "language": "en",
        "tlp": "GREEN",
        "handling": [],
        "purpose": "prevention_detection_investigation",
        "legal_basis": f"The rules of the network {changes.network}",
        "retain_until": retain_until,
        "version": changes.version,
        "effective": format_time(changes.effective),
        "changes": _told(changes.changes),
    }
    if changes.files:
        body["files"] = {"since": changes.since, "packed": pack_files(changes.files)}
    return body


def _told(changes: Sequence[tuple[str, str | None]]) -> list[dict[str, str]]:
    """As many as a notice names; the rest are in the list itself."""
    told = [{"code": code} | ({"who": who} if who else {}) for code, who in changes]
    return told if len(told) <= MAX_CHANGES else [*told[: MAX_CHANGES - 1], {"code": "more_changes"}]
