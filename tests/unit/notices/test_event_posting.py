"""Posting events: to whom, and to whom never; a receiver that hangs, redirects, drips or floods costs its own time."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from servers.webhook_receiver import receiving

from bridge.adapters.notices import events, posting
from bridge.adapters.notices.events import EventPoster
from bridge.core.errors import BadInputError, UnavailableError

HERE = EventPoster(["127.0.0.1"])


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Has every name lead to these addresses; answers the list of names asked for."""

    def lead(*addresses: str) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
            asked.append(host)
            families = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses]
            return [
                (family, socket.SOCK_STREAM, 6, "", (one, port))
                for family, one in zip(families, addresses, strict=True)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return lead


async def failure(url: str, poster: EventPoster = HERE) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await poster.post(url, b"{}", {})
    return caught.value


async def test_it_posts_what_it_is_given_and_answers_the_status() -> None:
    async with receiving() as receiver:
        assert await HERE.post(receiver.url, b'{"type":"t"}', {"webhook-id": "evt_1"}) == 204
    (posted,) = receiver.posted
    assert posted.body_bytes == b'{"type":"t"}'
    assert posted.headers["webhook-id"] == "evt_1"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["host"] == receiver.url.split("/")[2]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "127.0.0.1",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address that must not be reached
        "169.254.169.254",
        "224.0.0.1",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "fec0::1",
        "3fff::1",
        "192.88.99.1",
    ],
)
async def test_a_name_that_leads_inside_is_not_posted_to(address: str, resolving: Callable[..., list[str]]) -> None:
    resolving(address)
    assert (await failure("https://hook.example/x")).code == "E_WEBHOOK_ADDRESS"
    resolving("93.184.216.34", address)  # one of them is enough
    assert (await failure("https://hook.example/x")).code == "E_WEBHOOK_ADDRESS"


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
async def test_what_clouds_keep_their_secrets_behind_is_refused_whatever_the_settings_say(
    address: str, resolving: Callable[..., list[str]]
) -> None:
    resolving(address)
    assert (await failure("https://hook.example/x", EventPoster(["hook.example"]))).code == "E_WEBHOOK_ADDRESS"


async def test_a_name_is_resolved_once_and_what_was_looked_at_is_connected_to(
    resolving: Callable[..., list[str]],
) -> None:
    async with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        asked = resolving("127.0.0.1")
        assert await EventPoster(["hook.example"]).post(f"http://hook.example:{port}/x", b"{}", {}) == 204
        assert receiver.posted[0].headers["host"] == f"hook.example:{port}"
        assert asked[0] == "hook.example"
        assert set(asked[1:]) <= {"127.0.0.1"}


async def test_a_name_that_cannot_be_looked_up_is_an_attempt_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert (await failure("https://hook.example/x")).code == "E_WEBHOOK_UNREACHABLE"


async def test_names_that_hang_stop_no_other_and_take_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, asked, really = threading.Event(), [], socket.getaddrinfo

    def getaddrinfo(host: str, *where: object, **more: object) -> object:
        if host.startswith("hangs"):
            asked.append(host)
            answered.wait(60)
        return really(host, *where, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    urls = [f"https://hangs{number}.invalid/" for number in range(40)]  # more than a loop has threads: 32
    poster = EventPoster(["127.0.0.1"])
    try:
        async with receiving() as receiver:
            hanging = [asyncio.create_task(failure(url, poster)) for url in urls * 2]
            await asyncio.sleep(0)
            assert await asyncio.wait_for(poster.post(receiver.url, b"{}", {}), 10) == 204
            assert await asyncio.wait_for(asyncio.to_thread(lambda: True), 10)
            assert len(asked) == len(set(asked))
    finally:
        answered.set()
    assert {error.code for error in await asyncio.gather(*hanging)} == {"E_WEBHOOK_UNREACHABLE"}


async def test_plain_http_leaves_this_machine_never(resolving: Callable[..., list[str]]) -> None:
    resolving("93.184.216.34")
    error = await failure("http://hook.example/x", EventPoster(["hook.example"]))
    assert (error.code, "https" in error.message) == ("E_WEBHOOK_ADDRESS", True)


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/x",
        "ftp://hook.example/x",
        "https://user:pass@hook.example/x",
        "https://hook.example/x#part",
        "https:///x",
        "hook.example",
        "https://hook.example/ x",
        "https://hook.example/" + "x" * 2000,
        "https://hook.example:port/x",
        "https://hook.example:0/x",
        "https://hook.example:99999/x",
        "https://hook..example/x",
        f"https://{'a' * 64}.example/x",
        f"https://{'a.' * 126}example/x",
        "https://xn--a/x",
        "",
    ],
)
def test_what_is_no_address_for_a_webhook_is_refused_when_it_is_named(url: str) -> None:
    with pytest.raises(BadInputError) as caught:
        HERE.check(url)
    assert (caught.value.code, caught.value.path) == ("E_WEBHOOK_ADDRESS", "url")


def test_loopback_takes_plain_http_where_the_settings_name_it() -> None:
    HERE.check("http://127.0.0.1:9/x")
    with pytest.raises(BadInputError):
        EventPoster().check("http://127.0.0.1:9/x")


async def test_a_receiver_that_hangs_is_left_after_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WHOLE_SECONDS", 0.2)
    async with receiving(hangs=True) as receiver:
        assert (await failure(receiver.url)).message == "it did not answer in time"


async def test_a_head_that_drips_is_left_after_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "WHOLE_SECONDS", 0.2)
    async with receiving(behind=b"X-Begins: ") as receiver:
        assert (await failure(receiver.url)).message == "it did not answer in time"


@pytest.mark.parametrize(
    "behind", [b"Content-Length: 1000000000\r\n\r\nbegins", b"Transfer-Encoding: chunked\r\n\r\n1"]
)
async def test_of_a_huge_or_slow_answer_the_status_is_taken(behind: bytes) -> None:
    async with receiving(statuses=["200 OK"], behind=behind) as receiver:
        assert await asyncio.wait_for(HERE.post(receiver.url, b"{}", {}), 10) == 200


async def test_an_endless_head_is_not_kept() -> None:
    async with receiving(behind=b"X: y\r\n" * 100_000 + b"\r\n") as receiver:
        assert (await failure(receiver.url)).code == "E_WEBHOOK_UNREACHABLE"


async def test_no_redirect_is_followed() -> None:
    async with receiving() as elsewhere:
        head = f"Location: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with receiving(statuses=["307 Elsewhere"], behind=head) as receiver:
            assert await HERE.post(receiver.url, b"{}", {}) == 307
    assert elsewhere.posted == []


async def test_nobody_at_the_port_is_said_without_an_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = await failure(f"http://127.0.0.1:{port}/x")
    assert (error.code, error.message) == ("E_WEBHOOK_UNREACHABLE", "ConnectError")
