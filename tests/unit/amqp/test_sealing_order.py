"""Sealing off goes through every account of everybody who left first, whatever becomes of their connections then."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from bridge.adapters.amqp import apply
from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.topology import network_topology
from bridge.core.errors import UnavailableError

URL = "http://admin:secret@127.0.0.1:15672"
STAYING = network_topology({"rs": ["rs.ncp"]}, passwords={})
BEFORE = definitions(
    network_topology({"rs": ["rs.ncp"], "at": ["at.ncp"], "hu": ["hu.ncp"]}, passwords={}), vhost="see"
)
ACCOUNTS = {f"{member}-{role}" for member in ("at", "hu") for role in ("relay", "router", "inbox-ncp")}
CONNECTED = {
    "10.0.0.1:1 -> broker": "at-relay",
    "10.0.0.1:2 -> broker": "at-router",
    "10.0.0.2:1 -> broker": "hu-relay",
}


class Broker:
    """Three countries on it, of which two left; notes what it is told."""

    def __init__(self, *, stubborn: bool) -> None:
        self.told: list[tuple[str, str]] = []
        self.connected = dict(CONNECTED)
        self.stubborn = stubborn

    def export(self, _: Management) -> Mapping[str, Any]:
        return copy.deepcopy(BEFORE)

    def depths(self, _: Management, __: str) -> Mapping[str, int]:
        return {}

    def delete(self, _: Management, kind: str, *name: str) -> None:
        self.told.append((kind, name[-1]))

    def connections(self, _: Management, accounts: Collection[str], __: str) -> dict[str, str]:
        return {name: account for name, account in self.connected.items() if account in accounts}

    def close_connections(self, management: Management, accounts: Collection[str], vhost: str) -> dict[str, str]:
        if self.stubborn:
            raise UnavailableError("E_BROKER_CONNECTIONS", "they do not close")
        closed = self.connections(management, accounts, vhost)
        self.told += [("connections", name) for name in closed]
        self.connected.clear()
        return closed

    def unbind(self, _: Management, binding: Mapping[str, object], __: str) -> None:
        self.told.append(("bindings", str(binding["destination"])))

    def load(self, _: Management, __: object) -> None:
        """Takes everything."""


@pytest.fixture
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker(stubborn=request.param)
    for name in ("export", "depths", "delete", "connections", "close_connections", "unbind", "load"):
        method = getattr(made, name)
        monkeypatch.setattr(Management, name, lambda *arguments, method=method: method(*arguments))
    return made


async def sealed() -> apply.Reconciled:
    return await apply.apply_over_management(URL, STAYING, vhost="see", keep_passwords=True, seal=True)


@pytest.mark.parametrize("broker", [True], indirect=True)
async def test_connections_of_one_that_do_not_close_leave_no_account_and_no_binding_of_another(broker: Broker) -> None:
    with pytest.raises(UnavailableError):
        await sealed()

    assert {name for kind, name in broker.told if kind == "users"} == ACCOUNTS
    assert {kind for kind, _ in broker.told} == {"users", "bindings"}


@pytest.mark.parametrize("broker", [False], indirect=True)
async def test_accounts_then_bindings_then_connections_and_each_connection_is_told_of_its_member(
    broker: Broker,
) -> None:
    done = await sealed()

    kinds = [kind for kind, _ in broker.told]
    assert kinds == sorted(kinds, key=["users", "bindings", "connections"].index)
    assert {one.member: one.connections for one in done.sealed_off} == {"at": 2, "hu": 1}
