"""The options that name a PKCS#11 token: alike for a node's keys and for a holder's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.core.errors import BadInputError
from bridge.settings.contact_points import LONGEST_LABEL, TokenSettings

TokenModule = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keys on a PKCS#11 token instead of in files: its module, a shared library."),
]
TokenLabel = Annotated[str | None, typer.Option(metavar="LABEL", help="The token's label.")]
TokenPinFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Holds the token's PIN, one line; 0600.")]


def token_of(module: Path | None, label: str | None, pin_file: Path | None) -> TokenSettings | None:
    """The token that the options name, its paths meant from here, or `None` for keys in files.

    Raises:
        BadInputError: some of the options are missing, or the label cannot be one (`E_TOKEN_OPTIONS`).
    """
    if module is None and label is None and pin_file is None:
        return None
    if module is None or label is None or pin_file is None:
        raise BadInputError("E_TOKEN_OPTIONS", "a token: expected --token-module, --token-label and --token-pin-file")
    if not 1 <= len(label) <= LONGEST_LABEL:
        detail = f"--token-label: found {len(label)} characters, expected 1 to {LONGEST_LABEL}"
        raise BadInputError("E_TOKEN_OPTIONS", detail)
    return TokenSettings(module=module.resolve(), label=label, pin_file=pin_file.resolve())
