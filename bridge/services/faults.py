"""Faults that nobody foresaw, in the log: what kind and where, never their words, which may quote a message."""

from __future__ import annotations

import traceback
from pathlib import Path

import structlog

_log = structlog.get_logger()


def log_fault(service: str, error: Exception, **about: str) -> None:
    """Notes a fault that the service goes on after."""
    _log.error("service.fault", service=service, error=type(error).__name__, path=_place(error), **about)


def _place(error: Exception) -> str:
    """Where it was raised: the file with its folder, and the line."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    return f"{'/'.join(Path(frames[-1].filename).parts[-2:])}:{frames[-1].lineno}"
