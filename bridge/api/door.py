"""Who asks, and whether they may: the token, its scope, and how often it was used.

A route names the scope that it takes by its dependency; without one it is nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from bridge.api.parts import parts_of
from bridge.app.integrating.tokens import Scope, System
from bridge.core.errors import RefusedError

_bearer: Final = HTTPBearer(
    auto_error=False, bearerFormat="ncpb_…", description="A token from `ncp-bridge tokens add`, for one contact point."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def with_scope(scope: Scope) -> Callable[[Request, Credentials], Awaitable[System]]:
    """The dependency of a route that takes this scope; it answers who asks."""

    async def system(request: Request, credentials: Credentials) -> System:
        parts = parts_of(request)
        host, now = request.client.host if request.client else "", parts.clock.now()
        try:
            found = await parts.tokens.system(credentials.credentials if credentials else "")
        except RefusedError:
            if not parts.failing.take(host, now):
                raise _too_many() from None
            raise
        request.scope["ncp_system"] = found.name
        if not parts.asking.take(found.name, now):
            raise _too_many()
        if scope not in found.scopes:
            raise RefusedError("E_SCOPE_MISSING", f"the token {found.name} has not the scope {scope.value}")
        return found

    return system


def _too_many() -> RefusedError:
    return RefusedError("E_TOO_MANY", "too many requests; the header Retry-After says when to come again")
