"""`topology apply` against a real broker: after it the node's accounts work, and may do no more than they need."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import aiormq.exceptions
import pytest
from servers.broker_fixtures import PASSWORD

from bridge.cli.main import main_status
from bridge.core.errors import UnavailableError
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings
from broker import Access


@pytest.fixture
def vhost_name(broker_node: Access) -> Iterator[str]:
    """A virtual host that is not there yet, and is gone afterwards."""
    name = f"test-topology-{secrets.token_hex(4)}"
    yield name
    broker_node.delete_vhost(name)


@pytest.fixture
def config(broker_node: Access, vhost_name: str, tmp_path: Path) -> Path:
    """A node's settings for that virtual host; the accounts' passwords are those that all tests share."""
    found_network(tmp_path / "network", Path("config/demo-network.toml"))
    place = urlsplit(broker_node.amqp_url(vhost_name))
    broker = BrokerPlace(host=place.hostname or "", port=place.port or 5672, vhost=vhost_name)
    (found,) = found_nodes([NodeOrder(tmp_path / "rs", "RS", broker)], network=tmp_path / "network")
    for file in (tmp_path / "rs/secrets").glob("*.password"):
        file.write_text(PASSWORD)
    return found.config


def write_admin_url(config: Path, url: str) -> None:
    """Puts the administrator's address where the settings expect it."""
    file = config.parent / "secrets/broker-admin.url"
    file.touch(mode=0o600)
    file.write_text(url + "\n")


def set_management_url(config: Path, url: str) -> None:
    """Sets the management API's address in the settings, without its account and password."""
    api = urlsplit(url)
    address = f'management_url = "{api.scheme}://{api.hostname}:{api.port}"'
    config.write_text(config.read_text().replace('# management_url = "https://broker.example.org:15671"', address))


@pytest.mark.parametrize("separate", [False, True], ids=["one-address", "url-and-credentials-apart"])
async def test_over_the_management_api_everything_is_made(
    broker_node: Access, config: Path, capsys: pytest.CaptureFixture[str], *, separate: bool
) -> None:
    if separate:
        set_management_url(config, broker_node.management_url)
        write_admin_url(config, broker_node.amqp_url("/"))
    else:
        write_admin_url(config, broker_node.management_url)

    statuses = [_in_a_thread_of_its_own(["topology", "apply", "--config", str(config), "--json"]) for _ in range(2)]

    first, again = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert statuses == [0, 0]
    assert first == again == {"exchanges": 4, "queues": 2 + 1 + 3 * 2, "accounts": 2 + 3}
    settings = load_settings(config)
    async with await aio_pika.connect(settings.amqp_urls(settings.broker.router)[0]) as connection:
        channel = await connection.channel()
        assert (await channel.declare_queue("country.rs.urgent", passive=True)).name == "country.rs.urgent"
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await channel.declare_queue("one-too-many", durable=True)


async def test_over_amqp_there_are_no_accounts(
    broker_node: Access, config: Path, vhost_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broker_node.create_vhost(vhost_name)
    write_admin_url(config, broker_node.amqp_url(vhost_name))

    status = _in_a_thread_of_its_own(["topology", "apply", "--config", str(config), "--json"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {"exchanges": 4, "queues": 9, "accounts": 0}


def test_nobody_there_is_unavailable(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_admin_url(config, "http://admin:secret@127.0.0.1:9")

    status = main_status(["topology", "apply", "--config", str(config), "--json"])

    error = json.loads(capsys.readouterr().out)["error"]
    assert (status, error["code"]) == (UnavailableError.exit_status, "E_BROKER_UNREACHABLE")
    assert "secret" not in error["message"]


def _in_a_thread_of_its_own(arguments: list[str]) -> int:
    """A command runs its own event loop, which a thread that runs one already does not allow."""

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(main_status, arguments).result()
