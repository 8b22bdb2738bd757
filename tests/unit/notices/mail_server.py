"""A mail server on loopback that does what a test says: takes mail, refuses it, or says nothing."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """What it was told, and how it behaves."""

    tls: ssl.SSLContext | None = None
    account: str | None = None
    recipient_answer: str = "250 fine"
    hangs: bool = False
    port: int = 0
    mails: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, to its end."""
        if self.hangs:
            await reader.read()
        else:
            await self._say(writer, "220 here")
            while line := (await reader.readline()).decode().strip():
                self.seen.append(line)
                await self._answer(line, reader, writer)

    async def _answer(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verb = line.split(maxsplit=1)[0].upper()
        if verb == "EHLO":
            await self._say(writer, "250-here", "250-STARTTLS" if self.tls else "250-8BITMIME", "250 AUTH PLAIN")
        elif verb == "STARTTLS" and self.tls is not None:
            await self._say(writer, "220 go on")
            await writer.start_tls(self.tls)
        elif verb == "AUTH":
            given = base64.b64decode(line.split()[2]).decode()
            await self._say(writer, "235 fine" if given == self.account else "535 no")
        elif verb == "RCPT":
            await self._say(writer, self.recipient_answer)
        elif verb == "DATA":
            await self._say(writer, "354 go on")
            self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            await self._say(writer, "250 taken")
        else:
            await self._say(writer, "250 fine")

    async def _say(self, writer: asyncio.StreamWriter, *lines: str) -> None:
        writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await writer.drain()


@asynccontextmanager
async def mail_server(**given: object) -> AsyncIterator[MailServer]:
    """A server for the length of a test."""
    made = MailServer(**given)  # type: ignore[arg-type]
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        try:
            await made.talk(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for what closes connections
