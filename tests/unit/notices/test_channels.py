"""Notices by e-mail and webhook: what is said, to a server that takes it and to servers that do not."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_string
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mail_server import MailServer, mail_server

from bridge.adapters.notices import email as by_email
from bridge.adapters.notices import posting
from bridge.adapters.notices.email import EmailChannel
from bridge.adapters.notices.webhook import WebhookChannel
from bridge.adapters.system import SystemClock
from bridge.core.errors import UnavailableError
from bridge.ports.notices import Notice

AT = datetime(2026, 11, 23, 18, 40, tzinfo=UTC)
NOTICE = Notice("0193-id", "at.ncp", "new", AT, "A new message waits at at.ncp.", "https://console.example/")
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """What a server on loopback shows, and the file with whom to believe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=here")
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    certificate, both = tmp_path / "certificate.pem", tmp_path / "both.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(private + certificate.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, str(certificate)


def to_server(server: MailServer, **given: object) -> EmailChannel:
    made: dict[str, object] = {"security": "none", "login": None, "to": ["duty@at.example", "head@at.example"]} | given
    return EmailChannel(host="127.0.0.1", port=server.port, sender="bridge@at.example", **made)  # type: ignore[arg-type]


async def failure(sending: Callable[[], object]) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        await sending()  # type: ignore[misc]
    return caught.value


async def test_a_mail_says_that_something_waits_and_nothing_else() -> None:
    async with mail_server() as server:
        await to_server(server).send(NOTICE)

    (text,) = server.mails
    mail = message_from_string(text.removesuffix("\r\n.\r\n"))
    assert (mail["From"], mail["To"]) == ("bridge@at.example", "duty@at.example, head@at.example")
    assert mail["Subject"] == "NCP Bridge: A new message waits at at.ncp."
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<0193-id@at.example>", "auto-generated")
    assert str(mail.get_payload()).split() == [*NOTICE.sentence.split(), "https://console.example/"]


async def test_the_password_goes_over_tls_only_after_the_certificate_was_believed(
    certified: tuple[ssl.SSLContext, str],
) -> None:
    context, authorities = certified
    login = ("bridge", lambda: "secret")
    async with mail_server(tls=context, account="\0bridge\0secret") as server:
        await to_server(server, security="starttls", login=login, authorities=authorities).send(NOTICE)
        assert len(server.mails) == 1

        server.seen.clear()
        error = await failure(lambda: to_server(server, security="starttls", login=login).send(NOTICE))
    assert error.code == "E_NOTICE_EMAIL"
    assert server.seen[-1] == "STARTTLS"


async def test_a_server_without_tls_gets_no_mail() -> None:
    async with mail_server() as server:
        error = await failure(lambda: to_server(server, security="starttls").send(NOTICE))
    assert error.code == "E_NOTICE_EMAIL"
    assert server.mails == []


async def test_a_wrong_password_and_a_refused_recipient_are_said_as_codes() -> None:
    async with mail_server(account="\0bridge\0secret", recipient_answer="550 duty@at.example is a stranger") as server:
        wrong = await failure(lambda: to_server(server, login=("bridge", lambda: "guess")).send(NOTICE))
        refused = await failure(lambda: to_server(server).send(NOTICE))
    assert wrong.message.endswith("it answered 535")
    assert refused.message.endswith("it refused a recipient: 550")


async def test_a_mail_server_that_says_nothing_is_left_and_one_that_is_away_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(by_email, "ANSWER_SECONDS", 0.2)
    async with mail_server(hangs=True) as server:
        channel = to_server(server)
        assert (await failure(lambda: channel.send(NOTICE))).code == "E_NOTICE_EMAIL"
    assert f"127.0.0.1:{channel.port}" in (await failure(lambda: channel.send(NOTICE))).message


@asynccontextmanager
async def receiver(answer: bytes | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An HTTP receiver that answers so, or not at all; its address and what it was sent."""
    got: list[bytes] = []
    tasks = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            got.append(head + await reader.readexactly(length))
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, EOFError):
            pass  # a client that does not believe us
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    scheme, port = "https" if tls else "http", server.sockets[0].getsockname()[1]
    try:
        yield f"{scheme}://127.0.0.1:{port}/hook", got
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for what closes connections


def to_hook(url: str, **given: object) -> WebhookChannel:
    return WebhookChannel(url, lambda: SECRET, SystemClock(), **given)  # type: ignore[arg-type]


async def test_a_webhook_is_signed_over_its_id_time_and_body(certified: tuple[ssl.SSLContext, str]) -> None:
    context, authorities = certified
    async with receiver(b"HTTP/1.1 204 No Content\r\n\r\n", context) as (url, got):
        await to_hook(url, authorities=authorities).send(NOTICE)
        assert (await failure(lambda: to_hook(url).send(NOTICE))).code == "E_NOTICE_WEBHOOK"

    head, _, body = got[0].partition(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    signed = b".".join((headers[b"webhook-id"], headers[b"webhook-timestamp"], body))
    digest = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest())
    assert headers[b"webhook-signature"] == b"v1," + digest
    assert headers[b"webhook-id"] == b"0193-id"
    assert json.loads(body) == {
        "type": "ncp_bridge.new",
        "timestamp": "2026-11-23T18:40:00.000Z",
        "data": {
            "contact_point": "at.ncp",
            "occasion": "new",
            "text": "A new message waits at at.ncp.",
            "link": "https://console.example/",
        },
    }


@pytest.mark.parametrize("status", [b"500 Fault", b"429 Slowly", b"410 Gone"])
async def test_a_receiver_that_does_not_take_it_is_named_with_its_answer(status: bytes) -> None:
    async with receiver(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as (url, _):
        error = await failure(lambda: to_hook(url).send(NOTICE))
    assert error.message == f"the webhook at 127.0.0.1 took no notice: it answered {status.split()[0].decode()}"


async def test_no_redirect_is_followed() -> None:
    async with receiver(b"HTTP/1.1 204 No Content\r\n\r\n") as (elsewhere, got):
        answer = f"HTTP/1.1 307 Elsewhere\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        async with receiver(answer) as (url, _):
            error = await failure(lambda: to_hook(url).send(NOTICE))
    assert error.message.endswith("it answered 307")
    assert got == []


async def test_a_receiver_that_hangs_or_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.2)
    async with receiver(None) as (url, _):
        assert (await failure(lambda: to_hook(url).send(NOTICE))).message.endswith("it did not answer in time")
    async with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nbegins") as (url, _):
        await to_hook(url).send(NOTICE)  # its status is all that is read


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_not base64 at all but long enough anyway"])
async def test_a_weak_or_unreadable_secret_signs_nothing(secret: str) -> None:
    async with receiver(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, got):
        channel = WebhookChannel(url, lambda: secret, SystemClock())
        assert (await failure(lambda: channel.send(NOTICE))).code == "E_SECRET_FILE"
    assert got == []
