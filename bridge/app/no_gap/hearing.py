"""When each peer was heard last, written once a minute at most: receiving must not pay for it with every batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.core.verification import Authenticated

WRITTEN_EVERY: Final = timedelta(minutes=1)


@dataclass(slots=True)
class HeardPeers:
    """Remembers what was written of each peer; another process beside this one writes as often again."""

    _written: dict[str, datetime] = field(default_factory=dict)

    def news(self, messages: Iterable[Authenticated], now: datetime) -> Mapping[str, datetime]:
        """Sender -> its newest signed time, where that is a minute or more beyond what was written.

        A time ahead of this clock counts as now.
        """
        heard: dict[str, datetime] = {}
        for message in messages:
            at, sender = min(message.payload.sent, now), message.payload.sender
            written = heard.get(sender, self._written.get(sender))
            if written is None or at - written >= (WRITTEN_EVERY if sender not in heard else timedelta(0)):
                heard[sender] = at
        return heard

    def wrote(self, heard: Mapping[str, datetime]) -> None:
        """What `news` answered is committed."""
        self._written |= heard
