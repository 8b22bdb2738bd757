"""Figures of corridors as CSV (RFC 4180): the console's own, with the same cells withheld (decision 0034)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bridge.app.desk.corridors import CorridorTable
from bridge.core.times import format_time
from bridge.ports.store.corridors import LEAST_SHOWN, WHATEVER_FORM

COLUMNS: Final[Mapping[str, str]] = {
    "quarter": "the calendar quarter, in UTC, in which the alert's thread began",
    "form": f"a form of exploitation; {WHATEVER_FORM} is whatever form",
    "from": "the country where a leg begins, ISO 3166-1",
    "to": "the country where that leg ends, ISO 3166-1",
    "count": "how many threads of actual alerts had such a leg, each once; empty where it is withheld",
    "withheld": "1 where the count is withheld, else 0",
}
WHY_WITHHELD: Final = (
    f"counts below {LEAST_SHOWN} could point to a person; more are withheld where those could be computed from them"
)


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


def notes_of(tables: list[CorridorTable], *, contact_point: str, made_at: datetime) -> Mapping[str, object]:
    """What somebody who gets the CSV needs to read it; tells no more than the CSV does."""
    flows = [flow for table in tables for flow in table.flows]
    return {
        "contact_point": contact_point,
        "made_at": format_time(made_at),
        "quarters": list(dict.fromkeys(table.quarter for table in tables)),
        "columns": dict(COLUMNS),
        "rows": len(flows),
        "k": LEAST_SHOWN,
        "withheld": {"rows": sum(flow.count is None for flow in flows), "why": WHY_WITHHELD},
    }
