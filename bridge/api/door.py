"""Who asks, and whether they may: the token, its scope, and how often it was used.

Every route finds out who asks before it reads a body (`StrictRoute`), and names the scope that it takes by its
dependency; without one it is nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from bridge.api.parts import parts_of
from bridge.app.integrating.tokens import Scope, System
from bridge.core.errors import RefusedError

FOUND: Final = "ncp_system"  # in a request's scope, for the route and for the log
_bearer: Final = HTTPBearer(
    auto_error=False, bearerFormat="ncpb_…", description="A token from `ncp-bridge tokens add`, for one contact point."
)


async def find_system(request: Request) -> None:
    """Finds out whose token this is, and counts.

    Raises:
        RefusedError: `E_TOKEN`, `E_TOO_MANY`.
    """
    parts = parts_of(request)
    host, now = request.client.host if request.client else "", parts.clock.now()
    try:
        found = await parts.tokens.system(await _token(request))
    except RefusedError:
        if not parts.failing.take(host, now):
            raise _too_many() from None
        raise
    request.scope[FOUND] = found
    if not parts.asking.take(found.name, now):
        raise _too_many()


async def check_again(request: Request) -> None:
    """Whether the token is still in force, for a request that has waited.

    Raises:
        RefusedError: `E_TOKEN`.
    """
    await parts_of(request).tokens.system(await _token(request))


def with_scope(scope: Scope) -> Callable[..., Awaitable[System]]:
    """The dependency of a route that takes this scope; it answers who asks."""
    shown = Security(_bearer, scopes=[scope.value])  # in the description

    async def system(request: Request, _credentials: HTTPAuthorizationCredentials | None = shown) -> System:
        found: System = request.scope[FOUND]
        if scope not in found.scopes:
            raise RefusedError("E_SCOPE_MISSING", f"the token {found.name} has not the scope {scope.value}")
        return found

    return system


async def _token(request: Request) -> str:
    """What is shown; nothing where there are two of them."""
    credentials = await _bearer(request) if len(request.headers.getlist("authorization")) == 1 else None
    return credentials.credentials if credentials else ""


def _too_many() -> RefusedError:
    return RefusedError("E_TOO_MANY", "too many requests; the header Retry-After says when to come again")
