"""Real brokers for tests, the demo and a tour by hand: a private RabbitMQ node, or one that is already there.

A private node lives on loopback, in a folder of its own, for as long as the process that started it. It is for
development: a network's real broker is operated with RabbitMQ's own means (docker-compose.yml shows one).
"""

from broker.access import Access, GivenBroker
from broker.cluster import ClusterNode, PrivateCluster
from broker.node import PrivateNode, broker_for_use

__all__ = ["Access", "ClusterNode", "GivenBroker", "PrivateCluster", "PrivateNode", "broker_for_use"]
