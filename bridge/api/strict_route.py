"""What comes in is bounded and strict before anything looks at it: size, kind, depth, no member twice, no floats.

Nor is there a name in an address that means nothing. Every route of the interface is of this class, so that none can
forget it. No body is read before it is known whose it is; then it is read once, with a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from bridge.api.door import find_system
from bridge.core.errors import BadInputError, Problem, RefusedError
from bridge.core.wire import strict_json

MOST_BYTES: Final = 256 * 1024
BODY_SECONDS: Final = 15.0


class StrictRoute(APIRoute):
    """A route for those who have a token, with bodies that are strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()
        has_body = self.body_field is not None
        asked = frozenset(field.alias for field in self.dependant.query_params)

        async def answer_strictly(request: Request) -> Response:
            await find_system(request)
            if len(request.headers.getlist("idempotency-key")) > 1:
                raise BadInputError("E_FORMAT", "Idempotency-Key: expected one", path="header.Idempotency-Key")
            _check_names([name for name, _ in request.query_params.multi_items()], asked)
            if not has_body:
                return await answer(request)
            body: bytes | None = await _read(request.headers, request.receive)

            async def receive() -> Message:
                nonlocal body
                if body is None:
                    return await request.receive()
                whole, body = body, None
                return {"type": "http.request", "body": whole, "more_body": False}

            return await answer(Request(request.scope, receive))

        return answer_strictly


def _check_names(found: Sequence[str], asked: frozenset[str]) -> None:
    """A name that is misspelt would be passed over: `aftr` begins the inbox again."""
    if len(set(found)) < len(found) or not asked.issuperset(found):
        expected = f"{', '.join(sorted(asked))}, each at most once" if asked else "none"
        raise BadInputError.of((Problem("query", "other names, or one twice", expected, "E_FORMAT"),))


async def _read(headers: Headers, receive: Receive) -> bytes:
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
