"""What the network's authority issues, to whom, and what it refuses."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from certificate_members import AT, MEMBERS, directory, point
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bridge.adapters.certificates.authority import Authority, load_authority, make_authority
from bridge.adapters.certificates.requests import common_name, make_request, read_requests
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, RefusedError, UnavailableError


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    pem = make_authority(tmp_path / "keys" / "authority-1.pem", "see", at=AT)
    return load_authority(tmp_path / "keys", [pem])


def test_an_accounts_certificate_is_for_clients_and_for_that_account_only(authority: Authority, tmp_path: Path) -> None:
    (request,) = read_requests(make_request(tmp_path / "key.pem", "rs-relay"))

    certificate = x509.load_pem_x509_certificate(authority.issue(request, member="rs", directory=MEMBERS, at=AT))

    certificate.verify_directly_issued_by(authority.certificate)
    assert certificate.subject == common_name("rs-relay")
    assert certificate.not_valid_after_utc == AT + timedelta(days=90)
    assert certificate.serial_number.bit_length() > 64
    extensions = {one.value.__class__.__name__: one for one in certificate.extensions}
    assert set(extensions) == {
        "BasicConstraints", "KeyUsage", "ExtendedKeyUsage", "SubjectKeyIdentifier", "AuthorityKeyIdentifier"
    }  # fmt: skip
    assert extensions["BasicConstraints"].critical
    assert not extensions["BasicConstraints"].value.ca
    assert list(extensions["ExtendedKeyUsage"].value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_servers_certificate_has_its_names_and_is_no_clients(authority: Authority, tmp_path: Path) -> None:
    (request,) = read_requests(make_request(tmp_path / "key.pem", "broker"))

    pem = authority.issue_for_server(request, ["broker.example.org", "127.0.0.1"], at=AT)

    assert x509.load_pem_x509_certificate(pem).subject == common_name("broker.example.org")
    extensions = x509.load_pem_x509_certificate(pem).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["broker.example.org", "127.0.0.1"]
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_private_key_is_its_owners_alone(authority: Authority, tmp_path: Path) -> None:
    make_request(tmp_path / "key.pem", "rs-relay")

    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys" / "authority-1.pem").stat().st_mode & 0o777 == 0o600
    assert "PrivateKey" not in repr(authority)


@pytest.mark.parametrize(
    ("members", "account"),
    [
        (MEMBERS, "hr-relay"),
        (MEMBERS, "admin"),
        (MEMBERS, "rs-inbox-nobody"),
        (MEMBERS, "at-relay"),
        (directory(point("rs.ncp"), point("at.ncp", accounts={"relay": "rs-relay"})), "rs-relay"),
        (directory(point("rs.ncp", suspended="left")), "rs-relay"),
        (directory(point("rs.ncp"), point("rs.border-police", suspended="left")), "rs-inbox-border-police"),
    ],
)
def test_whom_the_list_does_not_let_in_gets_none(
    authority: Authority, tmp_path: Path, members: Directory, account: str
) -> None:
    (request,) = read_requests(make_request(tmp_path / "key.pem", account))

    with pytest.raises(RefusedError) as refused:
        authority.issue(request, member="rs", directory=members, at=AT)

    assert refused.value.code == "E_CERTIFICATE_ACCOUNT"


def test_a_country_keeps_its_relay_while_one_contact_point_is_not_suspended(
    authority: Authority, tmp_path: Path
) -> None:
    members = directory(point("rs.ncp"), point("rs.border-police", suspended="left"))
    (request,) = read_requests(make_request(tmp_path / "key.pem", "rs-relay"))

    assert authority.issue(request, member="rs", directory=members, at=AT).startswith(b"-----BEGIN CERTIFICATE-----")


def test_no_certificate_outlives_its_authority(authority: Authority, tmp_path: Path) -> None:
    end = authority.certificate.not_valid_after_utc
    (request,) = read_requests(make_request(tmp_path / "key.pem", "rs-relay"))

    pem = authority.issue(request, member="rs", directory=MEMBERS, at=end - timedelta(days=1))

    assert x509.load_pem_x509_certificate(pem).not_valid_after_utc == end


def test_the_newest_authority_that_the_list_names_issues(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    old = make_authority(keys / "authority-1.pem", "see", at=AT)
    new = make_authority(keys / "authority-2.pem", "see", at=AT + timedelta(days=1))

    assert load_authority(keys, [old]).certificate == x509.load_pem_x509_certificate(old.encode())
    assert load_authority(keys, [old, new]).certificate == x509.load_pem_x509_certificate(new.encode())


def test_an_authority_that_the_list_does_not_name_issues_nothing(tmp_path: Path) -> None:
    make_authority(tmp_path / "keys" / "authority-1.pem", "see", at=AT)
    other = make_authority(tmp_path / "other" / "authority-1.pem", "see", at=AT)

    with pytest.raises(UnavailableError) as refused:
        load_authority(tmp_path / "keys", [other])

    assert refused.value.code == "E_AUTHORITY"


def test_several_requests_travel_in_one_file(tmp_path: Path) -> None:
    names = ("rs-relay", "rs-router", "rs-inbox-ncp")

    pem = b"".join(make_request(tmp_path / f"{name}.pem", name) for name in names)

    assert tuple(request.name for request in read_requests(pem)) == names


def _signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _with_another_key(tmp_path: Path) -> bytes:
    request = x509.load_pem_x509_csr(make_request(tmp_path / "key.pem", "rs-relay"))
    other = x509.load_pem_x509_csr(make_request(tmp_path / "other.pem", "rs-relay"))
    old, new = (one.tbs_certrequest_bytes for one in (request, other))
    der = request.public_bytes(Encoding.DER).replace(old, new)
    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)


def _of_another_version(tmp_path: Path) -> bytes:
    request = x509.load_pem_x509_csr(make_request(tmp_path / "key.pem", "rs-relay"))
    der = request.public_bytes(Encoding.DER).replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + body + b"-----END CERTIFICATE REQUEST-----\n"


def test_a_request_that_proves_nothing_is_refused(tmp_path: Path) -> None:
    key, common = ec.generate_private_key(ec.SECP256R1()), x509.NameAttribute(NameOID.COMMON_NAME, "rs-relay")
    bad = {
        "nothing": b"",
        "no PEM": b"rs-relay",
        "garbage": b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "no name": _signed(x509.Name([]), key),
        "two names": _signed(x509.Name([common, x509.NameAttribute(NameOID.COMMON_NAME, "at-relay")]), key),
        "more than a name": _signed(x509.Name([common, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")]), key),
        "RSA": _signed(common_name("rs-relay"), rsa.generate_private_key(65537, 2048)),
        "another curve": _signed(common_name("rs-relay"), ec.generate_private_key(ec.SECP384R1())),
        "another's signature": _with_another_key(tmp_path),
        "another version": _of_another_version(tmp_path),
        "too much": b" " * 65537,
    }
    for what, pem in bad.items():
        with pytest.raises(BadInputError) as refused:
            read_requests(pem)
        assert refused.value.code == "E_CERTIFICATE_REQUEST", what


@pytest.mark.parametrize("host", ["", "../rs-relay", "a b", "*.example.org", "bröker", "a" * 65])
def test_what_is_no_host_gets_no_certificate(authority: Authority, tmp_path: Path, host: str) -> None:
    (request,) = read_requests(make_request(tmp_path / "key.pem", "broker"))

    with pytest.raises(BadInputError) as refused:
        authority.issue_for_server(request, [host], at=AT)

    assert refused.value.code == "E_CERTIFICATE_HOST"
