"""A private RabbitMQ cluster for as long as it is entered: several nodes on this machine that share their queues.

Each node can be killed, paused and started again by itself. A quorum queue declared here has a member on every node, so
that it works while more than half of them run.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from bridge.adapters.amqp.management import Management
from bridge.core.errors import UnavailableError
from broker.administrator import Definitions, with_administrator
from broker.installation import broker_programs
from broker.kept import Kept
from broker.own_broker import START_SECONDS, OwnBroker
from broker.tls import TlsFiles

NODES: Final = 3
TOGETHER_SECONDS: Final = 120.0
ANSWER_SECONDS: Final = 5.0  # a node that has just booted may leave a question without any answer: it is asked again
LOOK_SECONDS: Final = 0.1
CHANGE_SECONDS: Final = 15.0
FIRST_VHOST: Final = "/api/vhosts/first-change"


class ClusterNode(OwnBroker):
    """One of the cluster's nodes; `amqp_url`, `management_url`, `kill`, `pause`, `resume` and `restart` are its own."""

    def __init__(self, cluster: PrivateCluster, index: int, password: str | None, tls: TlsFiles | None) -> None:
        super().__init__(password, tls=tls)
        self._cluster, self._index = cluster, index

    def restart(self) -> None:
        """As `OwnBroker.restart`; returns when the node belongs again; more than half have to run then."""
        self._cluster.restart([self._index])


class PrivateCluster:
    """A throw-away cluster on loopback, kept as a private node is; one administrator's account for all its nodes.

    It blocks while it starts (some 25 s with three nodes; with RabbitMQ 4 some 10 s) and stops: under asyncio call
    `start` and `stop` in a thread. A node takes 100 to 150 MB.

    Args:
        nodes: how many; an odd number.
        definitions: loaded when all nodes are there, so that each queue gets a member on each of them.
        tls: as for a private node; the same for all.

    Attributes:
        nodes: in a fixed order.
    """

    def __init__(
        self, nodes: int = NODES, *, definitions: Definitions | None = None, tls: TlsFiles | None = None
    ) -> None:
        first = ClusterNode(self, 0, None, tls)
        others = [ClusterNode(self, index, first.admin_password, tls) for index in range(1, nodes)]
        self.nodes: Sequence[ClusterNode] = (first, *others)
        self._definitions = definitions
        self._kept: Kept | None = None
        self._ordering = threading.Lock()

    @property
    def hosts(self) -> list[str]:
        """`host:port` of each node, as a setting names several brokers."""
        return [f"{node.host}:{node.port}" for node in self.nodes]

    def amqp_urls(self, vhost: str = "/", user: str | None = None, password: str | None = None) -> list[str]:
        """The AMQP URL of a virtual host on each node, as `Access.amqp_url`."""
        return [node.amqp_url(vhost, user, password) for node in self.nodes]

    @property
    def any_alive(self) -> ClusterNode:
        """A node whose process is there.

        Raises:
            UnavailableError: there is none.
        """
        for node in self.nodes:
            if node.alive:
                return node
        raise UnavailableError("E_BROKER_LOST", "no node of the cluster runs")

    def leader_of(self, queue: str, *, vhost: str) -> ClusterNode:
        """The node with the leader of a quorum queue, as a living node sees it.

        Raises:
            UnavailableError: there is no such queue or no leader now.
        """
        told = self._queue(queue, vhost).get("leader")
        for node in self.nodes:
            if node.name == told:
                return node
        raise UnavailableError("E_BROKER_MISSING", f"the queue {queue} in {vhost} has no leader now: {told}")

    def members_of(self, queue: str, *, vhost: str) -> list[str]:
        """The names of the nodes on which a quorum queue has a member, running or not.

        Raises:
            UnavailableError: there is no such queue.
        """
        members = self._queue(queue, vhost).get("members")
        return [str(name) for name in members] if isinstance(members, list) else []

    def start(self) -> Self:
        """Starts it, waits until its nodes have found each other, loads the definitions.

        Raises:
            UnavailableError: there is no RabbitMQ to be had, or the cluster does not come about.
        """
        plan = {
            **broker_programs(),
            "definitions": with_administrator({}, self.nodes[0].admin_password),
            "settings": {},
            "nodes": len(self.nodes),
            "tls": self.nodes[0].tls_plan,
        }
        self._kept = Kept(["-m", "broker.cluster_keeper"], plan, code="E_BROKER_START")
        try:
            self._learn(self._kept.start(seconds=START_SECONDS)["nodes"])
            self._wait_until_together(self.nodes)
            self._wait_until_it_takes_changes()
            if self._definitions is not None:
                Management.at(self.nodes[0].management_url).load(self._definitions)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends it and removes its folder; doing it again changes nothing."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    def restart(self, indexes: Sequence[int]) -> None:
        """Boots these nodes again, together; those that still run are killed first. Blocks until each is back.

        Raises:
            UnavailableError: one does not come back, or the cluster was never started.
        """
        with self._ordering:
            if self._kept is None:
                raise UnavailableError("E_BROKER_START", "the cluster has not been started")
            order = f"restart\n{json.dumps(list(indexes))}"
            self._learn(self._kept.order(order, seconds=START_SECONDS)["nodes"])
        self._wait_until_together([self.nodes[index] for index in indexes])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _learn(self, told: Sequence[dict[str, object]]) -> None:
        for node, facts in zip(self.nodes, told, strict=True):
            node.learn(facts)

    def _wait_until_together(self, nodes: Sequence[ClusterNode]) -> None:
        """Waits until each of these nodes sees all run whose processes are there, and runs its virtual hosts."""
        deadline = time.monotonic() + TOGETHER_SECONDS
        for node in nodes:
            while not ({other.name for other in self.nodes if other.alive} <= _running_seen_by(node) and _serves(node)):
                if time.monotonic() > deadline:
                    raise UnavailableError("E_BROKER_START", f"{node.name} and the others did not become one cluster")
                time.sleep(LOOK_SECONDS)

    def _wait_until_it_takes_changes(self) -> None:
        """Makes and deletes a virtual host: nodes that have just met may leave the first change without an answer.

        Raises:
            UnavailableError: they take none for as long as nodes may take to find each other.
        """
        deadline = time.monotonic() + TOGETHER_SECONDS
        while True:
            management = Management.at(self.any_alive.management_url)
            try:
                management.request("PUT", FIRST_VHOST, {}, deadline_seconds=CHANGE_SECONDS)
                management.request("DELETE", FIRST_VHOST, deadline_seconds=CHANGE_SECONDS)
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)
            else:
                return

    def _queue(self, name: str, vhost: str) -> dict[str, object]:
        path = f"/api/queues/{quote(vhost, safe='')}/{quote(name, safe='')}?disable_stats=true"
        _, answer_bytes = Management.at(self.any_alive.management_url).request("GET", path)
        found: dict[str, object] = json.loads(answer_bytes)
        return found


def _running_seen_by(node: ClusterNode) -> set[str]:
    try:
        _, answer_bytes = _asked(node, "/api/nodes")
    except UnavailableError:
        return set()
    return {str(entry["name"]) for entry in json.loads(answer_bytes) if entry.get("running")}


def _serves(node: ClusterNode) -> bool:
    try:
        status, _ = _asked(node, "/api/health/checks/virtual-hosts")
    except UnavailableError:
        return False
    return status == HTTPStatus.OK


def _asked(node: ClusterNode, path: str) -> tuple[int, bytes]:
    return Management.at(node.management_url).request("GET", path, deadline_seconds=ANSWER_SECONDS)
