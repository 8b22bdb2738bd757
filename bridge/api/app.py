"""The interface's ASGI application: the routes, problems as answers, headers around them."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.api import alerts, inbox, reference, webhooks
from bridge.api.door import FOUND
from bridge.api.examples import show
from bridge.api.parts import Parts
from bridge.api.problems import PREFIX, RESPONSES, ProblemDetails, answer_error, answer_http, answer_invalid
from bridge.core.errors import BridgeError

VERSION: Final = "1.0.0"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_TWO_YEARS: Final = "max-age=63072000"

_log = structlog.get_logger()


def api_app(parts: Parts, *, origin: str) -> ASGIApp:
    """The application over one node's use cases; `origin` is where systems find it."""
    app = _routed()
    app.state.parts = parts
    app.add_exception_handler(BridgeError, answer_error)
    app.add_exception_handler(Exception, answer_error)  # and is raised again, for the log
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http)
    app.mount("/api/schemas", StaticFiles(directory=_contract()))
    app.add_route(reference.PATH, reference.to_its_first_page)
    app.mount(reference.PATH, reference.Reference())
    app.openapi = described  # type: ignore[method-assign]  # as FastAPI's own documentation does it
    return _Told(app, only_https=origin.startswith("https://"))


@cache
def described() -> dict[str, Any]:
    """The OpenAPI description, with our problems in the place of FastAPI's own form of a validation error."""
    document = _routed().openapi()
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem_schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem_schema.pop("$defs", {})
    schemas["ProblemDetails"] = problem_schema
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            show(operation)
    return document


def _routed() -> FastAPI:
    app = FastAPI(
        title="NCP Bridge",
        version=VERSION,
        summary="Alerts about trafficking routes between national contact points.",
        description="A token is for one contact point. Times are in UTC; failures are problem details (RFC 9457).",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=RESPONSES,
    )
    routes = APIRouter(prefix=PREFIX)
    for module in (alerts, inbox, webhooks):
        routes.include_router(module.router)
    app.include_router(routes)
    return app


def _contract() -> Path:
    """The folder of the schemas: inside the package where it was installed, beside it in a clone."""
    package = Path(__file__).parents[1]
    inside = package / "schemas"
    return inside if inside.is_dir() else package.parent / "schemas"


class _Told:
    """Every answer has the headers, and a line in the log: who asked for what, how that ended; no body, no query."""

    def __init__(self, app: ASGIApp, *, only_https: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, **({"Strict-Transport-Security": _TWO_YEARS} if only_https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        if scope["type"] != "http":
            return
        began, status = time.monotonic(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - it was answered; the server would print frames with data in them
            _log.error("api.failed", path=_route(scope), kind=type(error).__name__)
        seconds = round(time.monotonic() - began, 3)
        name = scope[FOUND].name if FOUND in scope else None
        _log.info("api.answered", name=name, path=_route(scope), status=status, seconds=seconds)


def _route(scope: Scope) -> str:
    """The route's own form, never what was asked for: that may be a stranger's text."""
    route = scope.get("route")
    return f"{scope['method']} {getattr(route, 'path', 'elsewhere')}"
