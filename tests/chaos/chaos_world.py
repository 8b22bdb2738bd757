"""A network of four countries on this machine, founded for one run and gone after it.

Serbia and Austria run in one process each, Croatia in three split by role, Hungary on PostgreSQL. Austria's database
has a small file system of its own (tmpfs) where one may be mounted.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
from servers.private_postgres import PrivatePostgres

from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from broker import Access
from broker.own_broker import OwnBroker
from demo.network import MANAGEMENT_URL_FILE, prepare_broker

COUNTRIES: Final = ("at", "hr", "hu", "rs")
SPLIT: Final = "hr"
ON_POSTGRES: Final = "hu"
ON_SMALL_DISK: Final = "at"
ROLES: Final = ("publisher", "subscriber", "contact-point")
SMALL_DISK_BYTES: Final = 3 * 1024**3
CLONE_NEWNS: Final = 0x00020000  # linux/sched.h

_NETWORK: Final = """
network = "chaos"
countries = [{countries}]
{points}
"""
_POINT: Final = """
[[contact_points]]
id = "{country}.ncp"
name = "National contact point, {country}"
national_desk = true
"""


@dataclass(frozen=True)
class Country:
    """One country: its settings and where its database is.

    Attributes:
        database: the file; on PostgreSQL, `None`.
        database_url: of PostgreSQL with its password; empty for a file.
        disk: the small file system that holds the database, where there is one.
    """

    prefix: str
    config: Path
    database: Path | None
    database_url: str = field(default="", repr=False)
    disk: Path | None = None

    @property
    def roles(self) -> tuple[str | None, ...]:
        """The roles of its processes; `None` is all in one."""
        return ROLES if self.prefix == SPLIT else (None,)

    @property
    def contact_point(self) -> str:
        """The id of its one contact point."""
        return f"{self.prefix}.ncp"


@dataclass(frozen=True)
class World:
    """Everything of one run that stays for its length.

    Attributes:
        records: the folder of the load generators' files.
        brokers: one, or the nodes of a cluster.
        no_small_disk: why there is no small file system, if there is none.
    """

    folder: Path
    brokers: Sequence[Access]
    vhost: str
    postgres: PrivatePostgres
    countries: Mapping[str, Country]
    records: Path
    no_small_disk: str | None

    @property
    def broker(self) -> Access:
        """One that runs, to ask and to publish as the administrator."""
        return next((one for one in self.brokers if not isinstance(one, OwnBroker) or one.alive), self.brokers[0])

    @property
    def ports(self) -> frozenset[int]:
        """Where the brokers listen."""
        return frozenset(broker.port for broker in self.brokers)


@contextmanager
def founded(folder: Path, brokers: Sequence[Access], *, vhost: str) -> Iterator[World]:
    """The network in `folder`; its PostgreSQL runs and its disk is mounted while this is entered."""
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres())
        disk, why_not = stack.enter_context(_small_disk(folder / "small-disk"))
        network = _found_network(folder)
        broker = brokers[0]
        place = BrokerPlace(host=broker.host, port=broker.port, vhost=vhost, admin_url_file=Path(MANAGEMENT_URL_FILE))
        orders = [NodeOrder(folder / country, country.upper(), place) for country in COUNTRIES]
        found_nodes(orders, network=network)
        countries = {}
        for order in orders:
            prefix, config = order.folder.name, order.folder / "node.toml"
            _set_hosts(config, brokers)
            if prefix == ON_POSTGRES:
                countries[prefix] = Country(prefix, config, None, _use_postgres(config, postgres))
            elif prefix == ON_SMALL_DISK and disk is not None:
                _set_database(config, f"sqlite:///{disk / 'node.db'}")
                countries[prefix] = Country(prefix, config, disk / "node.db", disk=disk)
            else:
                countries[prefix] = Country(prefix, config, order.folder / "node.db")
        records = folder / "records"
        records.mkdir()
        yield World(folder, brokers, vhost, postgres, countries, records, why_not)


async def prepare(world: World) -> None:
    """Makes virtual host, topology and accounts on the broker."""
    world.broker.create_vhost(world.vhost)
    configs = {prefix: country.config for prefix, country in world.countries.items()}
    await prepare_broker(configs, broker=world.broker)
    connection = await asyncpg.connect(world.postgres.url())
    try:
        await connection.execute(f"CREATE DATABASE {ON_POSTGRES}")
        # The server of the tests forgives itself what a run that kills it may not.
        await connection.execute("ALTER ROLE owner SET synchronous_commit = on")
    finally:
        await connection.close()


def enter_mount_namespace() -> None:
    """Mounts of this process are its own from now on and end with it, however it ends; not where that is refused.

    Not for a process that others share: servers that it started before do not see what it mounts then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and libc.unshare(CLONE_NEWNS) == 0:
        subprocess.run(["/usr/bin/mount", "--make-rprivate", "/"], check=True)


@contextmanager
def _small_disk(folder: Path) -> Iterator[tuple[Path | None, str | None]]:
    folder.mkdir()
    options = f"size={SMALL_DISK_BYTES},mode=0700"
    command = ["/usr/bin/mount", "-t", "tmpfs", "-o", options, f"ncp-chaos-{secrets.token_hex(3)}", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if mounted.returncode != 0:
        yield None, f"a small file system cannot be mounted here: {mounted.stderr.strip()}"
        return
    try:
        yield folder, None
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=False)  # noqa: S603 - our own command


def _found_network(folder: Path) -> Path:
    file = folder / "network.toml"
    points = "".join(_POINT.format(country=country) for country in COUNTRIES)
    names = ", ".join(f'"{country.upper()}"' for country in COUNTRIES)
    file.write_text(_NETWORK.format(countries=names, points=points), "utf-8")
    found_network(folder / "network", file)
    return folder / "network"


def _use_postgres(config: Path, postgres: PrivatePostgres) -> str:
    password = config.parent / "secrets" / "database.password"
    password.touch(mode=0o600)
    password.write_text(postgres.password + "\n", "ascii")
    address = f"postgresql://owner@{postgres.host}:{postgres.port}/{ON_POSTGRES}"
    _set_database(config, address, 'database_password_file = "secrets/database.password"')
    return postgres.url(ON_POSTGRES)


def _set_hosts(config: Path, brokers: Sequence[Access]) -> None:
    if len(brokers) > 1:
        hosts = ", ".join(f'"{broker.host}:{broker.port}"' for broker in brokers)
        config.write_text(config.read_text("utf-8").replace("[broker]\n", f"[broker]\nhosts = [{hosts}]\n"), "utf-8")


def _set_database(config: Path, address: str, more: str = "") -> None:
    text, times = re.subn(r"(?m)^database = .*$", f'database = "{address}"\n{more}', config.read_text("utf-8"))
    if times != 1:
        raise RuntimeError(config)
    config.write_text(text, "utf-8")
