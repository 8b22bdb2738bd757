"""The threat model promises nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_control_names_a_test(row: str) -> None:
    # given a row of the table; then its last column names at least one test
    assert re.search(r"`tests/[^`]+`", row.rsplit("|", 2)[1])


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_is_named_exists(name: str) -> None:
    # given a file, perhaps with a test in it
    file, _, test = name.partition("::")

    # then both are there
    source = (ROOT / file).read_text("utf-8")
    assert not test or re.search(rf"^\s*(async )?def {test}\(", source, re.MULTILINE)
