"""A node as it is meant for a country: three processes, each with its role, over one PostgreSQL that comes and goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alerts_in_numbers import arrived, submit_many
from bridge_countries import Country, eventually, found_country, running
from servers.missing import server_is_missing
from servers.private_postgres import PrivatePostgres

from bridge.core.errors import UnavailableError
from broker import Access

ROLES = ("publisher", "subscriber", "contact-point")
MANY = 30
SECONDS = 90.0

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class World:
    """Serbia with one process on SQLite, Austria with three over a database server of its own."""

    serbia: Country
    austria: Country
    server: PrivatePostgres

    @contextmanager
    def austria_running(self) -> Iterator[Sequence[Country]]:
        """Austria's three processes; they are stopped at the end where they still run."""
        processes = [Country(self.austria.config) for _ in ROLES]
        try:
            for role, process in zip(ROLES, processes, strict=True):
                process.start(role)
                process.wait_ready()
            yield processes
        finally:
            for process in processes:
                if process.process is not None and process.process.poll() is None:
                    process.stop()

    def received(self) -> list[str]:
        """The message ids in Austria's inbox."""
        items: list[dict[str, Any]] = self.austria.ask("inbox", "list")["items"]
        return [item["id"] for item in items]

    def exchange(self, count: int) -> tuple[list[str], list[str]]:
        """Alerts both ways: what Serbia sent, what Austria sent."""
        return submit_many(self.serbia, count, to=["at.ncp"]), submit_many(self.austria, count, to=["rs.ncp"])

    def wait_for(self, from_serbia: Sequence[str], from_austria: Sequence[str]) -> None:
        """Until each is where it belongs, and the receipts are back; each is there once."""
        eventually(lambda: set(self.received()) >= set(from_serbia), seconds=SECONDS)
        eventually(lambda: set(arrived(self.serbia, "rs.ncp")) >= set(from_austria), seconds=SECONDS)
        assert sorted(self.received()) == sorted(from_serbia)
        assert arrived(self.serbia, "rs.ncp") == dict.fromkeys(from_austria, 1)
        for sender, recipient, sent in ((self.serbia, "at.ncp", from_serbia), (self.austria, "rs.ncp", from_austria)):
            assert sender.reached(sent[-1], recipient, "delivered_at")["state"] == "delivered"


@pytest.fixture
def world(
    broker_node: Access, own_vhost: str, tmp_path: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Two countries whose broker knows them; Serbia runs."""
    del postgres_server  # it is the whole session's; asked for, it tells whether there is a PostgreSQL to be had
    monkeypatch.setenv("NCP_BRIDGE_HEARTBEAT__SECONDS", "1")
    server = PrivatePostgres()
    try:
        server.start()
    except UnavailableError as error:
        server_is_missing(error)
    try:
        serbia, austria, _ = (
            found_country(tmp_path, country, broker=broker_node, vhost=own_vhost) for country in ("RS", "AT", "HU")
        )
        put_on(server, austria)
        for country in (serbia, austria):
            country.apply_topology(broker_node.management_url)
        with running([serbia]):
            yield World(serbia, austria, server)
    finally:
        server.stop()


def put_on(server: PrivatePostgres, country: Country) -> None:
    """As docs/operations.md says: the address without the password, and the file that holds it."""
    text = country.config.read_text("utf-8")
    address = (
        f'database = "{re.sub(":[^:@]*@", "@", server.url())}"\ndatabase_password_file = "secrets/database.password"'
    )
    changed, count = re.subn(r"(?m)^#? ?database = .*$", address, text, count=1)
    assert count == 1, text
    country.config.write_text(changed, "utf-8")
    file = country.folder / "secrets" / "database.password"
    file.touch(mode=0o600)
    file.write_text(server.password, "utf-8")


def test_three_processes_on_one_database_are_killed_and_the_server_restarts_and_nothing_is_lost_or_doubled(
    world: World,
) -> None:
    # given
    with world.austria_running() as processes:
        from_serbia, from_austria = world.exchange(MANY)
        world.wait_for(from_serbia, from_austria)

        # when: the server is killed and starts again while they run and alerts flow
        more = world.exchange(MANY)
        world.server.restart()
        more_still = world.exchange(MANY)
        from_serbia += [*more[0], *more_still[0]]
        from_austria += [*more[1], *more_still[1]]

        # then: the same processes go on by themselves
        world.wait_for(from_serbia, from_austria)
        assert [process.process.poll() for process in processes if process.process] == [None] * len(ROLES)

        # when: all three are killed with alerts in hand, and the server once more
        more = world.exchange(MANY)
        for process in processes:
            assert process.process is not None
            process.process.kill()
            process.process.wait()
    world.server.restart()
    from_serbia += more[0]
    from_austria += more[1]

    # then
    with world.austria_running():
        world.wait_for(from_serbia, from_austria)
        doctor = world.austria.say("doctor", "--json").json
        assert next(check for check in doctor["checks"] if check["name"] == "database")["ok"]


def test_a_backup_of_the_running_node_is_restored_into_a_new_epoch_and_the_node_goes_on(
    world: World, tmp_path: Path
) -> None:
    # given
    with world.austria_running():
        from_serbia, from_austria = world.exchange(MANY)
        world.wait_for(from_serbia, from_austria)
        backup = world.austria.ask("backup", tmp_path / "austria.tar")
        status, error = world.austria.refuse("restore", tmp_path / "austria.tar", "--yes")
        assert (status, error["code"]) == (3, "E_NODE_RUNNING")
        since = submit_many(world.serbia, 3, to=["at.ncp"])
        eventually(lambda: set(world.received()) >= set(since), seconds=SECONDS)

    # when
    restored = world.austria.ask("restore", tmp_path / "austria.tar", "--yes")

    # then
    assert (restored["messages"], restored["inbox"]) == (backup["messages"], backup["inbox"])
    assert restored["kept_aside"].startswith("schema ncp_bridge_kept_")
    assert sorted(world.received()) == sorted(from_serbia)
    with world.austria_running():
        later = world.exchange(3)
        eventually(lambda: set(arrived(world.serbia, "rs.ncp")) >= set(later[1]), seconds=SECONDS)
        eventually(lambda: set(world.received()) >= set(later[0]), seconds=SECONDS)
        assert world.austria.reached(later[1][-1], "rs.ncp", "delivered_at")["state"] == "delivered"
