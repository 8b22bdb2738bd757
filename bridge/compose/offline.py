"""What works on files alone: no node, no broker, no database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bridge.adapters.jose.key_files import FileKeys, read_secret
from bridge.adapters.jose.sealing import StoredOpeningKeys
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.trust.governance.reading import read_repository
from bridge.app.verify_file import Circumstances, FileVerdict, KnownState, verify_file
from bridge.core.verification import Hints


def verify_message_file(  # noqa: PLR0913 - all named
    wire_bytes: bytes,
    *,
    network: Path,
    recipient: str | None,
    keys: Path | None,
    machine_secret: Path | None,
    hints: Hints | None,
    state: KnownState | None,
    at: datetime,
) -> FileVerdict:
    """The verdict on a message from a file, as of `at`.

    Raises:
        UnavailableError: the membership list or the keys cannot be read.
    """
    opening_keys = None
    if keys is not None and recipient is not None:
        secret_file = machine_secret or keys.resolve().parent.parent / "secrets" / "machine.key"
        secret = read_secret(secret_file) if machine_secret is not None or secret_file.exists() else None
        opening_keys = StoredOpeningKeys(FileKeys(keys, recipient, machine_secret=secret))
    given = Circumstances(
        directory=read_repository(network, at=at),
        now=at,
        is_signature=is_signature,
        recipient=recipient,
        keys=opening_keys,
        hints=hints,
        state=state,
    )
    return verify_file(wire_bytes, given)
