"""What a running process answers: `/livez`, `/readyz`, one check alone at `/checks/<name>`, figures at `/metrics`.

An answer holds names, states and sentences about this machine's dependencies: no word of a message, no secret, nothing
of a traceback. `/livez` says only that the process answers; restarting it does not bring a broker back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.app.checks.check_node import Check
from bridge.app.checks.process_health import ProcessHealth

READY: Final = 200
NOT_READY: Final = 503
NOT_FOUND: Final = 404
_HEADERS: Final = {"Cache-Control": "no-store"}


def health_app(health: ProcessHealth) -> Starlette:
    """The ASGI application over one process's checks."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"live": True, "pid": os.getpid(), "role": health.role}, headers=_HEADERS)

    async def readyz(_: Request) -> Response:
        return _answer(await health.checks())

    async def one(request: Request) -> Response:
        check = await health.check(request.path_params["name"])
        return JSONResponse({"ready": False, "checks": []}, NOT_FOUND) if check is None else _answer([check])

    async def metrics(_: Request) -> Response:
        if health.figures is None:
            return Response(status_code=NOT_READY, headers=_HEADERS)
        # Loaded by whoever is asked for figures: most processes never are.
        from bridge.health.metrics import CONTENT_TYPE, as_text  # noqa: PLC0415

        return Response(as_text(await health.figures()), media_type=CONTENT_TYPE, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/checks/{name}", one),
            Route("/metrics", metrics),
        ]
    )


def _answer(checks: Sequence[Check]) -> Response:
    ready = all(check.ok for check in checks)
    told = [{"name": check.name, "ok": check.ok, "state": check.state, "detail": check.detail} for check in checks]
    return JSONResponse({"ready": ready, "checks": told}, READY if ready else NOT_READY, headers=_HEADERS)
