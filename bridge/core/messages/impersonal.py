"""What may be said of a faulty body to those who must not read it: logs, quarantine lists, operators.

A name that no form has is content: somebody wrote it. It stands as `?`, and what was found is left out.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.core.errors import Problem
from bridge.core.messages.member_names import member_names

UNKNOWN_NAME: Final = "?"
_STEP: Final = re.compile(r'\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<index>\[[0-9]+\])|\["(?:[^"\\]|\\.)*"[^\]"]*\]')


def impersonal(problem: Problem) -> str:
    """The fault as one sentence: where it is, by names of the format only, and what was expected there."""
    return f"{_known_path(problem.path)}: expected {problem.expected}"


def _known_path(path: str) -> str:
    known, at = ["$"], 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return "".join((*known, ".", UNKNOWN_NAME))
        known.append(step["index"] or f".{step['name'] if step['name'] in member_names() else UNKNOWN_NAME}")
        at = step.end()
    return "".join(known)
