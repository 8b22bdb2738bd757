"""How a failure is answered: `application/problem+json` (RFC 9457) with the stable code of the error."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from bridge.api.examples import PROBLEM, header
from bridge.core.errors import BadInputError, BridgeError, Problem, RefusedError, UnavailableError

RETRY_SECONDS: Final = "5"
TYPE: Final = "application/problem+json"
PREFIX: Final = "/api/v1"
_STATUS: Final[Mapping[str, HTTPStatus]] = {
    "E_TOKEN": HTTPStatus.UNAUTHORIZED,
    "E_SCOPE_MISSING": HTTPStatus.FORBIDDEN,
    "E_NOT_AUTHORISED": HTTPStatus.FORBIDDEN,
    "E_UNKNOWN_MESSAGE": HTTPStatus.NOT_FOUND,
    "E_UNKNOWN_WEBHOOK": HTTPStatus.NOT_FOUND,
    "E_UNKNOWN_DELIVERY": HTTPStatus.NOT_FOUND,
    "E_NOT_FOUND": HTTPStatus.NOT_FOUND,
    "E_METHOD": HTTPStatus.METHOD_NOT_ALLOWED,
    "E_NO_BODY": HTTPStatus.GONE,
    "E_SIZE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "E_CONTENT_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "E_JSON": HTTPStatus.BAD_REQUEST,
    "E_TOO_MANY": HTTPStatus.TOO_MANY_REQUESTS,
    "E_KEY_REUSED": HTTPStatus.UNPROCESSABLE_ENTITY,
}
_BY_CLASS: Final[tuple[tuple[type[BridgeError], HTTPStatus], ...]] = (
    (BadInputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RefusedError, HTTPStatus.CONFLICT),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (BridgeError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


class ProblemItem(BaseModel):
    """One fault of what was sent."""

    path: str
    found: str
    expected: str
    code: str
    suggestion: str | None = None


class ProblemDetails(BaseModel):
    """Why a request failed. `code` is stable, `detail` is one sentence for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    path: str | None = None
    errors: list[ProblemItem] | None = None


def problem(error: BridgeError) -> JSONResponse:
    """The answer to an error that was raised on purpose."""
    status = _STATUS.get(error.code) or next(status for kind, status in _BY_CLASS if isinstance(error, kind))
    errors = [item(one) for one in error.problems] if isinstance(error, BadInputError) else []
    details = ProblemDetails(
        title=status.phrase,
        status=status,
        code=error.code,
        detail=error.message,
        path=error.path,
        errors=errors or None,
    )
    headers = {}
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        headers["Retry-After"] = RETRY_SECONDS
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="ncp-bridge"'
    return JSONResponse(details.model_dump(exclude_none=True), int(status), headers, media_type=TYPE)


def item(fault: Problem) -> ProblemItem:
    """A fault as it is answered."""
    return ProblemItem(
        path=fault.path, found=fault.found, expected=fault.expected, code=fault.code, suggestion=fault.suggestion
    )


async def answer_error(_request: Request, error: Exception) -> JSONResponse:
    """Answers what was raised on purpose."""
    return problem(error if isinstance(error, BridgeError) else BridgeError("E_INTERNAL", "internal fault"))


async def answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    """Answers what has not the form of its route; what stood there is not repeated."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    problems = tuple(
        Problem(_path(one["loc"]), "another value", one["msg"].lower(), "E_FORMAT") for one in faults[:100]
    )
    return problem(BadInputError.of(problems))


async def answer_http(request: Request, error: Exception) -> JSONResponse:
    """Answers what the router found: no such address, or another method."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response = problem(RefusedError("E_METHOD", "this address takes other methods; the header Allow names them"))
        response.headers["Allow"] = _allow(request, error)
        return response
    return problem(
        RefusedError("E_NOT_FOUND", "there is nothing at this address; /api/openapi.json says what there is")
    )


def _allow(request: Request, error: HTTPException) -> str:
    """What the address takes, by the description: the router names the methods of the first route that has it."""
    path = f"{PREFIX}{getattr(request.scope.get('route'), 'path', '')}"
    described: Mapping[str, object] = request.app.openapi()["paths"].get(path, {})
    return ", ".join(sorted(map(str.upper, described))) or (error.headers or {}).get("Allow", "")


def _path(location: tuple[Any, ...]) -> str:
    """`$.officer` for what is in a body, `query.limit` elsewhere."""
    where, *rest = location
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return f"${named}" if where == "body" else f"{where}{named}"


_CONTENT: Final = {TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
_EXAMPLE: Final = {TYPE: {**_CONTENT[TYPE], "example": PROBLEM}}
_RETRY: Final = {"Retry-After": header("Seconds until it is worth trying again.")}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "401": {"description": "No token, or none that is in force (E_TOKEN).", "content": _CONTENT},
    "403": {"description": "The token has not the scope of this request (E_SCOPE_MISSING).", "content": _CONTENT},
    "429": {"description": "Too many requests of this token (E_TOO_MANY).", "content": _CONTENT, "headers": _RETRY},
    "503": {
        "description": "Something that the node needs is away (E_DATABASE and others): try again, with the same key.",
        "content": _CONTENT,
        "headers": _RETRY,
    },
    "default": {"description": "A failure, with a stable code and a sentence for people.", "content": _EXAMPLE},
}
