"""The starter's side of a keeper: spawn it, learn what it started, release it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from bridge.core.errors import UnavailableError

ROOT: Final = Path(__file__).resolve().parents[1]
RELEASE_SECONDS: Final = 20.0


class Kept:
    """A server behind a keeper process.

    Args:
        program: the keeper's module, or the path of its script.
        plan: what it is told; it may hold passwords, for it goes through a pipe.
        code: of the error when the server does not start.
    """

    def __init__(self, program: list[str], plan: dict[str, Any], *, code: str) -> None:
        self._program, self._plan, self._code = program, plan, code
        self._keeper: subprocess.Popen[str] | None = None

    def start(self, *, seconds: float) -> dict[str, Any]:
        """Starts the server and returns what the keeper tells about it; blocks.

        Raises:
            UnavailableError: it did not start; nothing is left of it.
        """
        self._keeper = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, *self._program],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C is for the starter, who then releases the keeper
        )
        try:
            return self.order(json.dumps(self._plan), seconds=seconds)
        except BaseException:
            self.stop()
            raise

    def order(self, line: str, *, seconds: float) -> dict[str, Any]:
        """Sends a line and returns the answer.

        Raises:
            UnavailableError: the keeper reports a failure, or does not answer in time.
        """
        keeper = self._keeper
        if keeper is None or keeper.stdin is None or keeper.stdout is None:
            raise UnavailableError(self._code, "the server has not been started")
        with contextlib.suppress(BrokenPipeError):  # then there is an answer already, or the end of it
            keeper.stdin.write(line + "\n")
        ready, _, _ = select.select([keeper.stdout], [], [], seconds)
        answered = keeper.stdout.readline() if ready else ""
        if not answered:
            raise UnavailableError(self._code, f"the server's keeper gave no answer within {seconds:.0f} s")
        facts: dict[str, Any] = json.loads(answered)
        if "error" in facts:
            raise UnavailableError(self._code, str(facts["error"]))
        return facts

    def stop(self) -> None:
        """Releases the keeper and waits until it has cleaned up; doing it again changes nothing."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        with contextlib.suppress(BrokenPipeError):
            if keeper.stdin is not None:
                keeper.stdin.close()
        try:
            keeper.wait(RELEASE_SECONDS)
        except subprocess.TimeoutExpired:
            keeper.send_signal(signal.SIGKILL)
            keeper.wait()
        finally:
            if keeper.stdout is not None:
                keeper.stdout.close()
