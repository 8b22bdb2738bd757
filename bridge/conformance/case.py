"""One case, what is asked of an implementation by it, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.conformance.bench import Bench


class Verdict(StrEnum):
    """What became of a case."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    SKIPPED = "skipped"


class FailedCaseError(Exception):
    """The rule was not kept; the sentence says what was seen."""


class SkippedCaseError(Exception):
    """The case could not be tried; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """A rule and how it is tried.

    Attributes:
        rule: where it is written: a step of the verification, or a section of the wire format.
        sent, expected: what is done, and what must follow, in words.
        run: tries it and answers what was seen; raises `FailedCaseError` or `SkippedCaseError`.
        is_alone: nothing else may be under way beside it.
    """

    id: str
    rule: str
    sent: str
    expected: str
    run: Callable[[Bench], Awaitable[str]]
    is_alone: bool = False

    def left_out(self) -> Case:
        """The same, not tried and told as skipped."""
        return replace(self, run=_left_out)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case: `seen` is what was seen, or why it was skipped, as `printable`."""

    case: Case
    verdict: Verdict
    seen: str
    seconds: float


async def _left_out(_: Bench) -> str:
    raise SkippedCaseError("left out by whoever runs the cases")


def printable(text: str) -> str:
    """What XML 1.0 and UTF-8 can hold: what was seen may name a stranger's text."""
    return "".join(each if each.isprintable() else "?" for each in text)
