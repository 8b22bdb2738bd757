"""What the client library raises becomes one sentence with a stable code, and no sentence holds a password."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

import aiormq.exceptions as amqp
import pytest

from bridge.adapters.amqp.faults import broker_calls, unavailable, virtual_host
from bridge.adapters.amqp.management import Management
from bridge.core.errors import BadInputError, UnavailableError

URL = "amqp://rs-relay:s3cr%2Ft@broker.example:5671/see"
SHUT_OUT = "Expected one of ['Connection.OpenOk'], got <Connection.Close object at 0x7f>"

FAULTS = [
    (amqp.ProbableAuthenticationError("ACCESS_REFUSED"), "E_BROKER_CREDENTIALS", "refuses the account rs-relay"),
    (amqp.AuthenticationError("EXTERNAL", ["PLAIN"]), "E_BROKER_CREDENTIALS", "offers no way of login"),
    (amqp.InvalidFrameError(SHUT_OUT), "E_BROKER_VHOST", "into the virtual host see, or it has too many"),
    (amqp.ConnectionNotAllowed(530, "NOT_ALLOWED"), "E_BROKER_VHOST", "into the virtual host see"),
    (amqp.InvalidFrameError("No frame length"), "E_BROKER_LOST", "sent what cannot be read"),
    (
        amqp.ChannelAccessRefused("write to from.at"),
        "E_BROKER_REFUSED",
        "let the account rs-relay do this: write to from.at",
    ),
    (amqp.ChannelNotFoundEntity("no queue 'x'"), "E_BROKER_MISSING", "lacks what is needed here: no queue 'x'"),
    (amqp.ChannelPreconditionFailed("inequivalent"), "E_BROKER_REFUSED", "refuses: inequivalent"),
    (amqp.ConnectionClosed(320, "FORCED"), "E_BROKER_LOST", "closed the connection"),
    (amqp.AMQPConnectionError("refused"), "E_BROKER_UNREACHABLE", "cannot be reached: refused"),
    (amqp.ChannelClosed(541, "INTERNAL_ERROR"), "E_BROKER_LOST", "closed the channel"),
    (amqp.ChannelInvalidStateError("closed"), "E_BROKER_LOST", "is not connected: closed"),
    (TimeoutError(), "E_BROKER_UNREACHABLE", "does not answer in time"),
    (ConnectionRefusedError(111, "Connection refused"), "E_BROKER_UNREACHABLE", "Connection refused"),
    (OSError("no route\nto host"), "E_BROKER_UNREACHABLE", "no route to host"),
    (None, "E_BROKER_LOST", "is not connected: no reason given"),
]


@pytest.mark.parametrize(("error", "code", "sentence"), FAULTS, ids=lambda value: type(value).__name__)
def test_a_fault_becomes_a_sentence_with_broker_and_reason(
    error: BaseException | None, code: str, sentence: str
) -> None:
    told = unavailable(error, url=URL)
    assert told.code == code
    assert told.exit_status == 4
    assert told.message.startswith("the broker at broker.example:5671 ")
    assert sentence in told.message
    assert "\n" not in told.message


def _wrapped(error: OSError) -> amqp.AMQPConnectionError:
    """As the library hands on what the TLS layer said."""
    wrapping = amqp.AMQPConnectionError(*error.args)
    wrapping.__cause__ = error
    return wrapping


def _alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] told")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ssl.SSLCertVerificationError(1, "wrong name"), "E_BROKER_CERTIFICATE", "does not prove to be this network's"),
        (_alert("TLSV1_ALERT_UNKNOWN_CA"), "E_BROKER_CREDENTIALS", "refuses the certificate of rs-relay"),
        (_alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "E_BROKER_CREDENTIALS", "refuses the certificate of rs-relay"),
        (_alert("SSLV3_ALERT_CERTIFICATE_EXPIRED"), "E_BROKER_CREDENTIALS", "refuses the certificate of rs-relay"),
        (_alert("TLSV1_ALERT_PROTOCOL_VERSION"), "E_BROKER_UNREACHABLE", "cannot be reached"),
        (ConnectionResetError(104, "reset"), "E_BROKER_UNREACHABLE", "as it may where it refuses a certificate"),
    ],
    ids=lambda value: str(getattr(value, "reason", "")),
)
def test_what_is_wrong_with_a_certificate_is_told_from_the_wrapped_fault(
    error: OSError, code: str, sentence: str
) -> None:
    told = unavailable(_wrapped(error), url="amqps://rs-relay@broker.example:5671/see?auth=external")

    assert told.code == code
    assert sentence in told.message


@pytest.mark.parametrize("kind", [OSError, amqp.ChannelClosed, amqp.AMQPConnectionError, RuntimeError, Exception])
@pytest.mark.parametrize("secret", ["s3cr%2Ft", "s3cr/t"])
def test_a_password_in_the_librarys_words_is_taken_out(kind: type[Exception], secret: str) -> None:
    message = unavailable(kind(f"{URL} or {secret}"), url=URL).message
    assert "s3cr" not in message


def test_an_address_without_account_port_or_path_is_told_with_what_it_means() -> None:
    assert (
        unavailable(TimeoutError(), url="amqps://broker").message == "the broker at broker:5671 does not answer in time"
    )
    assert [virtual_host(url) for url in ("amqp://h", "amqp://h/", "amqp://h/%2F", "amqp://h/a%2Fb")] == [
        "/",
        "/",
        "/",
        "a/b",
    ]


async def test_a_call_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(UnavailableError) as caught:
        async with broker_calls(URL, deadline_seconds=0.01):
            await asyncio.sleep(5)
    assert caught.value.code == "E_BROKER_UNREACHABLE"


async def test_a_cancellation_that_nobody_asked_for_is_a_lost_connection() -> None:
    # given: what the library does to pending calls when the heartbeat gives a connection up
    pending = asyncio.get_running_loop().create_future()
    pending.cancel()

    # when, then
    with pytest.raises(UnavailableError) as caught:
        async with broker_calls(URL, deadline_seconds=5):
            await pending
    assert caught.value.code == "E_BROKER_LOST"


async def test_a_cancellation_of_this_task_stays_one() -> None:
    async def call() -> None:
        async with broker_calls(URL, deadline_seconds=5):
            await asyncio.sleep(5)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def lost_instead_of_cancelled() -> None:
    """What the library does to a pending call that is cancelled while its connection is being lost."""
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError as error:
        raise amqp.AMQPConnectionError from error


async def test_a_loop_that_is_cancelled_as_its_connection_is_lost_ends() -> None:
    async def loop() -> None:
        while True:
            with suppress(UnavailableError):
                async with broker_calls(URL, deadline_seconds=5):
                    await lost_instead_of_cancelled()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1)
    task.cancel()
    assert done
    assert task.cancelled()


async def test_what_cleans_up_after_a_cancellation_is_told_of_a_loss_as_ever() -> None:
    told = []

    async def call() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            try:
                async with broker_calls(URL, deadline_seconds=5):
                    raise amqp.AMQPConnectionError
            except UnavailableError as error:
                told.append(error.code)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert told == ["E_BROKER_UNREACHABLE"]
    assert task.cancelled()


async def test_a_fault_of_our_own_is_not_taken_for_the_brokers() -> None:
    with pytest.raises(KeyError):
        async with broker_calls(URL, deadline_seconds=5):
            {}["missing"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://admin:s3cret@broker.example:15672", "needs https"),
        ("http://admin:s3cret@10.0.0.1:15672", "needs https"),
        ("http://admin:s3cret@localhost.example:15672", "needs https"),
        ("amqp://admin:s3cret@127.0.0.1:5672", "needs https"),
        ("https://broker.example", "names no account and password"),
        ("https://admin@broker.example", "names no account and password"),
        ("https://admin:s3c/ret@broker.example", "is malformed"),
        ("https://admin:s3cret@broker.example:notaport", "is malformed"),
    ],
)
def test_a_management_address_that_would_tell_the_password_is_refused_without_telling_it(
    url: str, sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        Management.at(url)
    assert "s3c" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://admin:s3cret@127.0.0.1", 15672),
        ("http://admin:s3cret@127.9.9.9:80", 80),
        ("http://admin:s3cret@[::1]:8080", 8080),
        ("http://admin:s3cret@localhost:15672", 15672),
        ("https://admin:s3cret@broker.example", 15671),
    ],
)
def test_a_management_address_on_loopback_or_under_tls_is_taken(url: str, port: int) -> None:
    management = Management.at(url)
    assert management.port == port
    assert "s3cret" not in repr(management)
    assert management.authorization == "Basic YWRtaW46czNjcmV0"
