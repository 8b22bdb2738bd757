"""A private RabbitMQ node for as long as it is entered, or the broker that the environment names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from bridge.core.errors import UnavailableError
from broker.access import Access, GivenBroker
from broker.administrator import Definitions, with_administrator
from broker.installation import broker_programs
from broker.kept import Kept
from broker.own_broker import START_SECONDS, OwnBroker
from broker.ports import LOOPBACK, is_free
from broker.tls import TlsFiles


class PrivateNode(OwnBroker):
    """A throw-away broker on loopback with the management plugin and an administrator with a random password.

    It blocks while it starts (5 to 8 s) and stops (0.2 s): under asyncio call `start` and `stop` in a thread. It is
    gone, folder and all, once it is stopped or its starter has ended in whatever way.

    Args:
        definitions: what the broker loads at boot, besides the administrator and the virtual host `/`.
        port: the AMQP port; a free one by default.
        settings: lines of rabbitmq.conf on top, or instead, of those that keep the node private.
        tls: the node listens by TLS only, and accounts sign in by certificate only.
    """

    def __init__(
        self,
        *,
        definitions: Definitions | None = None,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self._definitions, self._wanted_port, self._settings = definitions or {}, port, settings or {}
        self._kept: Kept | None = None

    def start(self) -> Self:
        """Starts it and waits until it answers; fetches the packages first where there are none.

        Raises:
            UnavailableError: there is no RabbitMQ to be had, or it does not start.
        """
        if self._wanted_port is not None and not is_free(self._wanted_port):
            raise UnavailableError("E_BROKER_START", f"port {self._wanted_port} on {LOOPBACK} is taken, or not a port")
        plan = {
            **broker_programs(),
            "definitions": with_administrator(self._definitions, self.admin_password),
            "port": self._wanted_port,
            "settings": dict(self._settings),
            "tls": self.tls_plan,
        }
        self._kept = Kept(["-m", "broker.node_keeper"], plan, code="E_BROKER_START")
        self.learn(self._kept.start(seconds=START_SECONDS))
        return self

    def stop(self) -> None:
        """Ends it and removes its folder; doing it again changes nothing."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    def restart(self) -> None:
        """Boots the broker again on its ports and data, killed before or not; blocks like `start`.

        Raises:
            UnavailableError: it does not start, or the node was never started.
        """
        if self._kept is not None:
            self.learn(self._kept.order("restart", seconds=START_SECONDS))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextmanager
def broker_for_use(*, definitions: Definitions | None = None, tls: TlsFiles | None = None) -> Iterator[Access]:
    """The broker that `NCP_BRIDGE_AMQP_URL` names, else a private node for the length of the block.

    A given broker gets no `definitions`: apply them over its management API. It signs accounts in by their passwords.

    Raises:
        UnavailableError: there is no RabbitMQ to be had, or it does not start.
    """
    given = GivenBroker.from_environment()
    if given is not None:
        yield given
        return
    with PrivateNode(definitions=definitions, tls=tls) as node:
        yield node
