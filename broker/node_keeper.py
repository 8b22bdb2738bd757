"""The keeper of a private RabbitMQ node: writes its folder, starts epmd and the broker, waits for the AMQP greeting."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Final

from broker.broker_process import BrokerProcess, Place
from broker.erlang import start_epmd
from broker.keeper import Facts, Lifeline, Plan, StartError, keep
from broker.ports import free_ports

ATTEMPTS: Final = 3  # another process may take a port between our look and the start
COOKIE_BYTES: Final = 20
SETTINGS: Final = {
    "loopback_users": "none",
    "vm_memory_high_watermark.absolute": "1GB",
    "disk_free_limit.absolute": "50MB",
    "raft.wal_max_size_bytes": "33554432",
    "log.console": "false",
    "log.file.level": "warning",
    "collect_statistics_interval": "500",  # ms; as old is what the management API tells of connections
}


class Node:
    """One broker with an epmd of its own; the plan is a `BrokerProcess`'s with `port` if it has to be a certain one."""

    def __init__(self, folder: Path, plan: Plan, lifeline: Lifeline) -> None:
        self._folder, self._plan, self._lifeline = folder, plan, lifeline
        self._broker = BrokerProcess(folder, plan, lifeline)

    def start(self) -> Facts:
        """As `Server.start`."""
        self._broker.lay_out(cookie=secrets.token_hex(COOKIE_BYTES))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except StartError as error:
                if attempt == ATTEMPTS or "eaddrinuse" not in str(error):
                    raise
            else:
                break
        return self._broker.facts

    def restart(self) -> Facts:
        """As `Server.restart`."""
        self._broker.launch()
        self._broker.wait()
        return self._broker.facts

    def _start(self) -> None:
        epmd, amqp, management, distribution = free_ports(4)
        place = Place(f"ncp-{epmd}@localhost", epmd, self._plan["port"] or amqp, management, distribution)
        self._broker.configure(place, SETTINGS)
        start_epmd(self._folder, port=epmd, plan=self._plan, lifeline=self._lifeline)
        self._broker.launch()
        self._broker.wait()


if __name__ == "__main__":
    sys.exit(keep(Node, prefix="ncp-bridge-broker-"))
