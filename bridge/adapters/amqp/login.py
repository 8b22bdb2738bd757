"""How an account gets to the broker: with a password in the URL, or with the certificate in a TLS context."""

from __future__ import annotations

import ssl
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    """What one round of attempts to connect goes by.

    Attributes:
        urls: `amqp://` or `amqps://`, one or those of a cluster's nodes; `?auth=external`: the certificate signs in.
        ssl_context: for `amqps://`; without one the library's own, which trusts whom this machine trusts.
        version: another one when another certificate or authority counts; a connection then has to be made anew.
    """

    urls: Sequence[str]
    ssl_context: ssl.SSLContext | None = None
    version: Hashable = None
