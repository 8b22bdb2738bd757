"""Requests for certificates: the private key stays where it was made, the request goes to the network's secretariat.

Several requests travel in one file, one PEM block after the other. A request proves that its sender has the key, and
nothing else: whether an account is that member's, the secretariat knows from whom it has the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from bridge.core.errors import BadInputError, UnavailableError
from bridge.private_files import read_private, write_private

FILE_FAULT: Final = "E_CERTIFICATE_FILE"
MAX_REQUEST_BYTES: Final = 64 * 1024
_REQUEST: Final = re.compile(
    rb"-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----\r?\n?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose signature was verified.

    Attributes:
        name: what is to stand in the certificate: a broker account, or a server's name.
        public_key: on P-256; the sender has the private one.
    """

    name: str
    public_key: ec.EllipticCurvePublicKey


def make_request(key_file: Path, name: str) -> bytes:
    """The request (PEM) for a certificate on the key in a private file, which is made where there is none.

    Asking again with the same key keeps the answer to an earlier request usable.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`, the file is no P-256 key, or others can read it.
    """
    if not key_file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    builder = x509.CertificateSigningRequestBuilder().subject_name(common_name(name))
    return builder.sign(read_key(key_file), hashes.SHA256()).public_bytes(Encoding.PEM)


def read_key(key_file: Path) -> ec.EllipticCurvePrivateKey:
    """The P-256 key in a private file.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`.
    """
    try:
        key = load_pem_private_key(read_private(key_file, code=FILE_FAULT), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnavailableError(FILE_FAULT, f"{key_file} holds no private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnavailableError(FILE_FAULT, f"{key_file} holds no P-256 key")
    return key


def read_requests(pem: bytes) -> tuple[Request, ...]:
    """The requests in a file, each verified.

    Raises:
        BadInputError: `E_CERTIFICATE_REQUEST`, there is none, or one of them is no request for one name on a P-256 key.
    """
    if len(pem) > MAX_REQUEST_BYTES:
        raise _bad(f"expected at most {MAX_REQUEST_BYTES} bytes")
    found = tuple(_read(block) for block in _REQUEST.findall(pem))
    if not found:
        raise _bad("found no request, expected PEM with BEGIN CERTIFICATE REQUEST")
    return found


def common_name(name: str) -> x509.Name:
    """The subject with this common name and nothing else: the broker takes it for the account."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def name_in(subject: x509.Name) -> str | None:
    """The one common name of a subject that has nothing else."""
    attributes = list(subject)
    if len(attributes) != 1 or attributes[0].oid != NameOID.COMMON_NAME:
        return None
    value = attributes[0].value
    return value if isinstance(value, str) else None


def _read(block: bytes) -> Request:
    try:
        request = x509.load_pem_x509_csr(block)
        public_key, name = request.public_key(), name_in(request.subject)
        signed = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise _bad("one of them cannot be read") from None
    if name is None:
        raise _bad("expected a subject with one common name and nothing else")
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise _bad(f"{name}: expected a P-256 key")
    if not signed:
        raise _bad(f"{name}: the signature does not hold")
    return Request(name, public_key)


def _bad(detail: str) -> BadInputError:
    return BadInputError("E_CERTIFICATE_REQUEST", f"the certificate requests: {detail}")
