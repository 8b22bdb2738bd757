"""The network's certificate authority: who may sign in to the broker under which account, and which broker is ours.

Rules:
1. An account's certificate goes only to a request for exactly that name, from the member of which whoever issues says
   that it asks, and only while the membership list has a contact point of that member, and of no other, with that
   account which is not suspended.
2. What a request asks for besides its name is not looked at: the extensions are ours. A server's name is ours, too.
3. Certificates live briefly; there is no list of revoked ones. Whoever is to be shut out loses the broker account.
4. An authority counts while the membership list names it. Its own last day is far off, so that nobody's forgetting it
   stops the network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from bridge.adapters.certificates.requests import Request, common_name, read_key
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.private_files import write_private

KEYS: Final = "authority-*.pem"
LIFETIME: Final = timedelta(days=90)
AUTHORITY_LIFETIME: Final = timedelta(days=3650)
_NUMBER: Final = re.compile(r"authority-([0-9]+)\.pem\Z")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
EARLIER: Final = timedelta(minutes=10)  # valid before it was made: the clocks of others may be behind


@dataclass(frozen=True, slots=True)
class Authority:
    """A key that issues, and the certificate under which the membership list names it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def issue(
        self, request: Request, *, member: str, directory: Directory, at: datetime, lifetime: timedelta = LIFETIME
    ) -> bytes:
        """A certificate (PEM) with which the account that the request names signs in to the broker.

        Raises:
            RefusedError: `E_CERTIFICATE_ACCOUNT`, the member (`rs`) has no such account in the list, or is suspended.
        """
        check_account(directory, member, request.name)
        builder = self._builder(request, at, lifetime).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        return self._signed(builder)

    def issue_for_server(
        self, request: Request, hosts: Sequence[str], *, at: datetime, lifetime: timedelta = LIFETIME
    ) -> bytes:
        """A certificate (PEM) with which a broker proves that it is found under these names or addresses.

        The first of them is its name; the request's is not looked at.

        Raises:
            BadInputError: `E_CERTIFICATE_HOST`, one of them is no host name.
        """
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = (
            self._builder(replace(request, name=hosts[0]), at, lifetime)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(names, critical=False)
        )
        return self._signed(builder)

    def _builder(self, request: Request, at: datetime, lifetime: timedelta) -> x509.CertificateBuilder:
        issuer = self.certificate.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(common_name(request.name))
            .issuer_name(self.certificate.subject)
            .public_key(request.public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - EARLIER)
            .not_valid_after(min(at + lifetime, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_p256(issuer)), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def make_authority(key_file: Path, network: str, *, at: datetime) -> str:
    """Makes an authority: its key in a new private file, its certificate (PEM) for the membership list.

    Raises:
        FileExistsError: the file is there already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    name = common_name(f"{network} broker {key_file.stem}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - EARLIER)
        .not_valid_after(at + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def next_key_file(keys: Path) -> Path:
    """Where the key of the next authority goes."""
    numbers = [int(found[1]) for path in keys.glob(KEYS) if (found := _NUMBER.match(path.name))]
    return keys / f"authority-{max(numbers, default=0) + 1}.pem"


def load_authority(keys: Path, certificates: Iterable[str]) -> Authority:
    """The newest authority whose key lies in the folder and whose certificate is one of these, the list's.

    Raises:
        UnavailableError: `E_AUTHORITY`, there is none; or a key file cannot be read.
    """
    named = [x509.load_pem_x509_certificate(pem.encode("ascii")) for pem in certificates]
    by_point = {_p256(certificate.public_key()).public_numbers(): certificate for certificate in named}
    found = []
    for path in keys.glob(KEYS):
        key = read_key(path)
        certificate = by_point.get(key.public_key().public_numbers())
        if certificate is not None:
            found.append(Authority(certificate, key))
    if not found:
        raise UnavailableError("E_AUTHORITY", f"{keys}: the key of no authority in the membership list is here")
    return max(found, key=lambda authority: authority.certificate.not_valid_before_utc)


def check_account(directory: Directory, member: str, account: str) -> None:
    """Refuses an account that no contact point of the list has, or another member's, or only suspended ones.

    Raises:
        RefusedError: `E_CERTIFICATE_ACCOUNT`.
    """
    holders = [point for point in directory.contact_points.values() if account in point.accounts.values()]
    if not holders:
        raise RefusedError("E_CERTIFICATE_ACCOUNT", f"no contact point in the membership list has an account {account}")
    others = sorted({point.prefix for point in holders} - {member})
    if others:
        raise RefusedError("E_CERTIFICATE_ACCOUNT", f"{account} is an account of {', '.join(others)}, not of {member}")
    if all(point.suspended is not None for point in holders):
        raise RefusedError("E_CERTIFICATE_ACCOUNT", f"{account}: {holders[0].id} is suspended: {holders[0].suspended}")


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if _HOST.match(host) is None:
            detail = f"found {host[:64]!r}, expected a host's name of at most 64 characters, or an address"
            raise BadInputError("E_CERTIFICATE_HOST", detail) from None
        return x509.DNSName(host)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UnavailableError("E_AUTHORITY", "an authority in the membership list has no P-256 key")
    return key
