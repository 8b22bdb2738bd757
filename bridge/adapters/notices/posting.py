"""One POST to a webhook, notice or event alike: bounded in time, no redirect followed, no proxy asked, nothing read.

Of the answer only the status is taken: its body, however long or slow, stays where it is.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import httpx

ANSWER_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 15.0
AUTHORITIES_SECONDS: Final = 600.0  # reading them takes 20 ms; others count after that time at the latest


async def post_once(
    url: str,
    body_bytes: bytes,
    headers: Mapping[str, str],
    *,
    authorities: str | None = None,
    server_name: str | None = None,
) -> int:
    """The status of the answer.

    Args:
        url: https, or http where the caller allows it.
        body_bytes: JSON.
        headers: besides the content type.
        authorities: of the server's certificate; `None`: those of this machine.
        server_name: whose certificate is expected, where `url` has an address in the place of a name.

    Raises:
        TimeoutError: it did not answer in time.
        httpx.HTTPError: it could not be reached, or did not speak HTTP.
        OSError: it could not be reached, or `authorities` cannot be read.
    """
    verify = _context(authorities, int(time.monotonic() // AUTHORITIES_SECONDS))
    try:
        async with (
            asyncio.timeout(WHOLE_SECONDS),
            httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=verify, trust_env=False) as client,
            client.stream(
                "POST",
                url,
                content=body_bytes,
                headers={"Content-Type": "application/json", **headers},
                extensions={} if server_name is None else {"sni_hostname": server_name},
            ) as answer,
        ):
            return answer.status_code
    except httpx.TimeoutException:
        raise TimeoutError from None


@lru_cache(maxsize=8)
def _context(authorities: str | None, _period: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)
