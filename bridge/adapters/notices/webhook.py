"""Notices by webhook, signed as standardwebhooks.com describes it: HMAC-SHA256 over id, time and body.

Rules:
1. HTTPS; plain HTTP on loopback only (`bridge.settings.notices`). No redirect is followed, no proxy of the environment
   is asked, and of the answer nothing but its status is read.
2. The id stays the same in every attempt, the time is that of the attempt.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from bridge.core.errors import UnavailableError
from bridge.core.times import format_time
from bridge.ports.clock import Clock
from bridge.ports.notices import Notice

ANSWER_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 15.0
PREFIX: Final = "whsec_"
LEAST_SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """An address and the secret that it shares with us.

    Attributes:
        secret: answers the line of its file now: `whsec_` and base64.
        authorities: of the server's certificate; `None`: those of this machine.
    """

    url: str
    secret: Callable[[], str]
    clock: Clock
    authorities: str | None = None

    async def send(self, notice: Notice) -> None:
        """Posts one notice.

        Raises:
            UnavailableError: `E_NOTICE_WEBHOOK`, or what reading the secret raises.
        """
        body = json.dumps(
            {
                "type": f"ncp_bridge.{notice.occasion}",
                "timestamp": format_time(notice.at),
                "data": {
                    "contact_point": notice.contact_point,
                    "occasion": notice.occasion,
                    "text": notice.sentence,
                    "link": notice.link,
                },
            }
        ).encode()
        headers = {"Content-Type": "application/json", **self._signature(notice.id, body)}
        verify = ssl.create_default_context(cafile=self.authorities)
        try:
            async with (
                asyncio.timeout(WHOLE_SECONDS),
                httpx.AsyncClient(timeout=ANSWER_SECONDS, verify=verify, trust_env=False) as client,
                client.stream("POST", self.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except (TimeoutError, httpx.TimeoutException):
            raise self._fault("it did not answer in time") from None
        except (httpx.HTTPError, OSError) as error:
            raise self._fault(type(error).__name__) from None
        if not httpx.codes.is_success(status):
            raise self._fault(f"it answered {status}")

    def _signature(self, notice_id: str, body: bytes) -> dict[str, str]:
        seconds = str(int(self.clock.now().timestamp()))
        signed = b".".join((notice_id.encode(), seconds.encode(), body))
        digest = hmac.new(self._key(), signed, hashlib.sha256).digest()
        return {
            "webhook-id": notice_id,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def _key(self) -> bytes:
        try:
            key = base64.b64decode(self.secret().removeprefix(PREFIX), validate=True)
        except binascii.Error:
            key = b""
        if len(key) < LEAST_SECRET_BYTES:
            expected = f"{PREFIX} and {LEAST_SECRET_BYTES} bytes or more in base64"
            raise UnavailableError("E_SECRET_FILE", f"the secret of the webhook is not {expected}")
        return key

    def _fault(self, why: str) -> UnavailableError:
        host = httpx.URL(self.url).host
        return UnavailableError("E_NOTICE_WEBHOOK", f"the webhook at {host} took no notice: {why}")
