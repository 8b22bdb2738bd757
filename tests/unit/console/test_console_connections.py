"""The console over real connections: whoever says nothing, or little at a time, is hung up on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from console_world import World

from bridge.console.guard import door
from bridge.web import serving
from bridge.web.serving import WebService

HEAD = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nOrigin: https://console.example\r\nContent-Length: 30\r\n"


@pytest.fixture
async def place(people: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    """Where a console listens that has little patience."""
    monkeypatch.setattr(serving, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(door, "FORM_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ready, stop = asyncio.Event(), asyncio.Event()
    service = WebService("console", people.app(), ("127.0.0.1", port), None, lambda _: ready.set())
    running = asyncio.create_task(service.run(stop))
    await ready.wait()
    yield "127.0.0.1", port
    stop.set()
    await asyncio.wait_for(running, 30)


async def answer_to(place: tuple[str, int], *parts: bytes, pause: float = 0.0) -> bytes:
    """What the console says until it hangs up."""
    reader, writer = await asyncio.open_connection(*place)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_whoever_says_nothing_is_hung_up_on(place: tuple[str, int]) -> None:
    assert await answer_to(place) == b""


async def test_whoever_sends_a_head_letter_by_letter_is_hung_up_on(place: tuple[str, int]) -> None:
    letters = [bytes([letter]) for letter in b"GET /sign-in HTTP/1.1"]
    assert await answer_to(place, *letters, pause=0.05) == b""


async def test_a_form_that_does_not_arrive_is_answered(place: tuple[str, int]) -> None:
    answer = await answer_to(place, HEAD + b"Connection: close\r\n\r\nlogin=")
    assert answer.startswith(b"HTTP/1.1 408")


async def test_a_request_in_time_is_answered_and_the_next_one_too(place: tuple[str, int]) -> None:
    request = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await answer_to(place, request, last, pause=0.1)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert b"content-security-policy" in answer
