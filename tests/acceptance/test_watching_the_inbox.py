"""`inbox watch`: a program of a country's own reads what arrives, line by line."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys

from bridge_countries import PATIENCE_SECONDS, ROOT, Country

ALERT = "01-rs-at-construction-recruitment-agency.json"


def next_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE_SECONDS)
    assert ready, "nothing came"
    return process.stdout.readline()


def test_what_arrives_is_one_object_a_line_until_ctrl_c(serbia: Country, austria: Country) -> None:
    # given somebody who watches, from the last message that is there already
    before = serbia.submit(ALERT)["id"]
    austria.received(before)
    command = [sys.executable, "-m", "bridge", "inbox", "watch", "--since-start", "--config", str(austria.config)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, bufsize=0, **pipes) as process:  # noqa: S603 - our own command
        assert process.stderr is not None
        try:
            while json.loads(next_line(process))["id"] != before:
                pass

            # when
            sent = serbia.submit(ALERT)["id"]
            item = json.loads(next_line(process))

            # then
            assert (item["id"], item["from"], item["kind"], item["state"]) == (sent, "rs.ncp", "route_alert", "new")

            # when it is stopped
            process.send_signal(signal.SIGINT)

            # then
            assert process.wait(PATIENCE_SECONDS) == 130
            assert process.stdout is not None
            assert process.stdout.read() == b""
            assert b"Traceback" not in process.stderr.read()
        finally:
            process.kill()
