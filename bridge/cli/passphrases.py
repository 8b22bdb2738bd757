"""Passphrases of key files: from a private file or the terminal, never from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bridge.core.errors import BadInputError
from bridge.private_files import read_private_line

PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A private file with the key's passphrase. Default: it is asked for."),
]


def new_passphrase(file: Path | None, *, ask: bool) -> bytes | None:
    """The passphrase for a new key: from the file, asked for twice, or none."""
    if file is not None:
        return read_private_line(file).encode()
    return _asked("Passphrase for the new key", twice=True) if ask else None


def passphrase_of(file: Path | None) -> Callable[[Path], bytes]:
    """Where the passphrase of a key file comes from: the given file, or whoever sits at the terminal."""

    def passphrase(key: Path) -> bytes:
        return read_private_line(file).encode() if file is not None else _asked(f"Passphrase of {key}", twice=False)

    return passphrase


def _asked(prompt: str, *, twice: bool) -> bytes:
    if not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "without a terminal a passphrase comes from --passphrase-file")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)).encode()
