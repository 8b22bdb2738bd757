"""Alerts to submit: small, of one route or another, and the use case that submits them, as the command line does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Final

from chaos_records import RecordFiles

from bridge.adapters.system import RandomIds
from bridge.app.sending.send import Draft, Submitted
from bridge.app.sending.submit import SubmitAlerts
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.wire import strict_json
from bridge.ports.store import UnitOfWork

ROUTINE: Final = "expected"
IMMEDIATE: Final = "immediate"


@dataclass
class RecordingIds:
    """Random ids; the first of each message goes into the file of intents before it is used."""

    records: RecordFiles
    sender: str
    recipients: Sequence[str] | None = None
    random: RandomIds = field(default_factory=RandomIds)

    def new(self, at: datetime) -> str:
        """As `RandomIds.new`."""
        made = self.random.new(at)
        if self.recipients is not None:
            self.records.intend(made, self.sender, self.recipients)
            self.recipients = None  # what follows are the ids of outbox rows
        return made


@dataclass(frozen=True, slots=True)
class Wish:
    """An alert to submit: the countries through which its route leads, and how urgent it is."""

    to: tuple[str, ...]
    urgency: str


@dataclass
class Submitter:
    """Submits in one country's name, and records it."""

    submitting: SubmitAlerts
    ids: RecordingIds

    @classmethod
    async def of(cls, node: Node, records: RecordFiles) -> Submitter:
        """The submitter of a node with one contact point; loads its keys."""
        (sender,) = node.hosted
        ids = RecordingIds(records, sender)
        node.ids = ids  # type: ignore[assignment]  # as good as the one it replaces
        return cls(await node.submitting(), ids)

    async def submit(self, to: Sequence[str], *, urgency: str) -> str:
        """Submits an alert that passes through these countries; answers its id once it is stored."""
        (message_id,) = await self.submit_together([Wish(tuple(to), urgency)])
        return message_id

    async def submit_together(self, wishes: Sequence[Wish]) -> Sequence[str]:
        """Submits several in one transaction; answers their ids once they are stored."""
        sender = self.ids.sender
        drafts = [await self._prepare(wish) for wish in wishes]
        sending = self.submitting.sending
        async with sending.store.writing() as unit:
            submitted = [await self._send_in(unit, draft, wish) for draft, wish in zip(drafts, wishes, strict=True)]
        for one in submitted:
            self.ids.records.confirm(one.id, sender, one.recipients, one.payload_sha256)
        return [one.id for one in submitted]

    async def _prepare(self, wish: Wish) -> Draft:
        sender = self.ids.sender
        return await self.submitting.prepare(alert_file(sender[:2], wish.to, urgency=wish.urgency), sender=sender)

    async def _send_in(self, unit: UnitOfWork, draft: Draft, wish: Wish) -> Submitted:
        self.ids.recipients = tuple(sorted(f"{country}.ncp" for country in wish.to))
        try:
            return await self.submitting.sending.send_in(unit, draft, sender=self.ids.sender)
        finally:
            self.ids.recipients = None


@cache
def alert_file(origin: str, to: tuple[str, ...], *, urgency: str) -> AlertFile:
    """An alert about a route from `origin` through the countries of `to`, in this order; prefixes in lower case."""
    made = read_alert_file(strict_json.encode(_document([origin, *to], urgency)))
    if isinstance(made, tuple):
        raise BadInputError.of(made)
    return made


def _document(route: Sequence[str], urgency: str) -> Mapping[str, object]:
    stations = [country.upper() for country in route]
    return {
        "kind": "route_alert",
        "status": "actual",
        "urgency": urgency,
        "body": {
            "title": " - ".join(stations),
            "language": "en",
            "tlp": "AMBER",
            "purpose": "prevention_detection_investigation",
            "legal_basis": "UN Trafficking in Persons Protocol, Art. 10",
            "legs": [
                {"from": {"country": start}, "to": {"country": end}, "confirmed": False}
                for start, end in pairwise(stations)
            ],
            "means": ["deception"],
            "exploitation": ["sexual"],
            "narrative": {"en": "Recruited by advertisement; taken across the border by van."},
        },
    }
