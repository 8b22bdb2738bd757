"""Certificates are renewed while messages flow: nothing is lost, nothing stops, what does not hold changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tls_world import TlsWorld, equip, stranger, until

from bridge.adapters.amqp.consumer import AmqpConsumer
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession, all_open
from bridge.adapters.certificates.files import certificate_file, held_certificate
from bridge.compose.broker_login import BrokerSessions
from bridge.compose.node import open_trust
from bridge.core import broker_names as names
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.founding.topology import certificates_on_broker
from bridge.ports.broker import Publication, PublishOutcome
from bridge.ports.trust import TrustSource
from bridge.settings import NodeSettings

pytestmark = pytest.mark.broker

SECONDS = 20.0
LIVE_SECONDS = 3
RENEWALS = 3
QUEUES = (names.country_queue("rs", "urgent"), names.country_queue("rs", "normal"))
KEY = names.alert_key("at", "rs", lane="normal", kind="route_alert")

_numbers = itertools.count(1)


@dataclass
class ListOf:
    """A membership list that the test changes; stands in for the node's own, which governance changes."""

    directory: Directory

    def current(self) -> Directory:
        return self.directory


@dataclass
class Traffic:
    """What was confirmed to the sender, and what arrived."""

    confirmed: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)

    async def publish(self, publisher: AmqpPublisher) -> None:
        while True:
            row = f"row-{next(_numbers)}"
            one = Publication(
                row, names.ingress_exchange("at"), KEY, row.encode(), "route_alert", "at.ncp", row, datetime.now(UTC)
            )
            outcome = None
            while outcome is not PublishOutcome.CONFIRMED:  # as the outbox: the same row, until it is confirmed
                try:
                    (outcome,) = await publisher.publish([one])
                except UnavailableError:
                    await asyncio.sleep(0.02)
            self.confirmed.add(row)
            await asyncio.sleep(0.01)

    async def consume(self, session: AmqpSession) -> None:
        while True:
            consumer = AmqpConsumer(session, QUEUES)
            try:
                await consumer.open()
                while True:
                    batch = await consumer.next_batch()
                    self.arrived |= {delivery.wire_bytes.decode() for delivery in batch}
                    await consumer.acknowledge(batch)
            except UnavailableError:
                await asyncio.sleep(0.02)
            finally:
                await consumer.close()


@asynccontextmanager
async def traffic(out: AmqpSession, into: AmqpSession) -> AsyncIterator[Traffic]:
    """Flows while entered; on leaving, all that was confirmed must arrive."""
    flowing = Traffic()
    publishing = asyncio.create_task(flowing.publish(AmqpPublisher(out)))
    consuming = asyncio.create_task(flowing.consume(into))
    try:
        yield flowing
        publishing.cancel()
        await until(lambda: flowing.confirmed <= flowing.arrived, seconds=SECONDS)
    finally:
        for task in (publishing, consuming):
            task.cancel()
        await asyncio.wait([publishing, consuming])
    assert publishing.cancelled()
    assert consuming.cancelled()


@contextmanager
def certificates_of(world: TlsWorld, prefix: str) -> Iterator[NodeSettings]:
    """The node's settings; its certificates are afterwards as they were."""
    settings = world.nodes[prefix]
    kept = {path: path.read_bytes() for path in (settings.folder / "certificates").iterdir()}
    try:
        yield settings
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


@asynccontextmanager
async def one_session(settings: NodeSettings, trust: TrustSource) -> AsyncIterator[tuple[BrokerSessions, AmqpSession]]:
    sessions = BrokerSessions(settings, trust)
    session = sessions.make(settings.broker.relay, "test")
    async with session:
        await session.until_publishable(seconds=SECONDS)
        yield sessions, session


async def list_of(settings: NodeSettings) -> ListOf:
    trust = open_trust(settings)
    await trust.refresh()
    return ListOf(trust.current())


