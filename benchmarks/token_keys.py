"""Signing and opening with keys in files and with keys on a token: SoftHSM2, which computes on the same processor.

A real token takes the time that it takes, often milliseconds; what is seen here is what the way there costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from bridge.adapters.jose.key_files import FileKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.token import Token
from bridge.core.directory import PublicKey
from bridge.ports.keys import KeyStore
from bridge.private_files import FOLDER_OF_OWNER
from broker.soft_tokens import soft_tokens

OWNER: Final = "at.ncp"
SIGNING: Final = f"{OWNER}#sig-1"
OPENING: Final = f"{OWNER}#enc-1"
SIGNING_INPUT: Final = bytes(1200)  # about as long as that of the sample alert
BODY: Final = bytes(2800)


@dataclass(frozen=True, slots=True)
class KeysFigure:
    """One operation: how many in a second of CPU time, medians, with keys in files and on the token."""

    operation: str
    files_per_second: float
    token_per_second: float


def measure_keys(folder: Path, *, rounds: int, repeats: int) -> list[KeysFigure]:
    """Both operations in turns; medians over `rounds` of `repeats` calls each.

    Raises:
        UnavailableError: SoftHSM2 is neither here nor to be had.
    """
    folder.mkdir(mode=FOLDER_OF_OWNER)
    with soft_tokens(folder) as tokens:
        token = TokenKeys(Token(tokens.make(OWNER).place), f"{OWNER}#")
        files = FileKeys(folder / OWNER, OWNER, machine_secret=bytes(32))
        operations = {"files": _operations(files), "token": _operations(token)}
        figures = []
        for name in ("sign", "open"):
            taken = _alternate({place: operations[place][name] for place in operations}, rounds, repeats)
            figures.append(KeysFigure(name, 1 / taken["files"], 1 / taken["token"]))
    return figures


def _operations(keys: KeyStore) -> Mapping[str, Callable[[], object]]:
    until = datetime.now(UTC) + timedelta(days=1)
    keys.make(SIGNING)
    recipient = PublicKey(OPENING, "ECDH-ES+A256KW", keys.make(OPENING), until, until)
    body = seal(BODY, recipients=[recipient], aad="AAAA")
    opening = StoredOpeningKeys(keys)
    return {"sign": lambda: keys.sign(SIGNING, SIGNING_INPUT), "open": lambda: opening.open(body, body.entries[0])}


def _alternate(operations: Mapping[str, Callable[[], object]], rounds: int, repeats: int) -> Mapping[str, float]:
    """Median CPU seconds of a call, by name; the operations take turns, so that a busy machine meets them alike."""
    taken: dict[str, list[float]] = {name: [] for name in operations}
    for _ in range(rounds + 1):
        for name, operation in operations.items():
            begun = time.process_time()
            for _ in range(repeats):
                operation()
            taken[name].append((time.process_time() - begun) / repeats)
    return {name: median(times[1:]) for name, times in taken.items()}  # the first round loads and signs in
