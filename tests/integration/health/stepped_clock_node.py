"""`ncp-bridge` whose clock is set while it runs, by as many seconds as stand in the file `NCP_TEST_CLOCK`."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from bridge.adapters.system import SystemClock
from bridge.cli.main import run

VARIABLE = "NCP_TEST_CLOCK"

if __name__ == "__main__":
    file, tell = Path(os.environ[VARIABLE]), SystemClock.now

    def now(clock: SystemClock) -> datetime:
        return tell(clock) + timedelta(seconds=float(file.read_text("ascii") or "0"))

    SystemClock.now = now  # type: ignore[method-assign]  # a clock that was set is what the test is about
    run()
