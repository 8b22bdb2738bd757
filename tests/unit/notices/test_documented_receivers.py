"""The receivers of docs/integrate/webhooks.md, run as they stand there, take what a node posts and nothing else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, find_node

from bridge.adapters.notices.events import EventPoster
from bridge.core.webhook_signing import key_of, new_secret, signed_headers

PAGE = (Path(__file__).parents[3] / "docs" / "integrate" / "webhooks.md").read_text("utf-8")
BODY = b'{"type": "message.received", "timestamp": "2026-11-23T18:40:01.234Z", "data": {"contact_point": "rs.ncp"}}'
POSTER = EventPoster(["127.0.0.1"])
BOTH = pytest.mark.parametrize(
    ("language", "suffix"), [("python", "py"), pytest.param("js", "mjs", marks=pytest.mark.node)]
)
SECONDS = 20.0
TOO_LONG = 65537


def program(language: str) -> list[str]:
    if language == "python":
        return [sys.executable]
    try:
        return [str(find_node().program)]
    except NodeMissingError as error:
        server_is_missing(error)


@contextmanager
def running(language: str, suffix: str, secret: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    file = folder / f"receiver.{suffix}"
    file.write_text(text, "utf-8")
    process = subprocess.Popen(  # noqa: S603 - the page's own program
        [*program(language), str(file), "0"],
        env=os.environ | {"WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().split()[-1]
            yield f"http://127.0.0.1:{port}/hook", process
        finally:
            process.kill()


@BOTH
async def test_it_takes_an_event_once_and_refuses_what_is_not_signed(
    language: str, suffix: str, tmp_path: Path
) -> None:
    secret, now = new_secret(), datetime.now(UTC)
    key, other = key_of(secret), key_of(new_secret())
    with running(language, suffix, secret, tmp_path) as (url, process):
        good = signed_headers("evt_1", now, BODY, [key])
        assert await POSTER.post(url, BODY, good) == 204
        assert await POSTER.post(url, BODY, signed_headers("evt_1", now, BODY, [key])) == 204  # again
        assert await POSTER.post(url, BODY, signed_headers("evt_2", now, BODY, [other, key])) == 204  # rotated
        for headers in (
            signed_headers("evt_3", now, BODY, [other]),
            signed_headers("evt_3", now - timedelta(minutes=10), BODY, [key]),
            {**good, "webhook-id": "evt_3"},
        ):
            assert await POSTER.post(url, BODY, headers) == 400
        assert await POSTER.post(url, BODY + b" ", good) == 400
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]  # not a third, or this would wait for it
        process.kill()
        assert process.stdout.read() == ""
    assert all(line.startswith("message.received ") for line in lines)


@BOTH
async def test_it_reads_no_more_than_an_event_can_be_and_outlives_whoever_hangs_up(
    language: str, suffix: str, tmp_path: Path
) -> None:
    secret = new_secret()
    with running(language, suffix, secret, tmp_path) as (url, _):
        port = int(url.rpartition(":")[2].partition("/")[0])
        # its end does not come: whoever reads it all waits
        for header in (f"Content-Length: {TOO_LONG}", "Transfer-Encoding: chunked", "X-Length: none"):
            assert b" 413 " in status_line(port, header, b"")
        assert b" 20" not in status_line(port, "Content-Length: -1", b"x")
        hang_up(port, "Content-Length: 1000", b"half of it")
        good = signed_headers("evt_1", datetime.now(UTC), BODY, [key_of(secret)])
        assert await POSTER.post(url, BODY, good) == 204


def status_line(port: int, header: str, body: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as line:
        line.sendall(f"POST /hook HTTP/1.1\r\nHost: receiver\r\n{header}\r\n\r\n".encode() + body)
        return line.makefile("rb").readline()


def hang_up(port: int, header: str, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), SECONDS) as line:
        line.sendall(f"POST /hook HTTP/1.1\r\nHost: receiver\r\n{header}\r\n\r\n".encode() + body)
