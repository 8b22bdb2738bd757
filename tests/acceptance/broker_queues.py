"""The queues of one virtual host, as the broker's administrator sees and handles them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bridge.adapters.amqp.management import Management
from broker import Access

QUORUM = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}


@dataclass(frozen=True)
class Queues:
    """One virtual host's queues."""

    broker: Access
    vhost: str

    def depths(self) -> Mapping[str, int]:
        """How many messages each queue holds, those in somebody's hands included."""
        path = f"/api/queues/{self._vhost}?disable_stats=true&enable_queue_totals=true"
        queues = json.loads(self._management.request("GET", path)[1])
        return {queue["name"]: queue.get("messages", 0) for queue in queues}

    def delete(self, name: str) -> None:
        """Deletes a queue with what is in it."""
        self._management.request("DELETE", f"/api/queues/{self._vhost}/{quote(name, safe='')}")

    def declare(self, name: str, *, exchange: str, key: str) -> None:
        """Puts a queue back, bound as it was."""
        self._management.request("PUT", f"/api/queues/{self._vhost}/{quote(name, safe='')}", QUORUM)
        path = f"/api/bindings/{self._vhost}/e/{quote(exchange, safe='')}/q/{quote(name, safe='')}"
        self._management.request("POST", path, {"routing_key": key})

    def limit(self, pattern: str, settings: Mapping[str, object]) -> None:
        """A policy of higher priority for the queues that match; its settings take the place of the usual ones."""
        policy = {"pattern": pattern, "definition": settings, "priority": 10, "apply-to": "queues"}
        self._management.request("PUT", f"/api/policies/{self._vhost}/limited", policy)

    def unlimit(self) -> None:
        """Takes that policy away."""
        self._management.request("DELETE", f"/api/policies/{self._vhost}/limited")

    @property
    def _management(self) -> Management:
        return Management.at(self.broker.management_url)

    @property
    def _vhost(self) -> str:
        return quote(self.vhost, safe="")
