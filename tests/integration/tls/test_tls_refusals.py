"""Who is let in to a broker by TLS, and which broker we talk to: each way of being somebody else, tried for real."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import aiormq.exceptions
import pytest
from tls_world import TlsWorld, equip, stranger, until

from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.certificates.files import certificate_file, held_certificate
from bridge.compose.broker_login import login_of
from bridge.compose.node import open_trust
from bridge.core.errors import UnavailableError

pytestmark = pytest.mark.broker

SECONDS = 15.0
SHUT_OUT_SECONDS = 5.0
# What is refused in TLS 1.3 comes after the handshake: the broker's reason may be lost with the connection.
REFUSED = {"E_BROKER_CREDENTIALS", "E_BROKER_UNREACHABLE"}


async def refusal(url: str, context: ssl.SSLContext | None) -> str:
    """The code with which a connection is refused; it fails where there is one."""
    with pytest.raises(UnavailableError) as refused:
        async with broker_calls(url, deadline_seconds=SECONDS), await aio_pika.connect(url, ssl_context=context):
            pass
    return refused.value.code


def bare_context(world: TlsWorld) -> ssl.SSLContext:
    """Of a client that trusts our broker and has no certificate."""
    return ssl.create_default_context(cadata="".join(world.secretariat.directory.certificate_authorities))


async def test_an_account_signs_in_with_its_certificate_alone(tls_world: TlsWorld) -> None:
    settings = tls_world.nodes["rs"]
    trust = open_trust(settings)
    await trust.refresh()

    for account in settings.accounts:
        login = login_of(settings, trust, account)
        async with await aio_pika.connect(login.urls[0], ssl_context=login.ssl_context, timeout=SECONDS):
            pass
    assert not list((settings.folder / "secrets").glob("*.password"))


async def test_without_a_certificate_nobody_is_let_in(tls_world: TlsWorld) -> None:
    assert await refusal(tls_world.url("rs-relay"), bare_context(tls_world)) in REFUSED


async def test_a_certificate_of_another_networks_authority_is_refused(tls_world: TlsWorld, tmp_path: Path) -> None:
    context = tls_world.context(tmp_path / "c", "rs-relay", secretariat=stranger(tmp_path / "network"))

    assert await refusal(tls_world.url("rs-relay"), context) in REFUSED


async def test_a_certificate_that_has_ended_is_refused(tls_world: TlsWorld, tmp_path: Path) -> None:
    context = tls_world.context(tmp_path, "rs-relay", lifetime=timedelta(seconds=2))
    left = held_certificate(tmp_path, "rs-relay").ends - datetime.now(UTC)
    await asyncio.sleep(left.total_seconds() + 1.2)  # its times are whole seconds, and the last one counts

    assert await refusal(tls_world.url("rs-relay"), context) in REFUSED


async def test_a_servers_certificate_signs_nobody_in(tls_world: TlsWorld) -> None:
    context, plan = bare_context(tls_world), tls_world.broker.tls_plan
    assert plan is not None
    context.load_cert_chain(plan["certificate"], plan["key"])

    assert await refusal(tls_world.url("rs-relay"), context) in REFUSED


async def test_another_members_name_beside_ones_own_certificate_counts_for_nothing(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    context = tls_world.context(tmp_path, "at-relay")

    async with await aio_pika.connect(tls_world.url("rs-relay"), ssl_context=context, timeout=SECONDS) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("from.rs", ensure=False)
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused, match="at-relay"):
            await exchange.publish(aio_pika.Message(b"{}"), "rs.at.normal.route_alert", timeout=SECONDS)


async def test_a_password_over_a_valid_certificate_is_refused(tls_world: TlsWorld, tmp_path: Path) -> None:
    broker, context = tls_world.broker, tls_world.context(tmp_path, "rs-relay")
    login = f"{broker.admin_user}:{broker.admin_password}"

    assert await refusal(f"amqps://{login}@{broker.host}:{broker.port}/", context) == "E_BROKER_CREDENTIALS"


async def test_nothing_is_said_in_the_clear(tls_world: TlsWorld) -> None:
    broker = tls_world.broker
    login = f"{broker.admin_user}:{broker.admin_password}"

    assert (await refusal(f"amqp://{login}@{broker.host}:{broker.port}/", None)).startswith("E_BROKER")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_of_today_is_spoken(tls_world: TlsWorld, tmp_path: Path, version: ssl.TLSVersion) -> None:
    context = tls_world.context(tmp_path, "rs-relay")
    context.minimum_version = context.maximum_version = version

    async with await aio_pika.connect(tls_world.url("rs-relay"), ssl_context=context, timeout=SECONDS):
        pass


@pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning")
async def test_tls_1_1_is_refused(tls_world: TlsWorld, tmp_path: Path) -> None:
    context = tls_world.context(tmp_path, "rs-relay")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    assert await refusal(tls_world.url("rs-relay"), context) == "E_BROKER_UNREACHABLE"


async def test_a_broker_under_a_name_that_its_certificate_lacks_is_left(tls_world: TlsWorld, tmp_path: Path) -> None:
    url = tls_world.url("rs-relay").replace("127.0.0.1", "localhost")

    assert await refusal(url, tls_world.context(tmp_path, "rs-relay")) == "E_BROKER_CERTIFICATE"


async def test_a_broker_of_another_networks_authority_is_left(tls_world: TlsWorld, tmp_path: Path) -> None:
    context = tls_world.context(tmp_path, "rs-relay")
    other = stranger(tmp_path / "network").directory.certificate_authorities
    misled = ssl.create_default_context(cadata="".join(other))
    misled.load_cert_chain(certificate_file(tmp_path, "rs-relay"))

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert await refusal(tls_world.url("rs-relay"), misled) == "E_BROKER_CERTIFICATE"


async def test_a_member_cannot_pass_for_the_broker_with_its_own_certificate(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    equip(tmp_path / "at", "at-relay", tls_world.secretariat)
    as_broker = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    as_broker.load_cert_chain(certificate_file(tmp_path / "at", "at-relay"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=as_broker)
    async with server:
        port = server.sockets[0].getsockname()[1]
        context = tls_world.context(tmp_path / "rs", "rs-relay")

        assert await refusal(f"amqps://rs-relay@127.0.0.1:{port}/?auth=external", context) == "E_BROKER_CERTIFICATE"


async def test_whose_account_is_deleted_is_out_within_moments_whatever_its_certificate_says(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    # given
    account = "hr-relay"
    tls_world.make_account(account)
    login = tls_world.login(tmp_path, account)
    async with AmqpSession(lambda: login, name="to be revoked") as session:
        await session.until_publishable(seconds=SECONDS)

        # when
        await asyncio.to_thread(tls_world.management.request, "DELETE", f"/api/users/{account}")

        # then: RabbitMQ closes a deleted user's connections by itself
        await until(lambda: session.status.code == "E_BROKER_CREDENTIALS", seconds=SHUT_OUT_SECONDS)
        assert not session.status.connected
