"""What both peers raise when they refuse a message: the code from wire-format.md's table and a sentence."""

from __future__ import annotations

from typing import NoReturn


class RefusedError(Exception):
    """A peer refused a message.

    Attributes:
        code: The code of the first failing step, as in wire-format.md ("Verification, in this order").
        detail: What was found, for a person reading a failing test.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def refuse(code: str, detail: str) -> NoReturn:
    """Refuse the message under `code`."""
    raise RefusedError(code, detail)
