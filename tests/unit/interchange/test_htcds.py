"""The tables to HTCDS: each code of ours once, no code of theirs for two of ours, and no code that nobody saw."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest

from bridge.core.vocabulary import CODE_LISTS
from bridge.interchange.htcds import COLUMNS, MATCHES, SEEN_IN, csv_of, mapped_lists, rows_of

LISTS = mapped_lists()
ROWS = rows_of(LISTS)


def test_every_list_that_was_taken_from_it_has_a_table() -> None:
    taken = {"node_event", "recruitment", "control", "exploitation", "organiser_role", "victim_status"}
    assert taken | {"labour_sector"} == set(LISTS)


@pytest.mark.parametrize("name", LISTS)
def test_each_code_of_ours_stands_there_once_and_in_order(name: str) -> None:
    assert tuple(row["ours"] for row in rows_of([name]) if row["ours"]) == CODE_LISTS[name]


@pytest.mark.parametrize("name", LISTS)
def test_the_way_back_is_never_a_choice(name: str) -> None:
    theirs = Counter(row["theirs"] for row in rows_of([name]) if row["theirs"])
    assert set(theirs.values()) == {1}
    assert len({row["field"] for row in rows_of([name])}) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['list']}-{row['ours'] or row['theirs']}")
def test_a_row_has_a_match_with_its_source_or_says_why_there_is_none(row: dict[str, str]) -> None:
    assert row["match"] in MATCHES
    matched = bool(row["ours"] and row["theirs"])
    assert matched == (row["match"] != "none")
    assert row["ours"] or row["theirs"]
    assert row["seen_in"] in (SEEN_IN if row["theirs"] else {""})
    assert row["note"] or row["match"] == "same"


def test_the_csv_reads_back_and_no_cell_is_a_formula() -> None:
    data = csv_of(ROWS)
    read = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert read == ROWS
    assert data.startswith(",".join(COLUMNS).encode() + b"\r\n")
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in read for cell in row.values())
