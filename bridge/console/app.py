"""The console's ASGI application: the pages of the access table behind the door, and our own files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from bridge.console.access import Page, all_pages
from bridge.console.banners import banners_for, waiting_for
from bridge.console.files import OwnFiles, address_of
from bridge.console.guard.door import NOT_FOUND, Door
from bridge.console.guard.headers import Headed
from bridge.console.parts import Parts

HERE: Final = Path(__file__).parent


def console_app(parts: Parts) -> ASGIApp:
    """The application over one node's use cases."""
    files, templates = _look()
    door = Door(parts, templates)
    routes: list[Route | Mount] = [_route(page, door) for page in all_pages()]
    answers = {HTTPException: _nothing_there(door), Exception: _failed(door)}
    app = Starlette(routes=[*routes, Mount("/static", files)], exception_handlers=answers)
    app.router.redirect_slashes = False
    return Headed(app, parts.origin)


@cache
def _look() -> tuple[OwnFiles, Environment]:
    """Files and templates of this installation: the same for every node of a process."""
    files = OwnFiles(HERE / "static")
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.globals |= {"file": address_of(files), "waiting_for": waiting_for, "banners_for": banners_for}
    return files, templates


def _route(page: Page, door: Door) -> Route:
    async def endpoint(request: Request) -> Response:
        return await door.answer(request, page)

    return Route(page.path, endpoint, methods=[page.method], name=page.name)


def _nothing_there(door: Door) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        response = await door.nothing_there(request)
        response.status_code = error.status_code if isinstance(error, HTTPException) else NOT_FOUND
        return response

    return answer


def _failed(door: Door) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        return door.failed(request, error)

    return answer
