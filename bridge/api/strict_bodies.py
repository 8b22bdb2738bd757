"""What comes in is bounded and strict before anything looks at it: size, kind, depth, no member twice, no floats.

It stands before the routes, so that no route can forget it. A body is read once, with a deadline, and handed on whole.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.api.problems import problem
from bridge.core.errors import BadInputError, BridgeError, RefusedError
from bridge.core.wire import strict_json

MOST_BYTES: Final = 256 * 1024
BODY_SECONDS: Final = 15.0


class StrictBodies:
    """An application that gets only bodies which are strict JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or hands on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(Headers(scope=scope), receive)
        except BridgeError as error:
            await problem(error)(scope, receive, send)
            return

        async def receive_body() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            whole, body = body, None
            return {"type": "http.request", "body": whole, "more_body": False}

        await self._app(scope, receive_body, send)


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError("E_CONTENT_TYPE", "Content-Type: expected application/json")
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadInputError("E_JSON", "the body ended before it was whole")
                part = message.get("body", b"")
                size += len(part)
                if size > MOST_BYTES:
                    raise RefusedError("E_SIZE", f"the body: expected at most {MOST_BYTES} bytes")
                parts.append(part)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise BadInputError("E_JSON", f"the body: expected all of it within {BODY_SECONDS:.0f} s") from None
    body = b"".join(parts)
    try:
        strict_json.parse_object(body)
    except strict_json.StrictJsonError as error:
        raise BadInputError("E_JSON", f"the body: {error.for_author}") from None
    return body
