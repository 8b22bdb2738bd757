"""A broker that is reached by TLS only and lets accounts in by certificate only: its files, its settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bridge.adapters.certificates.requests import make_request
from bridge.founding.certificates import Secretariat
from broker.ports import LOOPBACK

HOSTS: Final = (LOOPBACK, "localhost")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a broker needs to prove itself, and to judge the certificates of accounts.

    Attributes:
        authorities: the membership list's, in PEM.
        certificate: with the name under which the broker is found.
        key: the private key to it.
    """

    authorities: Path
    certificate: Path
    key: Path

    def as_plan(self) -> dict[str, str]:
        """As a keeper is told."""
        return {name: str(path.resolve()) for name, path in asdict(self).items()}


def certify_broker(folder: Path, secretariat: Secretariat, *, hosts: tuple[str, ...] = HOSTS) -> TlsFiles:
    """Makes a new key for a broker in a folder and gets it a certificate, from whoever has the network's folder here.

    Raises:
        UnavailableError: a file cannot be written.
    """
    files = TlsFiles(folder / "authorities.pem", folder / "broker.pem", folder / "broker.key")
    files.key.unlink(missing_ok=True)
    request_pem = make_request(files.key, "broker")
    files.certificate.write_bytes(secretariat.certify_server(request_pem, hosts).pem)
    files.authorities.write_text("".join(secretariat.directory.certificate_authorities), "ascii")
    return files
