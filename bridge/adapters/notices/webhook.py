"""Notices by webhook, signed as standardwebhooks.com describes it: HMAC-SHA256 over id, time and body.

Rules:
1. HTTPS; plain HTTP on loopback only (`bridge.settings.notices`). No redirect is followed, no proxy of the environment
   is asked, and of the answer nothing but its status is read.
2. The id stays the same in every attempt, the time is that of the attempt.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from bridge.adapters.notices.posting import post_once
from bridge.core.errors import UnavailableError
from bridge.core.times import format_time
from bridge.core.webhook_signing import key_of, signed_headers
from bridge.ports.clock import Clock
from bridge.ports.notices import Notice


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
        headers = signed_headers(notice.id, self.clock.now(), body, [self._key()])
        try:
            status = await post_once(self.url, body, headers, authorities=self.authorities)
        except TimeoutError:
            raise self._fault("it did not answer in time") from None
        except (httpx.HTTPError, OSError) as error:
            raise self._fault(type(error).__name__) from None
        if not httpx.codes.is_success(status):
            raise self._fault(f"it answered {status}")

    def _key(self) -> bytes:
        try:
            return key_of(self.secret())
        except ValueError as error:
            raise UnavailableError("E_SECRET_FILE", f"the secret of the webhook is not {error}") from None

    def _fault(self, why: str) -> UnavailableError:
        host = httpx.URL(self.url).host
        return UnavailableError("E_NOTICE_WEBHOOK", f"the webhook at {host} took no notice: {why}")
