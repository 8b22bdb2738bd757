"""The HTTP interface over a node's files: an application in this process, and systems with tokens at it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bridge.api.app import api_app
from bridge.app.integrating.tokens import Scope
from bridge.compose.api import api_parts, tokens_of
from bridge.compose.node import Node, open_node
from bridge.settings import load_settings
from bridge.settings.api import ApiSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ALL = tuple(Scope)
HERE = "http://bridge.example"
SECONDS = 60


@dataclass
class Interface:
    """The interface of one node, and what a system at it does."""

    node: Node
    app: ASGIApp
    systems: int = 0

    async def system(self, *scopes: str, contact_point: str | None = None) -> httpx.AsyncClient:
        """A system with a token of these scopes, all of them where none is named."""
        self.systems += 1
        token, _ = await tokens_of(self.node).add(
            f"system-{self.systems}",
            contact_point=contact_point or self.node.hosted[-1],
            scopes=scopes or ALL,
            by="test",
        )
        return self.with_token(token)

    def with_token(self, token: str | None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        return httpx.AsyncClient(transport=transport, base_url=f"{HERE}/api/v1", headers=headers)


@asynccontextmanager
async def interface(config: Path, **settings: int) -> AsyncIterator[Interface]:
    """The interface of the node that this file describes."""
    async with open_node(load_settings(config)) as node:
        given = ApiSettings(**settings)
        yield Interface(node, api_app(api_parts(node, given), origin=given.origin))


@contextmanager
def serving(config: Path, *lines: str) -> Iterator[int]:
    """A process that serves the interface of a node, with these lines more in its settings; answers the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    table = "\n".join(("", "[api]", f'listen = "{port}"', *lines, ""))
    config.write_text(config.read_text("utf-8") + table, "utf-8")
    ready = config.parent / "ready"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "bridge", "run", "api", "--config", config, "--ready-file", ready],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + SECONDS
        while not ready.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def key() -> dict[str, str]:
    """The header with a key that was never used."""
    return {"idempotency-key": str(uuid.uuid4())}


def code(answer: httpx.Response) -> tuple[int, str]:
    """How a request failed."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["code"]
