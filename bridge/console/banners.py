"""What stands above every page of an officer while something waits for somebody to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.app.accounts.roles import Permission
from bridge.console.news import Waiting
from bridge.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Banner:
    """One line. `level` is `alarm`, `due` or `note`."""

    level: str
    text: str
    address: str


def waiting_for(visit: Visit) -> Waiting | None:
    """What waits at the person's contact point; `None` for who reads no messages."""
    if visit.signed_in is None or not visit.person.may(Permission.READ_MESSAGES):
        return None
    return visit.parts.live.waiting_at(visit.person.contact_point)


def banners_for(visit: Visit) -> Sequence[Banner]:
    """The lines for this person, the most urgent first."""
    waiting, words, address = waiting_for(visit), visit.words, visit.request.app.url_path_for
    if waiting is None:
        return ()
    banners = []
    if waiting.overdue:
        text = words.count("{n} answer of ours is overdue", "{n} answers of ours are overdue", waiting.overdue)
        banners.append(Banner("alarm", text, address("inbox")))
    if waiting.due:
        text = words.count("{n} answer of ours is due soon", "{n} answers of ours are due soon", waiting.due)
        banners.append(Banner("due", text, address("inbox")))
    if waiting.awaited_overdue:
        text = words.count(
            "{n} answer that we wait for is overdue",
            "{n} answers that we wait for are overdue",
            waiting.awaited_overdue,
        )
        banners.append(Banner("due", text, address("shift")))
    if waiting.handovers:
        text = words.count("{n} shift waits to be taken over", "{n} shifts wait to be taken over", waiting.handovers)
        banners.append(Banner("note", text, address("shift")))
    return banners
