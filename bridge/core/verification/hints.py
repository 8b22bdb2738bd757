"""The unsigned AMQP properties of a delivery: compared with the signed values, never believed (wire-format: AMQP)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hints:
    """What the broker said about a message.

    Attributes:
        routing_key: as published; `None` behind exchanges whose keys say nothing about the sender.
        user_id: the account that published, where the broker validated it.
        copied: the publisher set `CC` or `BCC`, by which other queues are reached past the routing key.
    """

    correlation_id: str | None
    type: str | None
    app_id: str | None
    routing_key: str | None = None
    user_id: str | None = None
    copied: bool = False
