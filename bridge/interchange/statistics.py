"""Figures of corridors as CSV (RFC 4180): the console's own, with the same cells withheld (decision 0034)."""

from __future__ import annotations

import csv
import io
from typing import Final

from bridge.app.desk.corridors import CorridorTable

COLUMNS: Final = ("quarter", "form", "from", "to", "count", "withheld")


def csv_of(tables: list[CorridorTable]) -> bytes:
    """UTF-8 with a header row; a cell that is withheld has no count and says so.

    Every value is a code or a number, so that no cell is taken for a formula by who opens it in a spreadsheet.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for table in tables:
        for flow in table.flows:
            shown = "" if flow.count is None else flow.count
            writer.writerow((table.quarter, table.form, flow.origin, flow.destination, shown, int(flow.count is None)))
    return out.getvalue().encode()
