"""The receivers of docs/integrate/webhooks.md, run as they stand there, take what a node posts and nothing else."""

from __future__ import annotations

import os
import re
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


@pytest.mark.parametrize(("language", "suffix"), [("python", "py"), pytest.param("js", "mjs", marks=pytest.mark.node)])
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
