"""The one small tree of errors that the bridge raises on purpose.

Every error carries a stable `code` and a sentence for people. Foreign exceptions never cross a port: adapters translate
them into one of these. The command line maps the class to an exit status, the receive path maps it to an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass


class BridgeError(Exception):
    """Base of everything raised on purpose; `code` is stable, `message` is one sentence."""

    exit_status = 1

    def __init__(self, code: str, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a document: where it is, what stood there, what was expected, and the nearest valid value."""

    path: str
    found: str
    expected: str
    code: str
    suggestion: str | None = None

    def sentence(self) -> str:
        """The fault as one sentence that names the field."""
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.path}: found {self.found}, expected {self.expected}{hint}"


class BadInputError(BridgeError):
    """Input or usage that a person can mend (exit status 2)."""

    exit_status = 2

    def __init__(self, code: str, message: str, *, path: str | None = None, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(code, message, path=path)
        self.problems = problems

    @classmethod
    def of(cls, problems: tuple[Problem, ...]) -> BadInputError:
        """The error for a document with at least one problem; its code and path are those of the first."""
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return cls(first.code, first.sentence() + more, path=first.path, problems=problems)


class RefusedError(BridgeError):
    """A rule of the domain says no: nobody to send to, not authorised, not the originator (exit status 3)."""

    exit_status = 3


class VerificationError(RefusedError):
    """A wire message failed the numbered procedure at `step` (wire-format: Verification)."""

    def __init__(self, step: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.step = step


class UnavailableError(BridgeError):
    """A dependency (broker, database, trust list, file) cannot be reached now (exit status 4)."""

    exit_status = 4
