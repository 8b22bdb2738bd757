"""The definitions of the whole network load: over the management API, and at boot as docker-compose.yml has them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import aio_pika
import pytest
import yaml

from bridge.adapters.amqp.management import Management
from bridge.core.ids import prefix_of
from bridge.founding.network import found_network
from broker import PrivateNode
from broker.__main__ import main
from broker.definition_files import contact_points_of
from broker.tls import TlsFiles

if TYPE_CHECKING:
    from servers.broker_fixtures import MakeVirtualHost

ROOT = Path(__file__).resolve().parents[3]
NETWORK = ROOT / "config" / "demo-network.toml"


def names_on(management_url: str, kind: str, vhost: str) -> set[str]:
    path = f"/api/{kind}/{quote(vhost, safe='')}?disable_stats=true"
    entries = json.loads(Management.at(management_url).request("GET", path)[1])
    return {str(entry["name"]) for entry in entries if entry["name"] and not str(entry["name"]).startswith("amq.")}


async def test_every_account_of_the_fourteen_countries_logs_in(make_vhost: MakeVirtualHost) -> None:
    # given
    countries: dict[str, list[str]] = defaultdict(list)
    for point in contact_points_of(NETWORK):
        countries[prefix_of(point)].append(point)
    assert len(countries) == 14

    # when
    vhost = await asyncio.to_thread(make_vhost, countries)

    # then
    for account in vhost.passwords:
        await (await aio_pika.connect(vhost.url(account))).close()
    queues = names_on(vhost.broker.management_url, "queues", vhost.name)
    assert len(queues) == 3 * 14 + 2 * sum(len(points) for points in countries.values())


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "generated"
    found_network(folder.parent / "network", NETWORK)
    certify = ["--certify", str(folder.parent / "network")]
    for _ in range(2):  # doing it again renews the certificate
        assert main(["definitions", "--network", str(NETWORK), "--folder", str(folder), *certify]) == 0
    return folder


@pytest.mark.usefixtures("broker_node")
def test_a_broker_boots_with_what_compose_mounts_and_knows_no_other_account(generated: Path) -> None:
    # given
    document = json.loads((generated / "definitions.json").read_text())
    settings = dict(
        [part.strip() for part in line.split("=", 1)]
        for name in ("rabbitmq.conf", "tls.conf")
        for line in (ROOT / "config/rabbitmq" / name).read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert settings.pop("load_definitions") == "/run/secrets/broker-definitions"
    assert settings.pop("listeners.ssl.default") == "5671"
    mounted = [settings.pop(f"ssl_options.{name}") for name in ("cacertfile", "certfile", "keyfile")]
    assert mounted == [f"/run/secrets/broker-{name}" for name in ("authorities", "certificate", "key")]
    files = TlsFiles(*(generated / name for name in ("authorities.pem", "broker.pem", "broker.key")))
    password = urlsplit((generated / "admin-url").read_text().strip()).password
    assert password is not None
    for kind, wanted in (("queues", 80), ("exchanges", 30)):
        assert len(document[kind]) == wanted

    # when
    node = PrivateNode(settings=settings | {"load_definitions": str(generated / "definitions.json")}, tls=files)
    node.admin_password = password  # the one in the file, which is loaded instead of the node's own definitions
    with node:
        # then
        users = json.loads(Management.at(node.management_url).request("GET", "/api/users")[1])
        assert [user["name"] for user in users] == ["admin"]
        for kind in ("queues", "exchanges"):
            assert names_on(node.management_url, kind, "/") == {entry["name"] for entry in document[kind]}


def test_a_second_run_keeps_the_passwords_and_nobody_else_reads_them(generated: Path) -> None:
    # given
    secrets_before = [(generated / name).read_text() for name in ("admin-url", "database-password")]

    # when
    assert main(["definitions", "--network", str(NETWORK), "--folder", str(generated)]) == 0

    # then
    assert [(generated / name).read_text() for name in ("admin-url", "database-password")] == secrets_before
    assert generated.stat().st_mode & 0o777 == 0o700
    assert (generated / "admin-url").stat().st_mode & 0o777 == 0o600
    assert quote(urlsplit(secrets_before[0]).password or "") not in (generated / "definitions.json").read_text()


def test_a_network_without_contact_points_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    network = tmp_path / "network.toml"
    network.write_text('name = "nobody"\n')

    # when
    status = main(["definitions", "--network", str(network), "--folder", str(tmp_path / "generated")])

    # then
    assert status == 2
    assert "expected a network description with contact_points" in capsys.readouterr().err
    assert not (tmp_path / "generated").exists()


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_compose_runs_a_broker_of_the_4_series() -> None:
    assert str(compose()["services"]["broker"]["image"]).startswith("rabbitmq:4.")


def test_compose_publishes_ports_on_loopback_only() -> None:
    published = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


def test_compose_mounts_files_that_are_there_or_that_the_generator_writes(generated: Path) -> None:
    # given
    configuration = compose()
    mounts = [str(entry) for service in configuration["services"].values() for entry in service.get("volumes", [])]
    files = {entry.split(":")[0] for entry in mounts if entry.startswith("./") and not entry.startswith("./node:")}
    files |= {str(secret["file"]) for secret in configuration["secrets"].values()}

    # when
    place = "./config/rabbitmq/generated/"
    missing = {
        file
        for file in files
        if not ((generated / file.removeprefix(place)) if file.startswith(place) else ROOT / file).is_file()
    }

    # then
    assert len(files) == 8
    assert missing == set()


def test_compose_holds_no_password() -> None:
    settings = [
        f"{name}={value}"
        for service in compose()["services"].values()
        for name, value in service.get("environment", {}).items()
    ]
    assert settings
    assert not [setting for setting in settings if "PASS" in setting and "_FILE=/run/secrets/" not in setting]


def test_the_image_is_built_from_files_that_are_there() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
