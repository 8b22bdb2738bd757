"""The certificate authority rolls: governance lets a second one in, everybody renews, the first one leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from bridge.adapters.certificates.files import certificate_file
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import authority_of
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from bridge.founding.proposing import Wishes, propose

FILE = """
network = "see"
countries = ["RS"]
[[contact_points]]
id = "rs.ncp"
name = "Serbia"
national_desk = true
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "network.toml").write_text(FILE, "utf-8")
    found_network(tmp_path / "network", tmp_path / "network.toml")
    return tmp_path / "network"


def change(network: Path, wishes: Wishes) -> Directory:
    """Signed with the keys in the network's folder, and published."""
    repository = TufRepository(network)
    repository.change(lambda _: propose(network, network.with_suffix(".toml"), wishes), at=datetime.now(UTC))
    return repository.state().directory


def issuer_of(network: Path, folder: Path) -> str:
    """The authority under which the secretariat issues now."""
    Secretariat.of(network).equip(folder, "rs", ["rs-relay"])
    certificate = x509.load_pem_x509_certificate(certificate_file(folder, "rs-relay").read_bytes())
    return certificate.issuer.rfc4514_string()


def test_a_second_authority_stands_beside_the_first_until_that_is_withdrawn(network: Path, tmp_path: Path) -> None:
    (first,) = TufRepository(network).state().directory.certificate_authorities
    assert issuer_of(network, tmp_path / "a") == "CN=see broker authority-1"

    both = change(network, Wishes(authority=True)).certificate_authorities
    assert both[0] == first
    assert len(both) == 2
    assert issuer_of(network, tmp_path / "b") == "CN=see broker authority-2"

    left = change(network, Wishes(withdraw=[authority_of(first)[0][:12]])).certificate_authorities
    assert left == both[1:]
    assert issuer_of(network, tmp_path / "c") == "CN=see broker authority-2"


def test_an_authority_that_is_not_in_the_list_cannot_be_withdrawn(network: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        change(network, Wishes(withdraw=["00"]))

    assert refused.value.code == "E_AUTHORITY"


def test_what_is_no_certificate_authority_is_not_published(network: Path) -> None:
    repository = TufRepository(network)
    found = repository.verified(at=datetime.now(UTC))
    (first,) = found.network.certificate_authorities
    for bad in ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", first + first):
        with pytest.raises(ValueError, match="certificate"):
            type(found.network).model_validate({**found.network.model_dump(), "certificate_authorities": (bad,)})
