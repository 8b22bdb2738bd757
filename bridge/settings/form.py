"""What the parts of a node's settings have in common."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict
from pydantic_core import PydanticCustomError

FORM: Final = ConfigDict(frozen=True, extra="forbid")


def fault(expected: str) -> PydanticCustomError:
    """What a validator raises: the sentence says what was expected."""
    return PydanticCustomError("settings", "{expected}", {"expected": expected})
