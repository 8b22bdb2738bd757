"""Certificates for the broker, from the request to the file in use; on one machine, or by files between two."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from bridge.adapters.certificates.authority import LIFETIME, Authority, check_account, load_authority
from bridge.adapters.certificates.files import install_certificates, request_certificates
from bridge.adapters.certificates.issued import latest_issued, note_issued
from bridge.adapters.certificates.requests import Request, read_requests
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.certificates import CertificateTimes
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, UnavailableError
from bridge.founding.joining import refuse_unadmitted, request_of

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
        found: the membership list as of `at`, the moment at which everything is issued.
    """

    found: VerifiedList
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
        found = repository.verified(at=now)
        authority = load_authority(repository.keys, found.directory.certificate_authorities)
        return cls(found, authority, network / INDEX, now)

    @property
    def directory(self) -> Directory:
        """The membership list."""
        return self.found.directory

    def requests_of(self, member: str, data: bytes) -> Sequence[Request]:
        """What a member's file asks for: requests in PEM of its node, or its request to be admitted.

        Requests in PEM do not say from whom they are: that it is this member, people establish.

        Raises:
            BadInputError: a request does not hold.
            RefusedError: an account is not this member's, or it is suspended; the request to be admitted was not.
        """
        if data.lstrip().startswith(b"{"):
            asked = request_of(data)
            refuse_unadmitted(self.found, asked)
            data = "".join(asked.certificates.values()).encode("ascii")
        requests = read_requests(data)
        for one in requests:
            check_account(self.directory, member, one.name)
        return requests

    def certify(self, member: str, data: bytes, *, lifetime: timedelta = LIFETIME) -> Issued:
        """A certificate for each account for which a member's file asks; for all of them or for none.

        Raises like `requests_of`.
        """
        requests = self.requests_of(member, data)
        issued = [
            self.authority.issue(one, member=member, directory=self.directory, at=self.at, lifetime=lifetime)
            for one in requests
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

    def equip(self, folder: Path, member: str, accounts: Sequence[str]) -> Sequence[CertificateTimes]:
        """Makes keys and certificates for a member's accounts in a folder of this machine, and puts them in use.

        Raises:
            RefusedError: an account is not this member's, or it is suspended.
            UnavailableError: a file cannot be read or written.
        """
        requests_pem = b"".join(request_certificates(folder, accounts).values())
        return self.answer(requests_pem, folder, member, accounts=accounts)

    def answer(
        self, requests_pem: bytes, folder: Path, member: str, *, accounts: Sequence[str]
    ) -> Sequence[CertificateTimes]:
        """Certifies a member's requests whose keys wait in a folder of this machine, and puts the answer in use.

        Raises like `equip`.
        """
        return install_certificates(
            folder,
            self.certify(member, requests_pem).pem,
            accounts=accounts,
            authorities=self.directory.certificate_authorities,
            at=self.at,
        )

    def _noted(self, issued: Sequence[bytes]) -> Issued:
        try:
            return Issued(b"".join(issued), [note_issued(self.index, pem) for pem in issued])
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None


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
