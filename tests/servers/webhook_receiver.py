"""A national system's webhook on loopback that answers what a test says, and keeps what it was posted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Posted:
    """One POST as it came; names of headers in small letters."""

    headers: dict[str, str]
    body_bytes: bytes


@dataclass
class WebhookReceiver:
    """What it was posted, and how it behaves.

    Attributes:
        statuses: answered one after the other, the last of them for ever.
        hangs: answers nothing.
        behind: follows the head of an answer; what it promises need not come.
    """

    statuses: Sequence[str] = ("204 No Content",)
    hangs: bool = False
    behind: bytes = b"\r\n"
    url: str = ""
    posted: list[Posted] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body_bytes = await reader.readexactly(int(headers["content-length"]))
        status = self.statuses[min(len(self.posted), len(self.statuses) - 1)]
        self.posted.append(Posted(headers, body_bytes))
        if not self.hangs:
            writer.write(f"HTTP/1.1 {status}\r\n".encode() + self.behind)
            await writer.drain()
        await reader.read()


@asynccontextmanager
async def receiving(**given: object) -> AsyncIterator[WebhookReceiver]:
    """A receiver at a free port of loopback."""
    receiver = WebhookReceiver(**given)  # type: ignore[arg-type]
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await receiver.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for what closes connections
