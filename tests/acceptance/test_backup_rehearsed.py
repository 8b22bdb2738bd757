"""A backup rehearsed as it will be needed: taken under load, and restored after everything since was lost.

Nothing that peers have is lost to them, and what the restored node had received since the backup is asked for again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alerts_in_numbers import arrived, submit_many, waiting
from bridge_countries import Country, eventually, found_country, running

from broker import Access

MANY = 40
SECONDS = 90.0


@pytest.fixture
def two(
    broker_node: Access, own_vhost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Country, Country]]:
    """Serbia and Austria, running; each tells the other every second what it has sent. Hungary has nothing but keys."""
    monkeypatch.setenv("NCP_BRIDGE_HEARTBEAT__SECONDS", "1")
    serbia, austria, _ = (
        found_country(tmp_path, country, broker=broker_node, vhost=own_vhost) for country in ("RS", "AT", "HU")
    )
    for country in (serbia, austria):
        country.apply_topology(broker_node.management_url)
    with running([serbia, austria]):
        yield serbia, austria


class Traffic:
    """Alerts from both to each other, a few at a time, for as long as it is wanted."""

    def __init__(self, serbia: Country, austria: Country) -> None:
        self.from_serbia: list[str] = []
        self.from_austria: list[str] = []
        self._ways = ((serbia, self.from_serbia, ["at.ncp"]), (austria, self.from_austria, ["rs.ncp"]))

    @contextmanager
    def flowing(self) -> Iterator[None]:
        stop = threading.Event()

        def flow() -> None:
            while not stop.is_set():
                for origin, sent, to in self._ways:
                    sent.extend(submit_many(origin, 2, to=to))

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(SECONDS)

    def reaches(self, count: int) -> bool:
        return min(len(self.from_serbia), len(self.from_austria)) >= count


def test_a_node_restored_from_a_backup_under_load_loses_nothing_to_its_peers_and_gets_back_what_came_since(
    two: tuple[Country, Country], tmp_path: Path
) -> None:
    # given a backup of Serbia's node in the midst of traffic both ways
    serbia, austria = two
    traffic = Traffic(serbia, austria)
    with traffic.flowing():
        eventually(lambda: traffic.reaches(MANY), seconds=SECONDS)
        backup = serbia.ask("backup", tmp_path / "serbia.tar")
        sent_until_then = len(traffic.from_serbia)
        eventually(lambda: traffic.reaches(sent_until_then + MANY), seconds=SECONDS)
    eventually(lambda: waiting(serbia) == 0 and waiting(austria) == 0, seconds=SECONDS)
    eventually(lambda: set(arrived(austria, "at.ncp")) >= set(traffic.from_serbia), seconds=SECONDS)
    eventually(lambda: set(arrived(serbia, "rs.ncp")) >= set(traffic.from_austria), seconds=SECONDS)
    assert 0 < backup["messages"] < len(traffic.from_serbia)
    assert backup["inbox"] < len(traffic.from_austria)

    # when it is killed, its database is lost, and the backup is restored
    assert serbia.process is not None
    serbia.process.kill()
    serbia.process.wait()
    for file in serbia.folder.glob("node.db*"):
        file.unlink()
    status, error = austria.refuse("restore", tmp_path / "serbia.tar", "--yes")
    assert (status, error["code"]) == (3, "E_BACKUP_OTHER")
    restored = serbia.ask("restore", tmp_path / "serbia.tar", "--yes")
    assert (restored["previous"], restored["kept_aside"]) == (1, None)
    assert restored["epoch"] >= int(time.time()) - 3600
    assert (restored["messages"], restored["inbox"]) == (backup["messages"], backup["inbox"])
    serbia.start()
    serbia.wait_ready()

    # then it goes on, in its new epoch
    later = [*submit_many(serbia, 5, to=["at.ncp"]), *submit_many(serbia, 5, urgency="immediate", to=["at.ncp"])]
    from_austria = [*traffic.from_austria, *submit_many(austria, 5, to=["rs.ncp"])]
    eventually(lambda: set(arrived(austria, "at.ncp")) >= {*traffic.from_serbia, *later}, seconds=SECONDS)
    assert epochs_of(austria, "rs.ncp") >= {1, restored["epoch"]}

    # and what came since the backup comes again: Serbia sees by a heartbeat what it does not have, and asks for it
    def everything_is_back() -> bool:
        a_minute_passes(serbia)
        return set(arrived(serbia, "rs.ncp")) >= set(from_austria)

    eventually(everything_is_back, seconds=SECONDS)
    for country, point, sent in (
        (austria, "at.ncp", {*traffic.from_serbia, *later}),
        (serbia, "rs.ncp", set(from_austria)),
    ):
        assert arrived(country, point) == dict.fromkeys(sent, 1)
    assert serbia.reached(later[0], "at.ncp", "delivered_at")["state"] == "delivered"


def a_minute_passes(country: Country) -> None:
    """As if it had: what is missing is asked for a minute later."""
    with closing(sqlite3.connect(country.folder / "node.db", timeout=SECONDS)) as database, database:
        database.execute("UPDATE sequence_gap SET missed_at = missed_at - 61000000 WHERE asked = 0")


def epochs_of(country: Country, sender: str) -> set[int]:
    """The epochs in which this sender has reached us."""
    with closing(sqlite3.connect(country.folder / "node.db", timeout=SECONDS)) as database:
        return {epoch for (epoch,) in database.execute("SELECT epoch FROM sequence_stream WHERE sender = ?", (sender,))}
