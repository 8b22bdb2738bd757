"""Verifying a message from its bytes, without a node: the numbered procedure, as far as it can be judged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bridge.client.records import Verdict
from bridge.compose.offline import verify_message_file
from bridge.core.errors import BadInputError


def verify(
    wire_bytes: bytes,
    *,
    network: Path | str,
    recipient: str | None = None,
    keys: Path | str | None = None,
    at: datetime | None = None,
) -> Verdict:
    """Judges a message as `ncp-bridge message verify` does; being refused is an answer, not an error.

    Args:
        wire_bytes: the message as it crossed the border.
        network: where the membership list is.
        recipient: for whom it is judged; the first that it names where nobody is given.
        keys: the folder with the recipient's opening keys; without it the body stays closed.
        at: judges as of this moment, aware; now where none is given.

    Raises:
        UnavailableError: the membership list or the keys cannot be read.
        BadInputError: `E_USAGE`, `at` has no time zone; an export or a JWK set is none.
    """
    if at is not None and at.tzinfo is None:
        raise BadInputError("E_USAGE", "at: found a time without a time zone, expected an aware one")
    verdict = verify_message_file(
        wire_bytes,
        network=Path(network),
        recipient=recipient,
        keys=None if keys is None else Path(keys),
        machine_secret=None,
        hints=None,
        state=None,
        at=at or datetime.now(UTC),
    )
    return Verdict(verdict.ok, verdict.step, verdict.code, verdict.detail, verdict.skipped)
