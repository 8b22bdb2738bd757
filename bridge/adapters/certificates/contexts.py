"""TLS as a broker account uses it: 1.2 at least, the host's name checked, only the membership list's authorities.

An authority that somebody drops into a file of this machine counts for nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bridge.adapters.certificates.files import certificate_file, held_certificate
from bridge.adapters.certificates.requests import FILE_FAULT
from bridge.core.errors import UnavailableError
from bridge.core.times import format_time


def account_context(folder: Path, account: str, *, authorities: Sequence[str], at: datetime) -> ssl.SSLContext:
    """For one connection with the certificate that lies in the account's file now.

    Raises:
        UnavailableError: `E_CERTIFICATE_FILE`, the file cannot be used; `E_CERTIFICATE_EXPIRED`, it has ended;
            `E_AUTHORITY`, the list names no authority.
    """
    if not authorities:
        raise UnavailableError("E_AUTHORITY", "the membership list names no certificate authority")
    path, held = certificate_file(folder, account), held_certificate(folder, account)
    if held.has_ended(at):
        ended = f"the certificate of {account} ended on {format_time(held.ends)}; see `ncp-bridge node certificates`"
        raise UnavailableError("E_CERTIFICATE_EXPIRED", ended)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_verify_locations(cadata="".join(authorities))
    try:
        context.load_cert_chain(path)
    except (ssl.SSLError, OSError):  # replaced between its two readings, or no key in it
        raise UnavailableError(FILE_FAULT, f"{path} holds no certificate with its key") from None
    return context
