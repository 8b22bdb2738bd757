"""A node's certificates: for each broker account one private file with the key and the certificate on it.

```
certificates/<account>.pem        in use      certificates/<account>.waiting    the key of a request without an answer
```
Rules:
1. Key and certificate are one file, replaced in one step: there is no moment with a pair that does not match.
2. A certificate is put in its place only when the membership list's authority issued it, for that account, on the key
   that waits for it, and it holds now. All of an answer is checked before any of it is put in its place; where somebody
   is interrupted, the same answer again does the rest.
3. The key is protected by its file's mode alone, as a password is: it lives for 90 days and opens no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridge.adapters.certificates.requests import FILE_FAULT, make_request, name_in, read_key
from bridge.core.certificates import CertificateTimes
from bridge.core.errors import RefusedError, UnavailableError
from bridge.private_files import read_private, replace_private

REFUSED: Final = "E_CERTIFICATE"


def certificate_file(folder: Path, account: str) -> Path:
    """Where an account's key and certificate lie."""
    return folder / f"{account}.pem"


def request_certificates(folder: Path, accounts: Iterable[str]) -> dict[str, bytes]:
    """A request (PEM) for each account; its key waits in the folder for the answer.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`, a key cannot be read or written.
    """
    try:
        return {account: make_request(_waiting(folder, account), account) for account in accounts}
    except OSError as error:
        raise UnavailableError(FILE_FAULT, f"{error.filename}: {error.strerror}") from None


def install_certificates(
    folder: Path, pem: bytes, *, accounts: Iterable[str], authorities: Iterable[str], at: datetime
) -> Sequence[CertificateTimes]:
    """Puts certificates in the place of those in use; answers which.

    Args:
        folder: of the node's certificates.
        pem: one or several certificates, as the secretariat answers.
        accounts: those of this node.
        authorities: the membership list's, in PEM.
        at: now.

    Raises:
        RefusedError: `E_CERTIFICATE`, one of them is not what was asked for; nothing was changed.
        UnavailableError: `E_CERTIFICATE_FILE`, a file cannot be read or written.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
    except (ValueError, x509.InvalidVersion):
        raise RefusedError(REFUSED, "found no certificates, expected PEM with BEGIN CERTIFICATE") from None
    issuers = [x509.load_pem_x509_certificate(authority.encode("ascii")) for authority in authorities]
    new = {}
    for certificate in found:
        account = name_in(certificate.subject)
        if account is None or account not in accounts:
            raise RefusedError(REFUSED, f"{certificate.subject.rfc4514_string()}: no account of this node")
        _check(certificate, account, issuers, at)
        waiting = _waiting(folder, account)
        key = read_key(waiting) if waiting.exists() else None
        if key is not None and key.public_key() == certificate.public_key():
            private_bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            new[account] = private_bytes + certificate.public_bytes(Encoding.PEM)
        elif not certificate_file(folder, account).exists() or _in_use(folder, account) != certificate:
            other = "the certificate is on another key than the request that waits"
            fault = "no request of this node waits for a certificate" if key is None else other
            raise RefusedError(REFUSED, f"{account}: {fault}")  # otherwise: in use since before an interruption
    try:
        for account, data in new.items():
            replace_private(certificate_file(folder, account), data)
            _waiting(folder, account).unlink()
    except OSError as error:
        raise UnavailableError(FILE_FAULT, f"{error.filename}: {error.strerror}") from None
    return [times_of(certificate) for certificate in found]


def held_certificate(folder: Path, account: str) -> CertificateTimes:
    """The certificate with which an account signs in.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`, it is missing, others can read it, or it holds no certificate.
    """
    return times_of(_in_use(folder, account))


def times_of(certificate: x509.Certificate) -> CertificateTimes:
    """Whom a certificate is for, and how long it holds."""
    name = name_in(certificate.subject) or certificate.subject.rfc4514_string()
    return CertificateTimes(name, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _in_use(folder: Path, account: str) -> x509.Certificate:
    path = certificate_file(folder, account)
    try:
        return x509.load_pem_x509_certificate(read_private(path, code=FILE_FAULT))
    except (ValueError, x509.InvalidVersion):
        raise UnavailableError(FILE_FAULT, f"{path} holds no certificate") from None


def _waiting(folder: Path, account: str) -> Path:
    return folder / f"{account}.waiting"


def _check(certificate: x509.Certificate, account: str, issuers: Iterable[x509.Certificate], at: datetime) -> None:
    if not any(_is_issued_by(certificate, issuer) for issuer in issuers):
        raise RefusedError(REFUSED, f"{account}: no certificate authority of the membership list issued it")
    if not certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc:
        raise RefusedError(REFUSED, f"{account}: the certificate does not hold now; is this machine's clock right?")


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
