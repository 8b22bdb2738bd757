"""The HTTP interface for national systems: where it is served, and how often a token may be used."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.settings.signs_of_life import LISTEN_PATTERN
from bridge.settings.web import WebSettings


class ApiSettings(WebSettings):
    """Where national systems find the interface.

    Attributes:
        requests_per_minute: of one token, and of one address that shows none; a token's 256 bits are not guessed.
        webhook_hosts: names and addresses, in small letters, that webhooks may be posted to although they are private
            or on this machine, where plain HTTP is taken, too.
    """

    listen: Annotated[str, Field(pattern=LISTEN_PATTERN)] = "8450"
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    webhook_hosts: tuple[Annotated[str, Field(pattern=r"^[^\sA-Z/@]+$", max_length=253)], ...] = ()
