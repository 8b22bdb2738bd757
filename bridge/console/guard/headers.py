"""What every answer carries: nothing but our own files may be loaded, nobody may frame a page, nothing is kept.

It stands around the whole application, so that no answer is without: not a fault's, not that of an address unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types ncp-bridge"
)
PAGE_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, browsers send forms from the origin `null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
UNCACHED: Final = "no-store"
"""Nothing of a message stays in a browser's cache; only our own files say otherwise."""
_TWO_YEARS: Final = "max-age=63072000"

_log = structlog.get_logger()


class Headed:
    """An application whose every answer has the headers; why one failed is in the log only, without its data."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        """`origin`: where browsers find it; over https they are told to never come without."""
        self._app = app
        only_https = {"Strict-Transport-Security": _TWO_YEARS} if origin.startswith("https://") else {}
        self._headers: Mapping[str, str] = {**PAGE_HEADERS, **only_https, "Cache-Control": UNCACHED}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - it was answered; the server would print frames with data in them
            _log.error("console.failed", page=scope.get("ncp_page", ""), kind=type(error).__name__)
