"""What `ncp-bridge doctor` tries: everything that a node depends on, for real."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bridge.adapters.amqp.probe import probe_brokers
from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.store import SqlStore
from bridge.app.checks.check_clock import check_clock
from bridge.app.checks.check_node import Probe
from bridge.app.keys.choosing import signer_of
from bridge.compose.broker_login import login_of
from bridge.compose.guards import disk_of
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.trust import TrustSource
from bridge.settings import Account, NodeSettings


def probes_of(
    settings: NodeSettings,
    store: SqlStore,
    trust: TrustSource,
    clock: Clock,
    desks: Callable[[], Mapping[str, KeyDesk]],
) -> Mapping[str, Probe]:
    """The probes by name; each answers one sentence, or raises what stands against it. The list was just looked for."""

    async def database() -> str:
        await store.check()
        return "reachable, writable, of this program's schema"

    async def keys() -> str:
        directory, now = trust.current(), clock.now()
        kids = [signer_of(desk, directory, at=now).kid for desk in desks().values()]
        return "opened, and members accept what they sign: " + ", ".join(kids)

    async def disk() -> str:
        return disk_of(settings).check()

    async def time() -> str:
        found = check_clock(trust.current(), now=clock.now(), server_time=await store.server_time())
        if not found.ok:
            raise UnavailableError(f"E_{found.state.upper()}", found.detail)
        return found.detail

    return {"database": database, "keys": keys, "disk": disk, "clock": time, **_broker_probes(settings, trust)}


def _broker_probes(settings: NodeSettings, trust: TrustSource) -> Mapping[str, Probe]:
    broker, prefix = settings.broker, settings.prefix

    async def sign_in(account: Account, queues: Sequence[str], exchange: str | None) -> str:
        return await probe_brokers(login_of(settings, trust, account), queues=queues, exchange=exchange)

    needed = {
        "relay": (broker.relay, (), names.ingress_exchange(prefix)),
        "router": (broker.router, names.country_queues(prefix), names.contact_points_exchange(prefix)),
        **{point.id: (point.account, names.inbox_queues(point.id), None) for point in settings.contact_points},
    }
    return {f"broker account {name}": partial(sign_in, *what) for name, what in needed.items()}
