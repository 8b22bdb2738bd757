"""Notices by e-mail, through a mail server that takes them over TLS.

The server is asked in a thread, with a deadline for each of its answers and one for the whole: whoever waits goes on
then. Nothing in the mail says what a message holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final, Literal

from bridge.core.errors import UnavailableError
from bridge.ports.notices import Notice

ANSWER_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 45.0

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """A mail server and whom to write to.

    Attributes:
        security: `none` only to a server on this machine.
        login: account and what answers its password now; `None` where the server asks for none.
        authorities: of the server's certificate; `None`: those of this machine.
    """

    host: str
    port: int
    security: Security
    login: tuple[str, Callable[[], str]] | None
    sender: str
    to: Sequence[str]
    authorities: str | None = None

    async def send(self, notice: Notice) -> None:
        """Hands one mail to the server.

        Raises:
            UnavailableError: `E_NOTICE_EMAIL`, or what reading the password raises.
        """
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await asyncio.to_thread(self._send, self._mail(notice))
        except TimeoutError:
            raise self._fault("it did not answer in time") from None
        except smtplib.SMTPResponseException as error:
            raise self._fault(f"it answered {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise self._fault(f"it refused a recipient: {', '.join(map(str, codes))}") from None
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            raise self._fault(getattr(error, "strerror", None) or type(error).__name__) from None

    def _mail(self, notice: Notice) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(self.to)
        mail["Subject"] = f"NCP Bridge: {notice.sentence}"
        mail["Date"] = format_datetime(notice.at)
        mail["Message-ID"] = f"<{notice.id}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join(filter(None, (notice.sentence, notice.link))) + "\n")
        return mail

    def _send(self, mail: EmailMessage) -> None:
        server = self._connected()
        try:
            if self.login is not None:
                user, password = self.login
                server.login(user, password())
            server.send_message(mail, self.sender, list(self.to))
            with contextlib.suppress(OSError, smtplib.SMTPException):  # it has the mail
                server.quit()
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        if self.security == "none":
            return smtplib.SMTP(self.host, self.port, timeout=ANSWER_SECONDS)
        context = ssl.create_default_context(cafile=self.authorities)
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=ANSWER_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=ANSWER_SECONDS)
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server

    def _fault(self, why: str) -> UnavailableError:
        return UnavailableError("E_NOTICE_EMAIL", f"the mail server {self.host}:{self.port} took no notice: {why}")
