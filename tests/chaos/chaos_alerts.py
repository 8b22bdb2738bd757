"""Alerts to submit: small, of one route or another, and the use case that submits them, as the command line does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

from chaos_records import RecordFiles

from bridge.adapters.system import RandomIds
from bridge.app.sending.submit import SubmitAlerts
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.wire import strict_json

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
        sender = self.ids.sender
        expected = tuple(sorted(f"{country}.ncp" for country in to))
        draft = await self.submitting.prepare(alert_file(sender[:2], to, urgency=urgency), sender=sender)
        self.ids.recipients = expected
        try:
            submitted = await self.submitting.sending.send(draft, sender=sender)
        finally:
            self.ids.recipients = None
        self.ids.records.confirm(submitted.id, sender, submitted.recipients, submitted.payload_sha256)
        return submitted.id


def alert_file(origin: str, to: Sequence[str], *, urgency: str) -> AlertFile:
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
