"""The keeper of a private RabbitMQ cluster: one epmd, one cookie, nodes that are started together and find each other.

A node that does not come back is reported and leaves the others alone.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from broker.broker_process import BrokerProcess, Place
from broker.erlang import lay_out_runtime, start_epmd
from broker.keeper import Facts, Lifeline, Plan, StartError, keep
from broker.node_keeper import SETTINGS
from broker.ports import free_ports

COOKIE_BYTES: Final = 20
PORTS_OF_A_NODE: Final = 3
CLUSTER_SETTINGS: Final = {
    "cluster_formation.peer_discovery_backend": "classic_config",
    "cluster_partition_handling": "pause_minority",  # half of a split cluster must not go on as if it were the whole
}


class Cluster:
    """Brokers as one cluster; the plan is that of a `BrokerProcess`, with the number of `nodes`."""

    def __init__(self, folder: Path, plan: Plan, lifeline: Lifeline) -> None:
        self._folder, self._plan, self._lifeline = folder, plan, lifeline
        self._nodes = [BrokerProcess(folder / str(number), plan, lifeline) for number in range(1, plan["nodes"] + 1)]

    def start(self) -> Facts:
        """As `Server.start`."""
        lay_out_runtime(self._folder, self._plan)
        cookie = secrets.token_hex(COOKIE_BYTES)
        places = _places(len(self._nodes))
        peers = {
            f"cluster_formation.classic_config.nodes.{number}": place.name for number, place in enumerate(places, 1)
        }
        settings = SETTINGS | CLUSTER_SETTINGS | peers
        for node, place in zip(self._nodes, places, strict=True):
            node.lay_out(cookie=cookie)
            node.configure(place, settings)
        start_epmd(self._folder, port=places[0].epmd, plan=self._plan, lifeline=self._lifeline)
        return self._boot(self._nodes)

    def restart(self) -> Facts:
        """As `Server.restart`, for the nodes whose indexes the next line of the starter's holds, together."""
        try:
            return self._boot([self._nodes[index] for index in json.loads(self._lifeline.next_line())])
        except StartError as error:
            return {"error": str(error)}

    def _boot(self, nodes: Sequence[BrokerProcess]) -> Facts:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait()
        told: list[dict[str, Any]] = [node.facts for node in self._nodes]
        return {"nodes": told}


def _places(count: int) -> list[Place]:
    epmd, *others = free_ports(1 + PORTS_OF_A_NODE * count)
    return [
        Place(
            f"ncp-{epmd}-{number}@localhost", epmd, *others[PORTS_OF_A_NODE * (number - 1) : PORTS_OF_A_NODE * number]
        )
        for number in range(1, count + 1)
    ]


if __name__ == "__main__":
    sys.exit(keep(Cluster, prefix="ncp-bridge-cluster-"))
