"""A signed test message to one peer: the whole way, and a signed receipt back, without a word that means anything.

It is a route alert with status `test`, or `system` or `exercise`: every inbox marks it, no deadline of a real one is
touched. An operator may send it, who reads no content; therefore its words are fixed here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.sending.send import Draft, SendMessages, Submitted
from bridge.app.sending.submit import plan_for_answer
from bridge.core.errors import BadInputError
from bridge.core.ids import prefix_of
from bridge.core.times import format_time, to_milliseconds
from bridge.core.vocabulary import ROUTE_ALERT
from bridge.ports.store.records import AuditEntry

STATUSES: Final = ("test", "system", "exercise")  # the first that the membership list lets the sender send
TESTED: Final = "peer.tested"
LIFETIME: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TryPeer:
    """Sends test messages for a node."""

    sending: Callable[[], Awaitable[SendMessages]]

    async def send(self, peer: str, *, sender: str, by: str) -> Submitted:
        """Puts it into the outbox; its way is in the ledger, as every message's.

        Raises:
            BadInputError: `E_CONTACT_POINT`, no such peer in the membership list.
            RefusedError: the peer is suspended or takes none.
        """
        sending = await self.sending()
        directory, now = sending.trust.current(), to_milliseconds(sending.clock.now())
        if peer not in directory.contact_points or peer == sender:
            raise BadInputError("E_CONTACT_POINT", f"peer: {peer} is not another contact point of the membership list")
        own = directory.contact_points.get(sender)
        status = next((one for one in STATUSES if own is not None and one in own.statuses), STATUSES[0])
        draft = Draft(
            kind=ROUTE_ALERT,
            status=status,
            urgency="unknown",
            body=_body(sender, peer, now),
            plan=plan_for_answer(directory, peer, kind=ROUTE_ALERT, status=status, sender=sender, at=now),
            expires=now + LIFETIME,
        )
        async with sending.store.writing() as unit:
            submitted = await sending.send_in(unit, draft, sender=sender)
            await unit.audit.add([AuditEntry(now, by, TESTED, sender, submitted.id, {"peer": peer})])
        return submitted


def _body(sender: str, peer: str, now: datetime) -> dict[str, object]:
    """As little as a route alert may say."""
    ends = {"from": {"country": prefix_of(sender).upper()}, "to": {"country": prefix_of(peer).upper()}}
    return {
        "title": "Test message: nothing is to be done",
        "language": "en",
        "tlp": "GREEN",
        "handling": [],
        "purpose": "prevention_detection_investigation",
        "legal_basis": "Test of the connection between contact points",
        "retain_until": format_time(now + KEPT),
        "severity": "unknown",
        "certainty": "unknown",
        "source_reliability": "X",
        "information_accuracy": "4",
        "legs": [{**ends, "confirmed": False}],
        "means": ["unknown"],
        "exploitation": ["unknown"],
        "recommended_action": "none",
    }
