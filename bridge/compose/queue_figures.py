"""Whom a node asks about its queues: the monitoring account where there is one, else its own accounts."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.adapters.amqp.figures import figures_by_asking, figures_of_monitoring
from bridge.app.operating.queues import LookAtQueues
from bridge.compose.broker_login import login_of
from bridge.compose.node import Node
from bridge.core import broker_names as names
from bridge.ports.broker import QueueFigures
from bridge.private_files import read_private_line


def looking_at_queues(node: Node) -> LookAtQueues:
    """The use case over a node."""
    settings, monitor = node.settings, node.settings.broker.monitor_url_file

    async def by_monitoring() -> Sequence[QueueFigures]:
        queues = list(names.country_queues(settings.prefix))
        queues += [queue for point in settings.contact_points for queue in names.inbox_queues(point.id)]
        url = read_private_line(settings.path(monitor)) if monitor is not None else ""
        return await figures_of_monitoring(url, settings.broker.vhost, queues)

    async def by_asking() -> Sequence[QueueFigures]:
        router = login_of(settings, node.trust, settings.broker.router)
        figures = list(await figures_by_asking(router, names.country_queues(settings.prefix)))
        for point in settings.contact_points:
            login = login_of(settings, node.trust, point.account)
            figures += await figures_by_asking(login, names.inbox_queues(point.id))
        return figures

    ask = by_asking if monitor is None else by_monitoring
    return LookAtQueues(node.store, node.clock, ask, is_complete=monitor is not None)