async def test_messages_flow_on_while_certificates_that_live_for_seconds_are_renewed(tls_world: TlsWorld) -> None:
    with certificates_of(tls_world, "at") as at, certificates_of(tls_world, "rs") as rs:
        # given
        renewed = [(at, at.broker.relay.user), (rs, rs.broker.router.user)]

        def renew() -> None:
            for settings, account in renewed:
                equip(
                    settings.folder / "certificates",
                    account,
                    tls_world.secretariat,
                    lifetime=timedelta(seconds=LIVE_SECONDS),
                )

        renew()
        outgoing, incoming = BrokerSessions(at, open_trust(at)), BrokerSessions(rs, open_trust(rs))
        for sessions in (outgoing, incoming):
            await sessions.trust.refresh()
        out = outgoing.make(at.broker.relay, "renewed out")
        into = incoming.make(rs.broker.router, "renewed in")

        # when
        async with all_open([out, into]), traffic(out, into) as flowing:
            for number in range(1, RENEWALS + 1):
                arrived = len(flowing.arrived)
                await until(lambda before=arrived: len(flowing.arrived) > before + 20, seconds=SECONDS)
                await asyncio.to_thread(renew)
                await outgoing.renew()
                await incoming.renew()
                await until(lambda n=number: out.status.connects == into.status.connects == n + 1, seconds=SECONDS)
                assert (out.status.connected, into.status.connected) == (True, True)

            # then: the broker sees the newest certificate on every connection
            for settings, account in renewed:
                ends = held_certificate(settings.folder / "certificates", account).ends
                await eventually_shows(tls_world, account, ends)
        assert len(flowing.confirmed) > RENEWALS * 20


async def eventually_shows(world: TlsWorld, account: str, ends: datetime) -> None:
    def shows() -> bool:
        _, answer_bytes = world.management.request("GET", "/api/connections")
        found = [one for one in json.loads(answer_bytes) if one.get("user") == account]
        return bool(found) and all(ends.strftime("%Y-%m-%dT%H:%M:%SZ") in one["peer_cert_validity"] for one in found)

    async with asyncio.timeout(SECONDS):
        while not await asyncio.to_thread(shows):  # noqa: ASYNC110 -- what is waited for is on the broker
            await asyncio.sleep(0.1)


async def test_a_connection_is_not_made_anew_while_its_certificate_is_the_same(tls_world: TlsWorld) -> None:
    settings = tls_world.nodes["rs"]
    async with one_session(settings, await list_of(settings)) as (sessions, session):
        for _ in range(3):
            await sessions.renew()
            await asyncio.sleep(0.05)

        assert session.status.connects == 1


async def test_a_new_certificate_that_the_broker_refuses_leaves_the_connection(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    with certificates_of(tls_world, "rs") as settings:
        other, account = stranger(tmp_path / "network"), settings.broker.relay.user
        async with one_session(settings, await list_of(settings)) as (sessions, session):
            version = session.login_version
            equip(tmp_path / "c", account, other)
            wrong = certificate_file(tmp_path / "c", account).read_bytes()
            certificate_file(settings.folder / "certificates", account).write_bytes(wrong)

            await sessions.renew()
            await asyncio.sleep(1)  # as long as an attempt takes, many times over

            assert (session.status.connected, session.login_version) == (True, version)
            await session.until_publishable(seconds=SECONDS)


async def test_a_broker_whose_authority_left_the_list_is_left(tls_world: TlsWorld, tmp_path: Path) -> None:
    settings = tls_world.nodes["rs"]
    listed = await list_of(settings)
    async with one_session(settings, listed) as (sessions, session):
        others = stranger(tmp_path / "network").directory.certificate_authorities

        listed.directory = replace(listed.directory, certificate_authorities=others)
        await sessions.renew()

        await until(lambda: session.status.code == "E_BROKER_CERTIFICATE", seconds=SECONDS)
        assert not session.status.connected


async def test_a_second_authority_in_the_list_ends_no_connection(tls_world: TlsWorld, tmp_path: Path) -> None:
    settings = tls_world.nodes["rs"]
    listed = await list_of(settings)
    async with one_session(settings, listed) as (sessions, session):
        both = (*listed.directory.certificate_authorities, *stranger(tmp_path / "n").directory.certificate_authorities)

        listed.directory = replace(listed.directory, certificate_authorities=both)
        await sessions.renew()

        await until(lambda: session.status.connects == 2, seconds=SECONDS)
        assert session.status.connected


async def test_the_brokers_operator_sees_which_certificates_in_use_end_first(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    logins = [
        tls_world.login(tmp_path / "relay", "at-relay"),
        Login(
            [tls_world.url("at-router")],
            tls_world.context(tmp_path / "router", "at-router", lifetime=timedelta(days=5)),
        ),
    ]
    sessions = [AmqpSession(lambda login=login: login, name="watched") for login in logins]
    async with all_open(sessions):
        for session in sessions:
            await session.until_publishable(seconds=SECONDS)

        async with asyncio.timeout(SECONDS):
            while True:
                found = await certificates_on_broker(tls_world.nodes["at"])
                if [one.name for one in found] == ["at-router", "at-relay"]:
                    break
                await asyncio.sleep(0.1)

        now = datetime.now(UTC)
        assert [one.days_left(now) for one in found] == [4, 89]
