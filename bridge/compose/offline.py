"""What works on files alone: no node, no broker, no database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bridge.adapters.jose.jwk_files import read_jwk_set
from bridge.adapters.jose.key_files import FileKeys, read_secret
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.trust.governance.reading import read_repository
from bridge.adapters.trust.membership.exported import read_export
from bridge.app.verify_file import Circumstances, FileVerdict, KnownState, verify_file
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
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

    Args:
        wire_bytes: the message.
        network: a network's folder, or a file of `network export`, which is believed as it is.
        recipient: for whom it is judged.
        keys: their folder with key files, or a file with their private keys as a JWK set.
        machine_secret: what the key files are under, where it is not beside them.
        hints: the AMQP properties.
        state: what the recipient knew.
        at: the moment.

    Raises:
        UnavailableError: the membership list or the keys cannot be read.
        BadInputError: an export or a JWK set is none.
    """
    opening_keys = None
    if keys is not None and recipient is not None:
        opening_keys = StoredOpeningKeys(private_keys_of(keys, recipient, machine_secret))
    given = Circumstances(
        directory=directory_in(network, at=at),
        now=at,
        is_signature=is_signature,
        recipient=recipient,
        keys=opening_keys,
        hints=hints,
        state=state,
    )
    return verify_file(wire_bytes, given)


def directory_in(network: Path, *, at: datetime) -> Directory:
    """The membership list of a network's folder, or of a file of `network export`, which is believed as it is.

    Raises:
        UnavailableError: it cannot be read.
        BadInputError: an export is none.
    """
    return read_export(network) if network.is_file() else read_repository(network, at=at)


def private_keys_of(keys: Path, recipient: str, machine_secret: Path | None) -> PrivateKeys:
    """A contact point's private keys from a file with a JWK set, or from a folder with key files.

    Raises:
        UnavailableError: they cannot be read.
        BadInputError: the file is no JWK set.
    """
    if keys.is_file():
        return read_jwk_set(keys)
    if not keys.is_dir():  # a misspelt path must not look like a faulty message
        raise UnavailableError("E_KEY_FILE", f"{keys}: expected a folder with keys, or a file with a JWK set")
    secret_file = machine_secret or keys.resolve().parent.parent / "secrets" / "machine.key"
    secret = read_secret(secret_file) if machine_secret is not None or secret_file.exists() else None
    return FileKeys(keys, recipient, machine_secret=secret)
