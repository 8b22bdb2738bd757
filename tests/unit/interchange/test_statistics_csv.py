"""The figures as CSV: the console's own rows, what is withheld has no count, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from bridge.app.desk.corridors import CorridorTable
from bridge.interchange.statistics import COLUMNS, csv_of, notes_of
from bridge.ports.store.corridors import LEAST_SHOWN, Flow

TABLE = CorridorTable(["2026Q4"], "2026Q4", "sexual", [Flow("RS", "AT", 17), Flow("XK", "MK", None)])


def test_a_row_for_each_flow_and_no_count_where_it_is_withheld() -> None:
    data = csv_of([TABLE, CorridorTable(["2026Q4"], "2026Q4", "*", [])])
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows == [[*COLUMNS], ["2026Q4", "sexual", "RS", "AT", "17", "0"], ["2026Q4", "sexual", "XK", "MK", "", "1"]]
    assert data.endswith(b"\r\n")
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in rows for cell in row)


def test_notes_say_what_the_csv_says_and_no_more() -> None:
    tables = [TABLE, CorridorTable(["2026Q4"], "2026Q4", "*", [])]
    notes = json.loads(
        json.dumps(notes_of(tables, contact_point="rs.ncp", made_at=datetime(2026, 11, 28, 5, tzinfo=UTC)))
    )
    header = csv_of(tables).decode().splitlines()[0]
    assert list(notes["columns"]) == header.split(",")
    assert notes["withheld"].pop("why").startswith(f"counts below {LEAST_SHOWN} ")
    del notes["columns"]
    assert notes == {
        "contact_point": "rs.ncp",
        "made_at": "2026-11-28T05:00:00.000Z",
        "quarters": ["2026Q4"],
        "rows": 2,
        "k": LEAST_SHOWN,
        "withheld": {"rows": 1},
    }
