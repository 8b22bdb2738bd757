"""Certificates for the broker, from the request to the file in use; on one machine, or by files between two."""

from __future__ import annotations

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

INDEX: Final = "certificates"


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

    def certify(self, requests_pem: bytes, *, lifetime: timedelta = LIFETIME) -> bytes:
        """A certificate (PEM) for each account that the requests name; for all of them or for none.

        Raises:
            BadInputError: a request does not hold.
            RefusedError: the membership list has no such account, or its member is suspended.
        """
        requests = read_requests(requests_pem)
        issued = [
            self.authority.issue(one, directory=self.directory, at=self.at, lifetime=lifetime) for one in requests
        ]
        return self._noted(issued)

    def certify_server(self, request_pem: bytes, hosts: Sequence[str], *, lifetime: timedelta = LIFETIME) -> bytes:
        """The certificate (PEM) of a broker that is found under these names or addresses.

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
        return install_certificates(
            folder,
            self.certify(requests_pem),
            accounts=accounts,
            authorities=self.directory.certificate_authorities,
            at=self.at,
        )

    def _noted(self, issued: Sequence[bytes]) -> bytes:
        try:
            for pem in issued:
                note_issued(self.index, pem)
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None
        return b"".join(issued)


def issued_certificates(network: Path) -> Sequence[CertificateTimes]:
    """What the secretariat issued last for each name, those that end first in front."""
    return latest_issued(network / INDEX)
