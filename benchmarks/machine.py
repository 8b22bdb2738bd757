"""On what machine and with which versions the figures were taken; without it no figure means anything."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.hazmat.backends.openssl.backend import backend

from bridge.adapters.amqp.management import Management
from broker.access import Access

LIBRARIES: Final = ("aio-pika", "aiormq", "aiosqlite", "cryptography", "pydantic", "sqlalchemy", "uvloop")
_SYNCS: Final = 50


def machine_facts(folder: Path, broker: Access | None) -> Mapping[str, object]:
    """The facts; `folder` is where the databases are, its disk's fsync is measured."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "rabbitmq": _rabbitmq_version(broker) if broker else None,
        "openssl": backend.openssl_version_text(),
        "sqlite": sqlite3.sqlite_version,
        "fsync_ms": round(_fsync_seconds(folder) * 1e3, 2),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _rabbitmq_version(broker: Access) -> str:
    _, answer = Management.at(broker.management_url).request("GET", "/api/overview")
    return str(json.loads(answer)["rabbitmq_version"])


def _fsync_seconds(folder: Path) -> float:
    """The median of appending 4 KiB and having it on the disk."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return median(times)
