"""What a member could have read, for whoever has to say so when it is removed or its keys are in other hands.

It could read what a broker took for its contact points: the bytes were in a queue that its accounts read, sealed to
keys that it had. Whether it did nobody knows; a receipt proves that it stored the message, an acknowledgement that a
person saw it. Where no broker said whether it took a message, and it was given up later, it may have been there, too:
that is named apart. What lies at other members is theirs to report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.core import broker_names as names
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError
from bridge.core.ids import owner_of
from bridge.core.wire.envelope import parse_envelope
from bridge.core.wire.sealed import parse_sealed
from bridge.ports.store import Store
from bridge.ports.store.exposures import Exposed, SentThere


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was exchanged with a member.

    Attributes:
        member: the prefix.
        contact_points: those that the list has of it now.
        suspended: those of them that are suspended.
        exposed: counts, and the newest messages.
        sealed_to: key ids of the member, one list for each message in `exposed.sent`.
        queues_seen: on a shared broker every account sees these names and how many messages are in each.
    """

    member: str
    contact_points: Sequence[str]
    suspended: Sequence[str]
    exposed: Exposed
    sealed_to: Sequence[Sequence[str]]
    queues_seen: Sequence[str]

    @property
    def readable(self) -> int:
        """How many messages left this node towards it."""
        return sum(kind.published for kind in self.exposed.kinds_sent)

    @property
    def uncertain(self) -> int:
        """How many more may have left: no broker said whether it took them."""
        return sum(kind.uncertain for kind in self.exposed.kinds_sent)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last message to it were signed; `None` without any."""
        kinds = self.exposed.kinds_sent
        return (min(kind.first for kind in kinds), max(kind.last for kind in kinds)) if kinds else None


async def expose_member(store: Store, directory: Directory, member: str, *, limit: int) -> Exposure:
    """What a member could have read of what this node sent, and what came from it.

    Args:
        store: the node's.
        directory: the present list; the member need not be in it any more.
        member: a country or a prefix, `AT` or `at`.
        limit: the newest messages of each direction that are named; all are counted.

    Raises:
        BadInputError: nothing is known of such a member (`E_MEMBER`).
    """
    prefix = member.lower()
    async with store.reading() as unit:
        exposed = await unit.exposures.of_member(prefix, limit=limit)
    points = sorted(point.id for point in directory.contact_points.values() if point.prefix == prefix)
    if not (points or exposed.kinds_sent or exposed.kinds_received):
        known = ", ".join(sorted({point.prefix.upper() for point in directory.contact_points.values()}))
        detail = f"member: found {member[:16]}, of which nothing is known here; the list has {known}"
        raise BadInputError("E_MEMBER", detail, path="member")
    return Exposure(
        member=prefix,
        contact_points=points,
        suspended=[point for point in points if directory.contact_points[point].suspended is not None],
        exposed=exposed,
        sealed_to=[_kids(sent) for sent in exposed.sent],
        queues_seen=_queues(directory),
    )


def _kids(sent: SentThere) -> Sequence[str]:
    """The keys of this recipient to which a message of our own was sealed."""
    sealed = parse_envelope(sent.wire_bytes).sealed
    entries = parse_sealed(sealed).entries if sealed is not None else ()
    return [entry.kid for entry in entries if owner_of(entry.kid) == sent.recipient]


def _queues(directory: Directory) -> Sequence[str]:
    points = directory.contact_points.values()
    countries = {queue for point in points for queue in names.country_queues(point.prefix)}
    return sorted(countries | {queue for point in points for queue in names.inbox_queues(point.id)})
