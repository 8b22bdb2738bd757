"""A token's PIN: from a private file, and never tried twice when it was wrong.

A token locks itself after a few wrong PINs, and every process and every command of a node signs in to it. So a refusal
is noted beside the file, in `<file>.refused`; until the file is changed, nobody tries what it holds again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError
from bridge.private_files import read_private_line, replace_private

CODE: Final = "E_TOKEN_PIN"


class PinFile:
    """The file with a token's PIN, one line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._refusal = path.with_name(f"{path.name}.refused")
        self._tried = ""
        self._refused_here = ""

    def read(self) -> str:
        """The PIN.

        Raises:
            UnavailableError: `E_SECRET_FILE`, the file cannot be read, or others can; `E_TOKEN_PIN`, the token has
                refused what it holds.
        """
        self._tried = self._version()
        if self._tried in (self._refused_here, self._refused_by_anybody()):
            raise self._refused("was refused before and is not tried again")
        return read_private_line(self.path)

    def refuse(self, reason: str) -> UnavailableError:
        """Notes that the token refused the PIN that was read last, and answers the error that says so."""
        self._refused_here = self._tried
        with suppress(OSError):  # a folder of secrets may be read-only: then each process finds out once
            replace_private(self._refusal, self._tried.encode())
        return self._refused(f"was refused ({reason})")

    def _refused(self, what: str) -> UnavailableError:
        return UnavailableError(CODE, f"{self.path}: the PIN in it {what}; expected the token's PIN in a changed file")

    def _version(self) -> str:
        """Changes whenever the file is written; says nothing about the PIN."""
        try:
            return str(self.path.stat().st_mtime_ns)
        except OSError as error:
            raise UnavailableError("E_SECRET_FILE", f"{self.path}: {error.strerror}") from None

    def _refused_by_anybody(self) -> str:
        try:
            return self._refusal.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""
