"""What the secretariat issued: one file a certificate, so that it can be said what ends when.

`certificates/<name>-<serial number>.pem` in the network's folder. A successor stands beside its predecessor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from bridge.adapters.certificates.files import times_of
from bridge.adapters.certificates.requests import FILE_FAULT
from bridge.core.certificates import CertificateTimes
from bridge.core.errors import UnavailableError
from bridge.private_files import replace_private


def note_issued(folder: Path, pem: bytes) -> CertificateTimes:
    """Keeps a certificate in the index; raises `OSError` where it cannot be written."""
    certificate = x509.load_pem_x509_certificate(pem)
    found = times_of(certificate)
    replace_private(folder / f"{found.name}-{certificate.serial_number:x}.pem", pem)
    return found


def latest_issued(folder: Path) -> Sequence[CertificateTimes]:
    """The certificate that was issued last for each name, those that end first in front.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`, a file in the index is no certificate.
    """
    latest: dict[str, CertificateTimes] = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            found = times_of(x509.load_pem_x509_certificate(path.read_bytes()))
        except (ValueError, x509.InvalidVersion):
            raise UnavailableError(FILE_FAULT, f"{path} holds no certificate") from None
        latest[found.name] = max(found, latest.get(found.name, found), key=lambda one: (one.begins, one.ends))
    return sorted(latest.values(), key=lambda one: (one.ends, one.name))
