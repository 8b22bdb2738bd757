"""The console's ASGI application: the pages of the access table behind the door, and our own files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bridge.console.access import Page, all_pages
from bridge.console.files import OwnFiles, address_of
from bridge.console.guard.door import Door
from bridge.console.parts import Parts

HERE: Final = Path(__file__).parent


def console_app(parts: Parts) -> Starlette:
    """The application over one node's use cases."""
    files = OwnFiles(HERE / "static")
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.globals["file"] = address_of(files)
    door = Door(parts, templates)
    routes: list[Route | Mount] = [_route(page, door) for page in all_pages()]
    return Starlette(routes=[*routes, Mount("/static", files)])


def _route(page: Page, door: Door) -> Route:
    async def endpoint(request: Request) -> Response:
        return await door.answer(request, page)

    return Route(page.path, endpoint, methods=[page.method], name=page.name)
