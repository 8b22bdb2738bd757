"""What a process that hosts contact points does for their officers: deadlines, and notices to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from bridge.adapters.notices.email import EmailChannel
from bridge.app.desk.deadlines import WatchDeadlines
from bridge.app.desk.notices import Addressee, DeliverNotices, QueueNotices
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock, Ids
from bridge.ports.notices import NoticeChannel
from bridge.ports.store import Store
from bridge.private_files import read_private_line
from bridge.services.housekeeping import Chore
from bridge.settings import NodeSettings
from bridge.settings.notices import EmailNotices, NoticeSettings, WebhookNotices

WATCH_SECONDS: Final = 5.0
FOLLOW_SECONDS: Final = 1.0
DELIVER_SECONDS: Final = 2.0


def desk_chores(
    settings: NodeSettings, *, contact_points: Collection[str], store: Store, clock: Clock, ids: Ids
) -> list[Chore]:
    """The chores of these contact points.

    Raises:
        UnavailableError: `E_NOTICE_WEBHOOK`, webhooks need an extra that is not installed.
    """
    chores = [Chore(WATCH_SECONDS, WatchDeadlines(contact_points, store, clock).watch)]
    if settings.notices:
        queueing = QueueNotices(_addressees(settings.notices, contact_points), store, clock, ids)
        chores.append(Chore(FOLLOW_SECONDS, queueing.follow))
    link = settings.console.origin if settings.console is not None else None
    for given in settings.notices:  # each at its own pace: a server that hangs holds up no other
        delivering = DeliverNotices(given.name, _channel(settings, given, clock), store, clock, link)
        chores.append(Chore(DELIVER_SECONDS, delivering.deliver))
    return chores


def _addressees(given: Sequence[NoticeSettings], hosted: Collection[str]) -> list[Addressee]:
    return [Addressee(one.name, frozenset(one.contact_points or hosted), frozenset(one.occasions)) for one in given]


def _channel(settings: NodeSettings, given: EmailNotices | WebhookNotices, clock: Clock) -> NoticeChannel:
    authorities = str(settings.path(given.authority_file)) if given.authority_file is not None else None
    if isinstance(given, WebhookNotices):
        try:
            from bridge.adapters.notices.webhook import WebhookChannel  # noqa: PLC0415 - of an extra
        except ModuleNotFoundError:
            sentence = "webhooks need the extra: pip install 'ncp-bridge[console]'"
            raise UnavailableError("E_NOTICE_WEBHOOK", sentence) from None
        secret = partial(read_private_line, settings.path(given.secret_file))
        return WebhookChannel(given.url, secret, clock, authorities)
    login = None
    if given.user is not None and given.password_file is not None:
        login = (given.user, partial(read_private_line, settings.path(given.password_file)))
    return EmailChannel(given.host, given.port, given.security, login, given.sender, given.to, authorities)
