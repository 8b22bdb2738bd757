"""Certificates for the broker, from the request to the file in use; on one machine, or by files between two."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from bridge.adapters.certificates.authority import LIFETIME, Authority, load_authority
from bridge.adapters.certificates.files import install_certificates, request_certificates
from bridge.adapters.certificates.issued import latest_issued, note_issued
from bridge.adapters.certificates.requests import read_requests
from bridge.adapters.trust import TufRepository
from bridge.core.certificates import CertificateTimes
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, UnavailableError
from bridge.founding.joining import request_of

INDEX: Final = "certificates"


@dataclass(frozen=True, slots=True)
class Issued:
    """An answer to requests: the certificates in PEM, and until when each holds."""

    pem: bytes
    certificates: Sequence[CertificateTimes]


@dataclass(frozen=True, slots=True)
class Secretariat:
    """Whoever has the network's folder with the authority's key: issues, and keeps an index of what was issued.

    Attributes:
        directory: the membership list as of `at`, the moment at which everything is issued.
    """

    directory: Directory
    authority: Authority
    index: Path
    at: datetime

    @classmethod
    def of(cls, network: Path, *, at: datetime | None = None) -> Self:
        """That of a network's folder.

        Raises:
            RefusedError: the network does not verify.
            UnavailableError: no network is there, or no key of an authority.
        """
        now = at or datetime.now(UTC)
        repository = TufRepository(network)
        directory = repository.state(at=now).directory
        authority = load_authority(repository.keys, directory.certificate_authorities)
        return cls(directory, authority, network / INDEX, now)

    def certify(self, requests_pem: bytes, *, lifetime: timedelta = LIFETIME) -> Issued:
        """A certificate for each account that the requests name; for all of them or for none.

        Raises:
            BadInputError: a request does not hold.
            RefusedError: the membership list has no such account, or its member is suspended.
        """
        requests = read_requests(requests_pem)
        issued = [
            self.authority.issue(one, directory=self.directory, at=self.at, lifetime=lifetime) for one in requests
        ]
        return self._noted(issued)

    def certify_server(self, request_pem: bytes, hosts: Sequence[str], *, lifetime: timedelta = LIFETIME) -> Issued:
        """The certificate of a broker that is found under these names or addresses.

        Raises:
            BadInputError: it is not one request that holds, or a host is none.
        """
        requests = read_requests(request_pem)
        if len(requests) != 1:
            raise BadInputError("E_CERTIFICATE_REQUEST", f"found {len(requests)} requests, expected one for a server")
        return self._noted([self.authority.issue_for_server(requests[0], hosts, at=self.at, lifetime=lifetime)])

    def equip(self, folder: Path, accounts: Sequence[str]) -> Sequence[CertificateTimes]:
        """Makes keys and certificates for accounts in a folder of this machine, and puts them in use at once.

        Raises:
            RefusedError: the membership list has no such account, or its member is suspended.
            UnavailableError: a file cannot be read or written.
        """
        requests_pem = b"".join(request_certificates(folder, accounts).values())
        return self.answer(requests_pem, folder, accounts=accounts)

    def answer(self, requests_pem: bytes, folder: Path, *, accounts: Sequence[str]) -> Sequence[CertificateTimes]:
        """Certifies requests whose keys wait in a folder of this machine, and puts the certificates in use at once.

        Raises like `equip`.
        """
        return install_certificates(
            folder,
            self.certify(requests_pem).pem,
            accounts=accounts,
            authorities=self.directory.certificate_authorities,
            at=self.at,
        )

    def _noted(self, issued: Sequence[bytes]) -> Issued:
        try:
            return Issued(b"".join(issued), [note_issued(self.index, pem) for pem in issued])
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None


def requests_in(data: bytes) -> bytes:
    """The requests for certificates (PEM) in a file: one of a node's, or a request to be admitted.

    Raises:
        BadInputError: it is a request to be admitted that does not hold.
    """
    if not data.lstrip().startswith(b"{"):
        return data
    return "".join(request_of(data).certificates.values()).encode("ascii")


def issued_certificates(network: Path) -> Sequence[CertificateTimes]:
    """What the secretariat issued last for each name, those that end first in front."""
    return latest_issued(network / INDEX)


def renewal_request(folder: Path, accounts: Sequence[str], out: Path) -> str:
    """Writes the requests for new certificates of a node's accounts; answers the file's SHA-256 in hex.

    Raises:
        UnavailableError: a file cannot be read or written.
    """
    pem = b"".join(request_certificates(folder, accounts).values())
    try:
        out.write_bytes(pem)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{out}: {error.strerror}") from None
    return hashlib.sha256(pem).hexdigest()


def install_answer(
    folder: Path, accounts: Sequence[str], answer: Path, directory: Directory, *, at: datetime
) -> Sequence[CertificateTimes]:
    """Puts the secretariat's answer in use; raises like `install_certificates`."""
    try:
        pem = answer.read_bytes()
    except OSError as error:
        raise UnavailableError("E_FILE", f"{answer}: {error.strerror}") from None
    authorities = directory.certificate_authorities
    return install_certificates(folder, pem, accounts=accounts, authorities=authorities, at=at)
