"""Throw-away PKCS#11 tokens of SoftHSM2, for tests and benchmarks: files in a folder, nothing installed."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.adapters.token.token import TokenPlace
from bridge.core.errors import UnavailableError
from bridge.private_files import write_private
from broker.installation import ensure_installation
from broker.packages import SOFTHSM

CONFIGURATION: Final = "SOFTHSM2_CONF"  # the module reads this variable when it is initialised
MODULE: Final = "usr/lib/*-linux-gnu*/softhsm/libsofthsm2.so"
SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class SoftToken:
    """A token: where a program finds it, and the folder that it is. Without the folder the token is gone."""

    place: TokenPlace
    folder: Path


class SoftTokens:
    """Makes tokens; as long as it is used the environment of this process names their folder."""

    def __init__(self, folder: Path) -> None:
        installation = ensure_installation(SOFTHSM)
        self.module = installation.root / installation.newest(MODULE)
        self._program = installation.root / installation.program
        self._folder = folder
        self._tokens = folder / "tokens"
        self._tokens.mkdir(mode=0o700)
        self.configuration = folder / "softhsm2.conf"
        self.configuration.write_text(f"directories.tokendir = {self._tokens}\nlog.level = ERROR\n", encoding="utf-8")

    def make(self, label: str) -> SoftToken:
        """A token without keys, with a PIN of its own in a private file.

        Raises:
            UnavailableError: SoftHSM2's program does not make one (`E_PACKAGES`).
        """
        pin, before = secrets.token_hex(8), set(self._tokens.iterdir())
        command: list[str | Path] = [self._program, "--init-token", "--free", "--module", self.module, "--label", label]
        command += ["--so-pin", secrets.token_hex(8), "--pin", pin]  # of a token that lives for minutes
        done = subprocess.run(  # noqa: S603 - SoftHSM2's own program
            command, capture_output=True, encoding="utf-8", check=False, timeout=SECONDS
        )
        if done.returncode:
            raise UnavailableError("E_PACKAGES", f"{self._program} failed: {done.stderr.strip()}")
        (folder,) = set(self._tokens.iterdir()) - before
        pin_file = self._folder / f"{folder.name}.pin"
        write_private(pin_file, f"{pin}\n".encode())
        return SoftToken(TokenPlace(self.module, label, pin_file), folder)


@contextmanager
def soft_tokens(folder: Path) -> Iterator[SoftTokens]:
    """Tokens below the folder; SoftHSM2 is fetched if need be.

    Raises:
        UnavailableError: it is neither here nor to be had.
    """
    tokens, before = SoftTokens(folder), os.environ.get(CONFIGURATION)
    os.environ[CONFIGURATION] = str(tokens.configuration)
    try:
        yield tokens
    finally:
        if before is None:
            del os.environ[CONFIGURATION]
        else:
            os.environ[CONFIGURATION] = before
