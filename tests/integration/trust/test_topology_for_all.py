"""`topology apply --all` on a real broker: every member of the list works, and one that left is sealed off."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.probe import probe_broker
from bridge.adapters.trust.governance.changes import governance_change, revocation_change
from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.forms import Suspension
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.cli.main import main_status
from bridge.core.errors import UnavailableError
from bridge.core.ids import prefix_of
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings
from broker import Access

# Accounts belong to the whole broker: countries that no other test has.
NETWORK = """
network = "small"
countries = ["LI", "MT"]

[[contact_points]]
id = "li.ncp"
name = "National contact point, Liechtenstein"
national_desk = true

[[contact_points]]
id = "mt.ncp"
name = "National contact point, Malta"
national_desk = true

[[contact_points]]
id = "mt.port-police"
name = "Port police, Malta"
"""
SECONDS = 10.0

Apply = Callable[..., tuple[int, dict[str, Any]]]


class Shared:
    """A network on a virtual host of its own; Liechtenstein runs the broker."""

    def __init__(self, folder: Path, access: Access, vhost: str) -> None:
        self.folder, self.access, self.vhost = folder, access, vhost
        (folder / "network.toml").write_text(NETWORK, "utf-8")
        found_network(folder / "network", folder / "network.toml")
        place = BrokerPlace(host=access.host, port=access.port, vhost=vhost)
        nodes = found_nodes(
            [NodeOrder(folder / country, country, place) for country in ("LI", "MT")], network=folder / "network"
        )
        self.configs = [node.config for node in nodes]
        for config in self.configs:
            file = config.parent / "secrets/broker-admin.url"
            file.touch(mode=0o600)
            file.write_text(access.management_url + "\n")

    def url(self, country: int, account: str) -> str:
        settings = load_settings(self.configs[country])
        password = (self.configs[country].parent / f"secrets/{account}.password").read_text().strip()
        return self.access.amqp_url(settings.broker.vhost, account, password)

    def change(self, make: Callable[[VerifiedList], Publication]) -> None:
        TufRepository(self.folder / "network").change(make, at=datetime.now(UTC))

    def remove(self, prefix: str) -> None:
        def without(present: VerifiedList) -> Publication:
            staying = {id_: one for id_, one in present.contact_points.items() if prefix_of(id_) != prefix}
            network = present.network.model_copy(update={"contact_points": tuple(sorted(staying))})
            now = datetime.now(UTC)
            return governance_change(present, network=network, contact_points=staying, admitted={}, at=now)

        self.change(without)

    def suspend(self, who: str) -> None:
        def with_suspension(present: VerifiedList) -> Publication:
            now = datetime.now(UTC)
            entry = Suspension(who=who, at=now, reason="stolen laptop")
            document = present.revocations.model_copy(update={"suspensions": (entry,)})
            return revocation_change(present, document, at=now)

        self.change(with_suspension)

    def depths(self) -> dict[str, int]:
        return dict(Management.at(self.access.management_url).depths(self.vhost))


@pytest.fixture
def shared(broker_node: Access, tmp_path: Path) -> Iterator[Shared]:
    vhost = f"test-all-{secrets.token_hex(4)}"
    made = Shared(tmp_path, broker_node, vhost)
    yield made
    broker_node.delete_vhost(vhost)
    management = Management.at(broker_node.management_url)
    for account in ("li-relay", "li-router", "li-inbox-ncp", "mt-relay", "mt-router"):
        management.delete("users", account)
    for account in ("mt-inbox-ncp", "mt-inbox-port-police"):
        management.delete("users", account)


@pytest.fixture
def apply(capsys: pytest.CaptureFixture[str]) -> Apply:
    """`topology apply` with `--json`; its status and answer."""

    def command(config: Path, *options: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        arguments = ["topology", "apply", "--config", str(config), *options, "--json"]
        with ThreadPoolExecutor(1) as pool:  # a command runs its own event loop
            status = pool.submit(main_status, arguments).result()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, answer

    return command


async def test_every_member_is_there_then_nothing_changes_and_each_sets_its_own_passwords(
    shared: Shared, apply: Apply
) -> None:
    # when: the dry run says what the first run does, and touches nothing
    would, first = (apply(shared.configs[0], "--all", *options) for options in (("--dry-run",), ()))
    again = apply(shared.configs[0], "--all")
    own = apply(shared.configs[1])
    after = apply(shared.configs[0], "--all")

    # then
    assert [answer[0] for answer in (would, first, again, own, after)] == [0] * 5
    assert (first[1]["exchanges"], first[1]["queues"], first[1]["accounts"]) == (2 + 2 * 2, 2 * 3 + 3 * 2, 2 * 2 + 3)
    assert would[1]["changes"] == first[1]["changes"]
    assert (would[1]["dry_run"], first[1]["dry_run"]) == (True, False)
    assert first[1]["list_version"] == 2
    assert again[1]["changes"] == after[1]["changes"] == []
    assert again[1]["sealed_off"] == []
    for country, account in ((0, "li-relay"), (1, "mt-relay")):
        async with await aio_pika.connect(shared.url(country, account), timeout=SECONDS):
            pass


async def test_a_removed_member_is_sealed_off_and_what_waits_for_it_stays_until_it_is_dropped(
    shared: Shared, apply: Apply
) -> None:
    # given: a message for Malta, which is connected
    apply(shared.configs[0], "--all")
    apply(shared.configs[1])
    await _publish(shared)
    async with await aio_pika.connect(shared.url(1, "mt-router"), timeout=SECONDS) as malta:
        closed = asyncio.Event()
        malta.close_callbacks.add(lambda *_: closed.set())
        await asyncio.to_thread(_until_listed, shared, "mt-router", "country.mt.normal")
        shared.remove("mt")

        # when
        would = apply(shared.configs[0], "--all", "--dry-run")[1]
        status, done = apply(shared.configs[0], "--all")

        # then: the accounts are gone and so are their connections
        assert status == 0
        assert would["changes"] == done["changes"]
        (sealed,) = done["sealed_off"]
        assert (sealed["member"], sealed["connections"], sealed["dropped"]) == ("mt", 1, False)
        assert sealed["accounts"] == ["mt-inbox-ncp", "mt-inbox-port-police", "mt-relay", "mt-router"]
        assert {"name": "country.mt.normal", "messages": 1} in sealed["queues"]
        await asyncio.wait_for(closed.wait(), SECONDS)
    with pytest.raises(UnavailableError) as caught:
        await probe_broker(shared.url(1, "mt-router"))
    assert caught.value.code == "E_BROKER_CREDENTIALS"
    # nothing flows in any more, and the sender hears it
    with pytest.raises(aio_pika.exceptions.DeliveryError):
        await _publish(shared)
    assert shared.depths()["country.mt.normal"] == 1

    # when: dropping is asked about, and without a terminal it needs a word more
    refused, _ = apply(shared.configs[0], "--all", "--drop-queues")
    dropped = apply(shared.configs[0], "--all", "--drop-queues", "--yes")[1]
    last = apply(shared.configs[0], "--all")[1]

    # then
    assert refused == 2
    assert dropped["sealed_off"][0]["dropped"]
    assert not [name for name in shared.depths() if ".mt" in name]
    assert (last["changes"], last["sealed_off"]) == ([], [])


async def test_a_suspended_contact_point_is_sealed_off_alone_and_let_in_again(shared: Shared, apply: Apply) -> None:
    apply(shared.configs[0], "--all")
    shared.suspend("mt.port-police")

    done = apply(shared.configs[0], "--all")[1]

    (sealed,) = done["sealed_off"]
    assert sealed["accounts"] == ["mt-inbox-port-police"]
    assert [queue["name"] for queue in sealed["queues"]] == [
        "inbox.mt.port-police.normal",
        "inbox.mt.port-police.urgent",
    ]

    def reinstated(present: VerifiedList) -> Publication:
        now = datetime.now(UTC)
        network = present.network.model_copy(update={"reinstated": {"mt.port-police": now + timedelta(seconds=1)}})
        points = present.contact_points
        return governance_change(present, network=network, contact_points=points, admitted={}, at=now)

    shared.change(reinstated)
    again = apply(shared.configs[0], "--all")[1]
    assert again["sealed_off"] == []
    assert {(change["action"], change["kind"]) for change in again["changes"]} == {
        ("add", "account"),
        ("add", "permissions of"),
        ("add", "topic permissions of"),
        ("add", "binding"),
        ("change", "limits of the virtual host"),
    }


def test_nobody_is_shut_out_by_a_list_that_nobody_confirmed_or_that_cannot_be_looked_at(
    shared: Shared, apply: Apply
) -> None:
    repository = TufRepository(shared.folder / "network")
    repository.confirm(at=datetime.now(UTC) - timedelta(hours=49))
    old = apply(shared.configs[0], "--all")
    repository.confirm(at=datetime.now(UTC))
    apply(shared.configs[0], "--all", "--dry-run")
    repository.mirror.rename(shared.folder / "elsewhere")

    gone = apply(shared.configs[0], "--all")  # the list of a moment ago is in the node's cache

    assert (old[0], old[1]["error"]["code"]) == (3, "E_TRUST_STALE")
    assert (gone[0], gone[1]["error"]["code"]) == (4, "E_TRUST_LIST")


async def _publish(shared: Shared) -> None:
    """From Liechtenstein to Malta; raises where nothing takes it."""
    async with await aio_pika.connect(shared.url(0, "li-relay"), timeout=SECONDS) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("from.li", ensure=False)
        key = "li.mt.normal.route_alert"
        await exchange.publish(aio_pika.Message(b"{}", message_id="1"), key, mandatory=True, timeout=SECONDS)


def _until_listed(shared: Shared, account: str, queue: str) -> None:
    """Until the management API knows of the account's connection and the queue's message; it lags by seconds."""
    management = Management.at(shared.access.management_url)
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while not management.connections([account], shared.vhost) or not management.depths(shared.vhost)[queue]:
        assert datetime.now(UTC) < deadline
        time.sleep(0.1)
