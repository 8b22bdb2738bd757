"""The figures come from the databases, and only from them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.adapters.store.schema import migrate
from demo.figures import count, rows
from demo.report import as_json, as_text, is_complete

VIEWS = {
    "v_recipients": "message_id, kind, recipient, acknowledged_at",
    "v_inbox": "contact_point, message_id, kind, state",
    "v_receipts": "message_id, kind, recipient, state",
    "quarantine": "code",
}


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, Path]:
    """Serbia and Austria, with tables of the views' names and columns that a test can fill."""
    paths = {prefix: tmp_path / f"{prefix}.db" for prefix in ("rs", "at")}
    for path in paths.values():
        with closing(sqlite3.connect(path)) as database:
            for view, columns in VIEWS.items():
                database.execute(f"CREATE TABLE {view} ({columns})")
    return paths


def fill(database: Path, view: str, *lines: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        marks = ", ".join("?" * len(lines[0]))
        connection.executemany(f"INSERT INTO {view} VALUES ({marks})", lines)  # noqa: S608 - a name from above


def given_everything_arrived(databases: dict[str, Path]) -> None:
    fill(
        databases["rs"],
        "v_recipients",
        ("m1", "route_alert", "at.ncp", "2026-11-24"),
        ("m1", "route_alert", "at.police", "2026-11-24"),
        ("m2", "alert_cancel", "at.ncp", "2026-11-24"),
        ("a1", "acknowledgement", "at.ncp", None),
    )
    fill(
        databases["at"],
        "v_inbox",
        ("at.ncp", "m1", "route_alert", "acknowledged"),
        ("at.police", "m1", "route_alert", "acknowledged"),
        ("at.ncp", "m2", "alert_cancel", "acknowledged"),
        ("at.ncp", "a1", "acknowledgement", "new"),
    )
    fill(
        databases["rs"],
        "v_receipts",
        ("m1", "route_alert", "at.ncp", "delivered"),
        ("m1", "route_alert", "at.police", "delivered"),
        ("m2", "alert_cancel", "at.ncp", "delivered"),
    )
    fill(databases["at"], "quarantine", ("E_JSON",), ("E_JSON",), ("E_SIZE",))


def test_answers_are_not_counted_as_alerts(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)

    figures = count(databases)

    assert (figures.published, figures.recipients, figures.delivered) == (2, 3, 3)
    assert (figures.receipts, figures.acknowledged) == (3, 3)
    assert (figures.lost, figures.duplicates) == (0, 0)
    assert figures.refused == {"E_JSON": 2, "E_SIZE": 1}
    assert is_complete(figures, injected=3)
    assert not is_complete(figures, injected=4)


def test_what_did_not_arrive_is_lost(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)
    fill(databases["rs"], "v_recipients", ("m3", "route_alert", "at.ncp", None))

    figures = count(databases)

    assert (figures.published, figures.recipients, figures.delivered, figures.lost) == (3, 4, 3, 1)
    assert not is_complete(figures, injected=0)


def test_what_arrived_twice_is_a_duplicate_and_does_not_make_up_for_a_loss(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)
    fill(databases["rs"], "v_recipients", ("m3", "route_alert", "at.ncp", None))
    fill(databases["at"], "v_inbox", ("at.ncp", "m2", "alert_cancel", "new"))

    figures = count(databases)

    assert (figures.lost, figures.duplicates) == (1, 1)


def test_an_expired_stub_or_what_nobody_sent_is_no_delivery(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)
    fill(databases["rs"], "v_recipients", ("m3", "route_alert", "at.ncp", None))
    fill(databases["at"], "v_inbox", ("at.ncp", "m3", "route_alert", "expired"), ("at.ncp", "x", "route_alert", "new"))

    figures = count(databases)

    assert (figures.delivered, figures.lost, figures.duplicates) == (3, 1, 0)


def test_a_rejected_receipt_is_none(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)
    fill(databases["rs"], "v_recipients", ("m3", "route_alert", "at.ncp", None))
    fill(databases["rs"], "v_receipts", ("m3", "route_alert", "at.ncp", "rejected"))

    assert count(databases).receipts == 3


def test_the_views_of_a_real_database_have_these_columns(tmp_path: Path) -> None:
    asyncio.run(migrate(f"sqlite:///{tmp_path / 'node.db'}"))

    figures = count({"rs": tmp_path / "node.db"})

    assert (figures.published, figures.refused) == (0, {})
    for view, columns in VIEWS.items():
        assert list(rows(tmp_path / "node.db", f"SELECT {columns} FROM {view}")) == []  # noqa: S608 - names from above


def test_a_country_that_has_no_database_yet_has_no_figures(tmp_path: Path) -> None:
    assert count({"rs": tmp_path / "none.db"}).recipients == 0
    assert not (tmp_path / "none.db").exists()


def test_the_report_says_the_same_to_people_and_machines(databases: dict[str, Path]) -> None:
    given_everything_arrived(databases)
    figures = count(databases)

    machine, people = (report(figures, seconds=12.34, injected=3) for report in (as_json, as_text))

    assert machine == {
        "countries": 2,
        "published": 2,
        "recipients": 3,
        "delivered": 3,
        "receipts": 3,
        "acknowledged": 3,
        "injected": 3,
        "refused": {"E_JSON": 2, "E_SIZE": 1},
        "lost": 0,
        "duplicates": 0,
        "seconds": 12.3,
    }
    assert "2 alerts for 3 recipients: 3 delivered, 3 signed receipts back, 3 acknowledged" in str(people)
    assert "lost 0, twice 0" in str(people)


def test_kosovo_is_named_with_its_note(tmp_path: Path) -> None:
    here, elsewhere = (count({country: tmp_path / "none.db"}) for country in ("xk", "rs"))

    assert "Kosovo*" in as_text(here, seconds=1, injected=0)
    assert "UNSCR 1244" in as_text(here, seconds=1, injected=0)
    assert "UNSCR 1244" not in as_text(elsewhere, seconds=1, injected=0)
