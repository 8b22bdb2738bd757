"""The contract to read in a browser: pages written by scripts/reference.py, with nothing from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PATH: Final = "/api/reference"
# Of these pages only: the interface's own answers may load nothing at all.
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGES: Final = Path(__file__).parent / "static" / "reference"


class Reference(StaticFiles):
    """The pages, allowed to load their own style sheet."""

    def __init__(self) -> None:
        super().__init__(directory=_PAGES, html=True)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A page, or its style sheet."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def to_its_first_page(request: Request) -> Response:  # noqa: ARG001 - its signature
    """To where the pages' links to each other lead somewhere."""
    return RedirectResponse(f"{PATH}/")
