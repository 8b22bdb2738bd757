"""The threat model promises nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
# Of each table: its first line, the rule under it, its rows.
TABLES = [table.splitlines() for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)]
ROWS = [row for table in TABLES if table[0].startswith("| threat") for row in table[2:]]
NAMED = sorted(set(re.findall(r"`(tests/[^`]+\.py[^`]*)`", PAGE)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_control_names_a_test(row: str) -> None:
    # given a row of the table; then its last column names at least one test
    assert re.search(r"`tests/[^`]+`", row.rsplit("|", 2)[1])


def test_every_boundary_has_its_controls() -> None:
    # given the boundaries that the page draws; then each has a part with a table
    drawn = set(re.findall(r"(?:^|· )(\d) between", PAGE, re.MULTILINE))
    assert drawn == set(re.findall(r"^## (\d) Between", PAGE, re.MULTILINE))
    assert len([table for table in TABLES if table[0].startswith("| threat")]) == len(drawn)


@pytest.mark.parametrize("module", sorted(path.name for path in (ROOT / "tests/adversary").glob("test_*.py")))
def test_every_part_of_the_adversary_suite_holds_a_control(module: str) -> None:
    assert any(name.startswith(f"tests/adversary/{module}") for name in NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_is_named_exists(name: str) -> None:
    # given a file, perhaps with a test in it
    file, _, test = name.partition("::")

    # then both are there
    source = (ROOT / file).read_text("utf-8")
    assert not test or re.search(rf"^\s*(async )?def {test}\(", source, re.MULTILINE)
