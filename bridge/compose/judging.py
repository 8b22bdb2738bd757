"""Who judges what arrives: a node's contact points and its router, alike in a running process and in a replay."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.jose.signatures import is_signature
from bridge.app.receiving.authenticating import Authenticator
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.app.receiving.route_message import RouteMessages
from bridge.core import broker_names as names
from bridge.core.verification import Receiver
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault


@dataclass(frozen=True, slots=True)
class Judges:
    """Builds them for one node; `clock` is the one they judge by."""

    prefix: str
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids

    def contact_point(self, desk: Desk, vault: BodyVault) -> ReceiveMessages:
        """Verifies to the end, opens, stores, answers."""
        return ReceiveMessages(
            desk=desk,
            authenticator=self._authenticator(Receiver(self.prefix, desk.id)),
            store=self.store,
            trust=self.trust,
            vault=vault,
            clock=self.clock,
            ids=self.ids,
        )

    def router(self, publisher: AmqpPublisher) -> RouteMessages:
        """Verifies without opening, hands on."""
        return RouteMessages(
            prefix=self.prefix,
            exchange=names.contact_points_exchange(self.prefix),
            authenticator=self._authenticator(Receiver(self.prefix)),
            publisher=publisher,
            store=self.store,
            trust=self.trust,
            clock=self.clock,
            ids=self.ids,
        )

    def _authenticator(self, receiver: Receiver) -> Authenticator:
        return Authenticator(trust=self.trust, clock=self.clock, receiver=receiver, is_signature=is_signature)
