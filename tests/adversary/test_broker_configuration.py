"""What the broker itself keeps out, before a node has to hold it in memory to refuse it."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.core.wire.envelope import MAX_MESSAGE_BYTES

CONFIGURATION = Path(__file__).parents[2] / "config" / "rabbitmq" / "rabbitmq.conf"


def test_what_is_larger_than_any_message_does_not_get_as_far_as_a_queue() -> None:
    (limit,) = re.findall(r"^max_message_size = (\d+)$", CONFIGURATION.read_text("utf-8"), re.MULTILINE)
    assert int(limit) == MAX_MESSAGE_BYTES
