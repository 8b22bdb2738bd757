"""Whom the secretariat certifies: accounts of the member that it names, and of a request to be admitted once it was."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.adapters.certificates.files import request_certificates
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.core.errors import RefusedError
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, enrol_node
from bridge.founding.proposing import Wishes, propose

FILE = """
network = "see"
countries = ["RS", "AT"]
[[contact_points]]
id = "rs.ncp"
name = "Serbia"
national_desk = true
[[contact_points]]
id = "at.ncp"
name = "Austria"
national_desk = true
"""
OF_RS = ["rs-relay", "rs-router"]
AMQPS = BrokerPlace("amqps", "broker.example.org", 5671)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("see")
    (folder / "network.toml").write_text(FILE, "utf-8")
    found_network(folder / "network", folder / "network.toml")
    return folder / "network"


@pytest.fixture
def secretariat(network: Path) -> Secretariat:
    return Secretariat.of(network)


def asked(folder: Path, accounts: list[str]) -> bytes:
    return b"".join(request_certificates(folder, accounts).values())


def enrolled(network: Path, folder: Path, country: str) -> bytes:
    """A node's request to be admitted; whoever has the mirror can make one in any country's name."""
    order = NodeOrder(folder / "node", country, AMQPS)
    mirror, out = str(network / "mirror"), folder / f"{country}.request"
    enrol_node(order, {}, mirror=mirror, root=None, out=out, replace=True)
    return out.read_bytes()


def refused(secretariat: Secretariat, data: bytes, member: str) -> RefusedError:
    with pytest.raises(RefusedError) as found:
        secretariat.certify(member, data)
    return found.value


def test_a_members_own_accounts_are_certified(secretariat: Secretariat, tmp_path: Path) -> None:
    data = asked(tmp_path, OF_RS)

    issued = secretariat.certify("rs", data)

    assert [one.name for one in secretariat.requests_of("rs", data)] == OF_RS
    assert [one.name for one in issued.certificates] == OF_RS


def test_one_account_of_another_member_in_a_file_and_none_is_certified(
    network: Path, secretariat: Secretariat, tmp_path: Path
) -> None:
    mixed = asked(tmp_path, [*OF_RS, "at-relay"])

    found = refused(secretariat, mixed, "rs")

    assert (found.code, "at-relay" in found.message, "of at" in found.message) == ("E_CERTIFICATE_ACCOUNT", True, True)
    assert not (network / "certificates").exists() or not list((network / "certificates").glob("at-*"))


def test_a_request_to_be_admitted_that_was_never_admitted_is_refused(
    network: Path, secretariat: Secretariat, tmp_path: Path
) -> None:
    data = enrolled(network, tmp_path, "AT")

    assert refused(secretariat, data, "at").code == "E_JOIN_REQUEST"


def test_an_admitted_request_is_certified_and_one_with_another_key_is_not(tmp_path: Path) -> None:
    # given: Serbia was admitted with its request; somebody makes a second one in its name
    (tmp_path / "network.toml").write_text(FILE, "utf-8")
    network, request = tmp_path / "network", tmp_path / "RS.request"
    found_network(network, tmp_path / "network.toml")
    data = enrolled(network, tmp_path, "RS")
    TufRepository(network).change(
        lambda _: propose(network, tmp_path / "network.toml", Wishes(admit=[request])), at=datetime.now(UTC)
    )
    (tmp_path / "other").mkdir()
    forged = enrolled(network, tmp_path / "other", "RS")
    secretariat = Secretariat.of(network)

    # when
    issued = secretariat.certify("rs", data)

    # then
    assert {one.name for one in issued.certificates} == {*OF_RS, "rs-inbox-ncp"}
    assert refused(secretariat, forged, "rs").code == "E_JOIN_REQUEST"
    assert refused(secretariat, data, "at").code == "E_CERTIFICATE_ACCOUNT"
