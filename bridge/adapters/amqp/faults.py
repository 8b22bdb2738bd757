"""The client library's exceptions, as the bridge's own errors with a sentence that names broker, host and account.

No password appears in a sentence.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import unquote, urlsplit

import aiormq.exceptions as amqp

from bridge.core.errors import UnavailableError

DEFAULT_PORTS: Final = {"amqp": 5672, "amqps": 5671}

IMPOSTOR: Final = "E_BROKER_CERTIFICATE"

SHUT_OUT: Final = (
    "E_BROKER_VHOST",
    "does not let the account {account} into the virtual host {vhost}, or it has too many connections",
)

# In this order: the first class that fits names the fault.
_FAULTS: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (amqp.ProbableAuthenticationError, "E_BROKER_CREDENTIALS", "refuses the account {account}"),
    (amqp.AuthenticationError, "E_BROKER_CREDENTIALS", "offers no way of login that the account {account} uses"),
    (amqp.ConnectionNotAllowed, *SHUT_OUT),
    (amqp.InvalidFrameError, "E_BROKER_LOST", "sent what cannot be read here"),
    (amqp.ChannelAccessRefused, "E_BROKER_REFUSED", "does not let the account {account} do this: {reason}"),
    (amqp.ChannelNotFoundEntity, "E_BROKER_MISSING", "lacks what is needed here: {reason}"),
    (amqp.ChannelPreconditionFailed, "E_BROKER_REFUSED", "refuses: {reason}"),
    (amqp.ConnectionClosed, "E_BROKER_LOST", "closed the connection: {reason}"),
    (amqp.AMQPConnectionError, "E_BROKER_UNREACHABLE", "cannot be reached: {reason}"),
    (amqp.ChannelClosed, "E_BROKER_LOST", "closed the channel: {reason}"),
    (TimeoutError, "E_BROKER_UNREACHABLE", "does not answer in time"),
    (OSError, "E_BROKER_UNREACHABLE", "cannot be reached: {reason}"),
)

# In the TLS layer's name of an alert that the broker sent because of our certificate.
_OF_OURS: Final = ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_UNKNOWN_CA")

_LIBRARY_ERRORS: Final = (amqp.AMQPError, OSError, TimeoutError, RuntimeError)  # the last: "connection closed"


def unavailable(error: BaseException | None, *, url: str) -> UnavailableError:
    """The bridge's error for what the library raised, or for a loss without a reason."""
    target = urlsplit(url)
    code, sentence = (_tls_fault(error) if target.scheme == "amqps" else None) or _told(error)
    told = sentence.format(
        account=unquote(target.username or ""), vhost=virtual_host(url), reason=_reason(error, target.password)
    )
    return UnavailableError(
        code, f"the broker at {target.hostname}:{target.port or DEFAULT_PORTS.get(target.scheme)} {told}"
    )


def _told(error: BaseException | None) -> tuple[str, str]:
    # The library shows a `Connection.Close` that answers `Connection.Open` as a frame it did not expect.
    if isinstance(error, amqp.InvalidFrameError) and "Connection.OpenOk" in str(error):
        return SHUT_OUT
    for fault, code, sentence in _FAULTS:
        if isinstance(error, fault):
            return code, sentence
    return "E_BROKER_LOST", "is not connected: {reason}"


def _tls_fault(error: BaseException | None) -> tuple[str, str] | None:
    """What is wrong with a certificate, ours or the broker's; the library wraps what the TLS layer said."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return IMPOSTOR, "does not prove to be this network's: {reason}"
        if isinstance(error, ssl.SSLError) and any(word in str(error.reason) for word in _OF_OURS):
            return "E_BROKER_CREDENTIALS", "refuses the certificate of {account}: {reason}"
        if isinstance(error, ConnectionResetError):  # what it said may be lost with the connection
            return "E_BROKER_UNREACHABLE", "ended the connection, as it may where it refuses a certificate: {reason}"
        error = error.__cause__
    return None


def _reason(error: BaseException | None, password: str | None) -> str:
    """The library's words on one line; they have not been seen to hold the password, and shall not."""
    reason = " ".join(str(error or "").split()) or (type(error).__name__ if error is not None else "no reason given")
    for secret in {password or "", unquote(password or "")} - {""}:
        reason = reason.replace(secret, "***")
    return reason


@asynccontextmanager
async def broker_calls(url: str, *, deadline_seconds: float) -> AsyncIterator[None]:
    """Around calls on the broker: bounds them by a deadline and translates what they raise.

    The library mixes up two ends. A connection that the heartbeat gives up ends pending calls with `CancelledError`
    although nobody cancelled this task; a task group would take that for a quiet end. And a call that is cancelled as
    its connection is lost may end with the loss: a loop that tries again would go on for ever. So the task is asked.
    """
    before = _cancellations()  # what cleans up after a cancellation is not cancelled by it once more
    try:
        async with asyncio.timeout(deadline_seconds):
            yield
    except asyncio.CancelledError:
        if _cancellations() > before:
            raise
        raise unavailable(None, url=url) from None
    except _LIBRARY_ERRORS as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from error
        raise unavailable(error, url=url) from error


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def virtual_host(url: str) -> str:
    """The virtual host that an AMQP URL names; an empty path means `/`."""
    return unquote(urlsplit(url).path[1:]) or "/"
