"""The figures as CSV: the console's own rows, what is withheld has no count, and no cell is a formula."""

from __future__ import annotations

import csv
import io

from bridge.app.desk.corridors import CorridorTable
from bridge.interchange.statistics import COLUMNS, csv_of
from bridge.ports.store.corridors import Flow

TABLE = CorridorTable(["2026Q4"], "2026Q4", "sexual", [Flow("RS", "AT", 17), Flow("XK", "MK", None)])


def test_a_row_for_each_flow_and_no_count_where_it_is_withheld() -> None:
    data = csv_of([TABLE, CorridorTable(["2026Q4"], "2026Q4", "*", [])])
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows == [[*COLUMNS], ["2026Q4", "sexual", "RS", "AT", "17", "0"], ["2026Q4", "sexual", "XK", "MK", "", "1"]]
    assert data.endswith(b"\r\n")
    assert not any(cell[:1] in {"=", "+", "-", "@"} for row in rows for cell in row)
