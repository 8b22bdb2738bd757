"""Fixtures with a real RabbitMQ: one node for the session, a virtual host of its own for each test.

The node is private and thrown away, or the broker of `NCP_BRIDGE_AMQP_URL`. Accounts belong to the whole broker, so
their passwords stay the same from test to test; virtual hosts and what is in them do not.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from servers.missing import server_is_missing

from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.topology import account_names, country_topology, merge, shared_topology
from bridge.core.errors import UnavailableError
from broker import Access, broker_for_use

if TYPE_CHECKING:
    from bridge.adapters.amqp.topology import Topology

Countries = Mapping[str, Sequence[str]]

PASSWORD = "of-a-throw-away-broker"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class VirtualHost:
    """A virtual host with a topology on it.

    Attributes:
        countries: the contact points of each country's prefix.
        passwords: of each account (see `bridge.core.broker_names`).
    """

    name: str
    broker: Access
    countries: Countries
    passwords: Mapping[str, str]

    @property
    def admin_url(self) -> str:
        """The AMQP URL of the administrator, who may do everything here."""
        return self.broker.amqp_url(self.name)

    def url(self, account: str) -> str:
        """The AMQP URL of one of the topology's accounts: `rs-relay`."""
        return self.broker.amqp_url(self.name, account, self.passwords[account])


MakeVirtualHost = Callable[[Countries], VirtualHost]


@pytest.fixture(scope="session")
def broker_node() -> Iterator[Access]:
    """The session's RabbitMQ with its administrator's access."""
    with contextlib.ExitStack() as stack:
        try:
            node = stack.enter_context(broker_for_use())
        except UnavailableError as error:
            server_is_missing(error)
        yield node


@pytest.fixture
def make_vhost(broker_node: Access) -> Iterator[MakeVirtualHost]:
    """Makes a fresh virtual host with the topology of the given countries; all are deleted after the test."""
    made: list[str] = []

    def make(countries: Countries) -> VirtualHost:
        # Runs that share a given broker do not share names.
        name = f"test-{os.getpid()}-{next(_NUMBERS)}-{secrets.token_hex(3)}"
        passwords = {
            account: PASSWORD for prefix, points in countries.items() for account in account_names(prefix, points)
        }
        made.append(name)
        broker_node.create_vhost(name)
        Management.at(broker_node.management_url).load(definitions(topology_of(countries, passwords), vhost=name))
        return VirtualHost(name, broker_node, countries, passwords)

    yield make
    for name in made:
        broker_node.delete_vhost(name)


@pytest.fixture
def vhost_countries() -> Countries:
    """The countries on `vhost`; a test module with others overrides this fixture."""
    return {"rs": ["rs.ncp", "rs.border-police"], "at": ["at.ncp"], "hr": ["hr.ncp"]}


@pytest.fixture
def vhost(make_vhost: MakeVirtualHost, vhost_countries: Countries) -> VirtualHost:
    """A fresh virtual host with the topology of `vhost_countries`."""
    return make_vhost(vhost_countries)


def topology_of(countries: Countries, passwords: Mapping[str, str | None]) -> Topology:
    """What is shared and what each country needs, as one topology."""
    each = [country_topology(prefix, points, passwords=passwords) for prefix, points in countries.items()]
    return merge([shared_topology(), *each])
