"""A node's certificates on the command line: founded with them, renewed by files between machines, and in one step."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_commands import ask, say

from bridge.adapters.certificates.files import certificate_file, install_certificates, request_certificates
from bridge.adapters.store.schema import migrate
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.app.checks.check_certificates import NAME
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.founding.proposing import Wishes, propose
from bridge.settings import load_settings

NETWORK_FILE = Path(__file__).parents[3] / "config" / "demo-network.toml"
RELAY = "at-relay"
FOUNDED = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    found_network(folder / "network", NETWORK_FILE, at=FOUNDED)
    found_nodes([NodeOrder(folder / "at", "AT", BrokerPlace("amqps"))], network=folder / "network", at=FOUNDED)
    return folder


def test_a_node_founded_on_amqps_has_certificates_and_no_passwords(founded: Path) -> None:
    config = founded / "at" / "node.toml"

    told = ask("node", "certificates", "--config", config)["certificates"]

    assert [one["name"] for one in told] == ["at-relay", "at-router", "at-inbox-ncp"]
    assert {(one["days_left"], one["due"]) for one in told} == {(89, False)}
    assert not list((founded / "at" / "secrets").glob("*.password"))
    in_use = [line for line in config.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in in_use if "password_file" in line] == []


def test_certificates_are_renewed_by_files_between_two_machines(founded: Path, tmp_path: Path) -> None:
    config, relay = founded / "at" / "node.toml", certificate_file(founded / "at" / "certificates", RELAY)
    before = relay.read_bytes()

    asked = ask("node", "certificates", "--config", config, "--out", tmp_path / "request.pem")
    files = (tmp_path / "request.pem", "--network", founded / "network", "--out", tmp_path / "new.pem")
    issued = ask("network", "certify", *files, "--member", "AT", "--yes")
    assert relay.read_bytes() == before
    ask("node", "certificates", "--config", config, "--install", tmp_path / "new.pem")

    assert asked["sha256"] == issued["request_sha256"]
    assert [one["name"] for one in issued["certificates"]] == asked["accounts"]
    assert relay.read_bytes() != before


def test_certificates_are_renewed_in_one_step_where_the_network_is_at_hand(founded: Path) -> None:
    config, relay = founded / "at" / "node.toml", certificate_file(founded / "at" / "certificates", RELAY)
    before = relay.read_bytes()

    ask("node", "certificates", "--config", config, "--network", founded / "network")

    assert relay.read_bytes() != before
    assert not list(relay.parent.glob("*.waiting"))


def test_the_request_to_be_admitted_is_certified_once_it_was_admitted(founded: Path, tmp_path: Path) -> None:
    network, node, asked = founded / "network", tmp_path / "hu", tmp_path / "hu.request"
    certify = ("network", "certify", asked, "--member", "HU", "--yes", "--network", network)
    options = ("--country", "HU", "--mirror", network / "mirror", "--broker-scheme", "amqps")
    sha256 = ask("node", "enroll", node, *options, "--out", asked)["sha256"]
    early = say(*certify, "--out", tmp_path / "hu.certificates", "--json")
    admitted = Wishes(admit=[asked])
    TufRepository(network).change(lambda _: propose(network, NETWORK_FILE, admitted), at=datetime.now(UTC))
    issued = ask(*certify, "--out", tmp_path / "hu.certificates")
    ask("node", "certificates", "--config", node / "node.toml", "--install", tmp_path / "hu.certificates")

    assert (early.status, early.json["error"]["code"]) == (3, "E_JOIN_REQUEST")
    assert issued["request_sha256"] == sha256
    assert sorted(path.name for path in (node / "certificates").iterdir()) == [
        f"{one['name']}.pem" for one in issued["certificates"]
    ]


@pytest.mark.parametrize(
    ("accounts", "more", "status"),
    [
        (["xy-relay"], ["--member", "XY", "--yes"], 3),  # the list has no such account
        (["at-relay", "rs-relay"], ["--member", "AT", "--yes"], 3),  # one of them is another member's
        (["at-relay"], ["--member", "RS", "--yes"], 3),
        (["at-relay"], ["--member", "AT"], 2),  # nobody was asked
        (["at-relay"], ["--yes"], 2),  # whose it is nobody said
        (["at-relay"], ["--member", "AT", "--server", "broker.example.org", "--yes"], 2),
        (["broker"], ["--server", "broker.example.org"], 2),
    ],
)
def test_nothing_is_issued_to_somebody_else_or_unasked(
    founded: Path, tmp_path: Path, accounts: list[str], more: list[str], status: int
) -> None:
    (tmp_path / "request.pem").write_bytes(b"".join(request_certificates(tmp_path, accounts).values()))
    index = founded / "network" / "certificates"
    before = sorted(index.iterdir())

    refused = say(
        "network", "certify", tmp_path / "request.pem", "--network", founded / "network", "--out", tmp_path / "new.pem",
        *more,
    )  # fmt: skip

    assert refused.status == status, refused
    assert not (tmp_path / "new.pem").exists()
    assert sorted(index.iterdir()) == before


def test_what_is_asked_for_is_shown_before_it_is_issued(founded: Path, tmp_path: Path) -> None:
    data = request_certificates(tmp_path, ["at-relay"])["at-relay"]
    (tmp_path / "request.pem").write_bytes(data)
    files = (tmp_path / "request.pem", "--network", founded / "network", "--out", tmp_path / "new.pem")

    said = say("network", "certify", *files, "--member", "AT")

    assert "at-relay" in said.err
    assert hashlib.sha256(data).hexdigest() in said.err


def test_a_broker_gets_its_certificate_the_same_way(founded: Path, tmp_path: Path) -> None:
    (tmp_path / "request.pem").write_bytes(request_certificates(tmp_path, ["broker"])["broker"])
    files = (tmp_path / "request.pem", "--network", founded / "network", "--out", tmp_path / "broker.pem")

    issued = ask("network", "certify", *files, "--server", "broker.example.org", "--server", "192.0.2.7", "--yes")

    assert [one["name"] for one in issued["certificates"]] == ["broker.example.org"]


def test_both_sides_are_warned_of_what_ends_soon(founded: Path) -> None:
    # given: a life of a quarter of an hour, of which less than a third is left
    network, config, now = founded / "network", founded / "hr" / "node.toml", datetime.now(UTC)
    found_nodes([NodeOrder(founded / "hr", "HR", BrokerPlace("amqps"))], network=network, at=FOUNDED)
    asyncio.run(migrate(load_settings(config).database_url))
    relay, folder, secretariat = "hr-relay", founded / "hr" / "certificates", Secretariat.of(network, at=now)
    issued = secretariat.certify("hr", request_certificates(folder, [relay])[relay], lifetime=timedelta(minutes=4))
    authorities = secretariat.directory.certificate_authorities
    install_certificates(folder, issued.pem, accounts=[relay], authorities=authorities, at=now)

    # when
    own = ask("node", "certificates", "--config", config)["certificates"]
    (check,) = [one for one in say("status", "--config", config, "--json").json["checks"] if one["name"] == NAME]
    shown = say("network", "show", network).out

    # then
    assert [one["name"] for one in own if one["due"]] == [relay]
    assert (check["ok"], check["state"]) == (True, "certificate_ends_soon")
    assert relay in check["detail"]
    assert f"WARNING: the certificate of {relay} ends in 0 days" in shown

    # when
    ask("node", "certificates", "--config", config, "--network", network)

    # then
    assert "WARNING: the certificate" not in say("network", "show", network).out


def test_a_node_without_certificates_is_told_where_they_would_be(founded: Path, tmp_path: Path) -> None:
    found_nodes([NodeOrder(tmp_path / "rs", "RS")], network=founded / "network")

    refused = say("node", "certificates", "--config", tmp_path / "rs" / "node.toml", "--json")

    assert refused.status == 2
    assert refused.json["error"]["path"] == "$.broker.certificates"
