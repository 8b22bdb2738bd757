"""What every receiver would refuse is refused here, before anything is made (wire-format: steps 5, 6, 11 and 12).

It is asked of the list by which the message is then sealed: once when recipients are proposed, and once more at the
moment of sending, because people take their time between the two and the list may have changed.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.directory import Directory
from bridge.core.errors import RefusedError
from bridge.core.routing import RoutePlan, find_obstacle
from bridge.core.times import format_time


def check_may_send(directory: Directory, sender: str, kind: str, status: str) -> None:
    """Refuses what the membership list does not let this sender send: `E_DRAFT`, `E_NOT_AUTHORISED`."""
    if status == "draft":
        raise RefusedError("E_DRAFT", "$.status: a draft never travels; expected actual, exercise, system or test")
    point = directory.contact_points.get(sender)
    if point is None:
        raise RefusedError("E_NOT_AUTHORISED", f"{sender} is not in membership list {directory.version}")
    if point.suspended is not None:
        raise RefusedError("E_NOT_AUTHORISED", f"{sender} is suspended: {point.suspended}")
    if kind not in point.sends or status not in point.statuses:
        raise RefusedError("E_NOT_AUTHORISED", f"the membership list does not let {sender} send {status} {kind}")


def check_list_age(directory: Directory, *, at: datetime) -> None:
    """Refuses to seal by a list that is too old (`E_TRUST_STALE`): who has left since, or whose key was stolen?"""
    if at >= directory.expires:
        detail = f"the membership list was last confirmed on {format_time(directory.signed_at)}, more than 45 days ago"
        raise RefusedError("E_TRUST_STALE", f"{detail}; refresh the mirror of the trust repository")


def check_recipients(
    plan: RoutePlan, directory: Directory, *, kind: str, status: str, sender: str, at: datetime
) -> None:
    """Refuses a plan with somebody who may no longer receive (`E_LIST_CHANGED`): people look again."""
    for recipient in plan.recipients:
        obstacle = find_obstacle(recipient.id, directory, kind=kind, status=status, sender=sender, at=at)
        if obstacle is not None:
            detail = f"{recipient.id} {obstacle}, by membership list {directory.version}; look at the recipients again"
            raise RefusedError("E_LIST_CHANGED", detail)
