"""Posting to a national system's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class WebhookPoster(Protocol):
    """One attempt to hand something over."""

    async def post(self, url: str, body_bytes: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; nothing else of it is read.

        Raises:
            UnavailableError: no answer (`E_WEBHOOK_UNREACHABLE`), or an address that is not posted to
                (`E_WEBHOOK_ADDRESS`).
        """
        ...
