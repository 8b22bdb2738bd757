"""The only wiring: from settings to a node with its use cases and services. Nothing is created at import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

import asyncio

from bridge.adapters.amqp import names
from bridge.adapters.amqp.consumer import open_consumer
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.jose.desk import FileDesk, load_desk
from bridge.adapters.jose.key_files import read_secret
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.store import SqlStore, migrate, open_store
from bridge.adapters.system import RandomIds, SystemClock
from bridge.adapters.trust import TufTrustSource
from bridge.adapters.vault import StorageVault
from bridge.app.acknowledge import AcknowledgeMessages
from bridge.app.authenticating import Authenticator
from bridge.app.receive_message import ReceiveMessages
from bridge.app.recheck_held import RecheckHeld
from bridge.app.relay_outbox import RelayOutbox
from bridge.app.route_message import RouteMessages
from bridge.app.submit import SubmitAlerts
from bridge.core.verification import Receiver
from bridge.services.consuming import ConsumingService
from bridge.services.housekeeping import HousekeepingService
from bridge.services.relaying import RelayingService
from bridge.settings import Account, NodeSettings

ROLES = ("publisher", "subscriber", "contact-point")
RECHECK_HELD_EVERY = timedelta(minutes=1)

Ready = Callable[[str], None]


class Service(Protocol):
    """Something that runs until it is asked to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        ...
