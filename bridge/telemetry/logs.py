"""Structured logs. Events are named `noun.verb`; fields pass an allow-list, so that body text can never get into a log.

Rules:
1. A field whose name is not in `ALLOWED` is replaced by the word `withheld`.
2. Texts are cut at 300 characters and lose control characters.
3. Of what a library logs only the wording is kept, no value in it: that may be a stranger's bytes or an address.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Final

import stamina.instrumentation
import structlog

ALLOWED: Final = frozenset(
    {
        "account", "attempt", "batch", "code", "contact_point", "count", "country", "detail", "error", "event",
        "exchange", "from", "held", "id", "kind", "lane", "level", "list_version", "login", "message_id",
        "name", "network", "outcome", "page", "path", "pid", "place", "port", "quarantined", "queue", "queues",
        "reason", "recipient", "recipients", "rows", "rule", "seal", "seconds", "service", "signal", "size",
        "state", "status", "step", "timestamp", "to", "urgency", "version",
    }
)  # fmt: skip
MAX_TEXT: Final = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def configure_logs(*, level: int = logging.INFO) -> None:
    """JSON lines on stderr; libraries' own from warnings on. Retries are told by the services, not one by one."""
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryLines()], force=True)
    stamina.instrumentation.set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def allow_fields(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """The structlog processor behind the rules above."""
    for name, value in list(event.items()):
        if name not in ALLOWED and name != "level":
            event[name] = "withheld"
        elif isinstance(value, str):
            event[name] = _CONTROL.sub(" ", value)[:MAX_TEXT]
    return event


class _LibraryLines(logging.Handler):
    """Hands a library's record on as one of our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """The record's logger and wording, without the values."""
        structlog.get_logger().warning("library.warned", name=record.name, detail=str(record.msg))
