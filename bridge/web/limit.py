"""How often somebody may do something: so many times in a span, counted in memory, for a bounded number of people."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_COUNTED: Final = 4096  # of one limit; who has been quiet for longest is forgotten first


@dataclass(slots=True)
class Limit:
    """So many times in a span."""

    most: int
    span: timedelta
    _times: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)

    def take(self, who: str, now: datetime) -> bool:
        """Counts one time, or answers that it is one too many; what is refused does not count."""
        times = self._times.setdefault(who, deque())
        self._times.move_to_end(who)
        if len(self._times) > MOST_COUNTED:
            self._times.popitem(last=False)
        while times and times[0] <= now - self.span:
            times.popleft()
        if len(times) >= self.most:
            return False
        times.append(now)
        return True
