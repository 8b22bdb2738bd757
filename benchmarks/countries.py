"""Two countries of the demonstration's network on one broker, with alerts made beforehand in the first one's outbox.

Serbia's contact point sends, Austria's receives. The alerts are finished messages, signed and sealed to one recipient;
they wait under a relay's name that nobody has, until `release` hands them to the publisher all at once. So a run
measures carrying, not making.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks.cases import SENDER, sample_alert
from bridge.adapters.amqp.management import Management
from bridge.adapters.store.schema import migrate
from bridge.app.sending.send import Draft
from bridge.app.sending.submit import SubmitAlerts
from bridge.compose.node import Node, open_node
from bridge.core.routing import plan_answer
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import NodeSettings, load_settings
from broker.access import Access
from demo.network import MANAGEMENT_URL_FILE, NETWORK_FILE

RECIPIENT: Final = "at.ncp"
WAITING: Final = "waits for the benchmark"
_IN_ONE_TRANSACTION: Final = 200
_DATABASE_FILES: Final = ("node.db", "node.db-wal", "node.db-shm")


@dataclass(frozen=True, slots=True)
class PremadeAlert:
    """One finished message as the relay would publish it."""

    row_id: str
    message_id: str
    wire_bytes: bytes


@dataclass(frozen=True, slots=True)
class Countries:
    """The two nodes' settings files, and the databases kept to begin every run from."""

    origin: Path
    destination: Path
    premade: Path

    @property
    def configs(self) -> dict[str, Path]:
        """The settings files by country prefix."""
        return {config.parent.name: config for config in (self.origin, self.destination)}

    def settings(self) -> tuple[NodeSettings, NodeSettings]:
        """Origin's and destination's settings."""
        return load_settings(self.origin), load_settings(self.destination)


def found_pair(folder: Path, *, broker: Access, vhost: str) -> Countries:
    """Founds the network and the two nodes; blocks for a second or two."""
    found_network(folder / "network", NETWORK_FILE)
    place = BrokerPlace(host=broker.host, port=broker.port, vhost=vhost, admin_url_file=Path(MANAGEMENT_URL_FILE))
    orders = [NodeOrder(folder / country.lower(), country, place) for country in ("RS", "AT")]
    found_nodes(orders, network=folder / "network")
    origin, destination = (order.folder / "node.toml" for order in orders)
    return Countries(origin, destination, folder / "premade.db")


async def prepare_draft(node: Node) -> tuple[SubmitAlerts, Draft]:
    """The sample alert, validated, screened and routed as `alert submit` does; then to the one recipient only."""
    submitting = await node.submitting()
    draft = await submitting.prepare(sample_alert(), sender=SENDER)
    directory, now = node.trust.current(), datetime.now(UTC)
    plan = plan_answer(RECIPIENT, directory, kind=draft.kind, status=draft.status, sender=SENDER, at=now)
    return submitting, replace(draft, plan=plan)


async def make_alerts(countries: Countries, count: int) -> list[PremadeAlert]:
    """Makes the alerts, keeps the origin's database with them, and answers them in their order."""
    database = _database(countries.origin)
    begin_anew(countries)
    await migrate(countries.settings()[0].database_url)
    async with open_node(countries.settings()[0]) as node:
        submitting, draft = await prepare_draft(node)
        for begun in range(0, count, _IN_ONE_TRANSACTION):
            async with node.store.writing() as unit:
                for _ in range(min(_IN_ONE_TRANSACTION, count - begun)):
                    await submitting.sending.send_in(unit, draft, sender=SENDER)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE outbox SET relay = ?", (WAITING,))
        connection.commit()
        rows = connection.execute(
            "SELECT o.id, o.message_id, w.wire_bytes FROM outbox o JOIN wire w ON w.sha256 = o.wire_sha256 "
            "ORDER BY o.position"
        ).fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(database, countries.premade)
    return [PremadeAlert(*row) for row in rows]


def begin_anew(countries: Countries, *, with_alerts: bool = False) -> None:
    """Empties both databases; the services make them again. With alerts: the origin begins with those that wait."""
    for config in (countries.origin, countries.destination):
        for name in _DATABASE_FILES:
            (config.parent / name).unlink(missing_ok=True)
    if with_alerts:
        shutil.copyfile(countries.premade, _database(countries.origin))


def empty_queues(broker: Access, *, vhost: str) -> None:
    """Empties every queue: the bare side's library loses an acknowledgement now and then when it closes."""
    management = Management.at(broker.management_url)
    for queue in management.depths(vhost):
        management.request("DELETE", f"/api/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}/contents")


def release(countries: Countries) -> None:
    """Hands the alerts that wait to the publisher, in one transaction."""
    with closing(sqlite3.connect(_database(countries.origin), timeout=10)) as connection:
        connection.execute("UPDATE outbox SET relay = 'publisher' WHERE relay = ?", (WAITING,))
        connection.commit()


@contextmanager
def reading_arrivals(countries: Countries) -> Iterator[sqlite3.Connection]:
    """The destination's database, to look at from outside."""
    url = f"file:{_database(countries.destination)}?mode=ro"
    with closing(sqlite3.connect(url, uri=True, isolation_level=None)) as connection:
        yield connection


def count_arrived(connection: sqlite3.Connection) -> int:
    """How many alerts are in the inbox; as fast as it gets, for it is asked often."""
    (position,) = connection.execute("SELECT coalesce(max(position), 0) FROM inbox").fetchone()
    return int(position)


def count_stored(connection: sqlite3.Connection) -> dict[str, int]:
    """What a run has left behind at the destination: alerts received, receipts owed, messages refused."""
    queries = {
        "received": "SELECT count(DISTINCT id) FROM inbox",
        "receipts": "SELECT count(*) FROM outbox WHERE kind = 'receipt'",
        "refused": "SELECT count(*) FROM quarantine",
        "held": "SELECT count(*) FROM held",
    }
    return {name: int(connection.execute(query).fetchone()[0]) for name, query in queries.items()}


def where_alerts_are(countries: Countries) -> str:
    """What both databases say about the alerts, for the sentence of a run that failed."""
    with closing(sqlite3.connect(_database(countries.origin))) as connection:
        query = "SELECT relay, sent_at IS NOT NULL, last_error, count(*) FROM outbox GROUP BY 1, 2, 3"
        outbox = [
            f"{count} of {relay} {'sent' if sent else 'unsent'} ({error})"
            for relay, sent, error, count in connection.execute(query)
        ]
    with reading_arrivals(countries) as connection:
        stored = count_stored(connection)
    return f"origin's outbox: {', '.join(outbox) or 'empty'}; destination: {stored}"


def _database(config: Path) -> Path:
    return config.parent / "node.db"
