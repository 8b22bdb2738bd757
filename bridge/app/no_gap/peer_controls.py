"""The control messages between peers: heartbeats, which say what was used, and requests for what is missing.

Both are of status `system`: nobody's alert depends on them. Neither is evidence of anything once it has arrived, so
the outbox forgets them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receiving.answering import outbox_row
from bridge.app.sending.make_message import Addressing, make_control
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.core.vocabulary import HEARTBEAT, RESEND_REQUEST
from bridge.core.wire.payload import lane_of
from bridge.ports.clock import Ids
from bridge.ports.keys import Signer
from bridge.ports.store.no_gap import Counters
from bridge.ports.store.records import OutboxRow

HEARTBEAT_LIFETIME: Final = timedelta(hours=1)
# What is asked or answered about certain numbers is worth something until it would be asked again.
REQUEST_LIFETIME: Final = timedelta(hours=6)
PASSING_KINDS: Final = frozenset({HEARTBEAT, RESEND_REQUEST})
EMPTY: Final = (1, 0)  # a lane that no number was used in: a range whose ends are crossed
_URGENCY: Final = {"urgent": "immediate", "normal": "expected"}


@dataclass(frozen=True, slots=True)
class PeerControls:
    """Makes control messages of one contact point, as of one moment."""

    own: str
    signer: Signer
    directory: Directory
    now: datetime
    ids: Ids

    def heartbeat(self, to: str, counters: Counters, *, void: Sequence[Mapping[str, object]] = ()) -> OutboxRow:
        """A heartbeat; with `void` it answers a request, and names numbers that never come."""
        ranges = {lane: counters.used.get((to, lane), EMPTY) for lane in ("urgent", "normal")}
        members: dict[str, object] = {"epoch": counters.epoch}
        members |= {lane: {"first": first, "last": last} for lane, (first, last) in ranges.items()}
        if void:
            members["void"] = [dict(one) for one in void]
        return self._row(HEARTBEAT, members, to=to, lifetime=REQUEST_LIFETIME if void else HEARTBEAT_LIFETIME)

    def resend_request(self, to: str, *, epoch: int, lane: str, numbers: Sequence[int]) -> OutboxRow:
        """Asks for the messages of missing numbers, in the lane that they belong to."""
        members = {"epoch": epoch, "lane": lane, "numbers": list(numbers)}
        return self._row(RESEND_REQUEST, members, to=to, lifetime=REQUEST_LIFETIME, lane=lane)

    def _row(
        self, kind: str, members: Mapping[str, object], *, to: str, lifetime: timedelta, lane: str = "normal"
    ) -> OutboxRow:
        urgency = _URGENCY[lane]
        addressing = Addressing(
            id=self.ids.new(self.now),
            kind=kind,
            status="system",
            urgency=urgency,
            sender=self.own,
            to=(to,),
            sent=self.now,
            expires=self.now + lifetime,
        )
        made = make_control(addressing, control=members, directory=self.directory, signer=self.signer)
        row = outbox_row(addressing, made.wire_bytes, country=prefix_of(to), lane=lane_of(urgency), ids=self.ids)
        return replace(row, is_kept=False)


def can_reach(directory: Directory, sender: str, to: str) -> bool:
    """Whether step 11 of the receiver lets a control message pass, by the same membership list."""
    own, peer = directory.contact_points.get(sender), directory.contact_points.get(to)
    if own is None or peer is None or own.suspended is not None or peer.suspended is not None:
        return False
    return peer.mode != "live" or own.mode == "live"
