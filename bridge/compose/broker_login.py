"""How a node's accounts get to the broker, and how a replaced certificate gets to the connections made with it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.certificates.contexts import account_context
from bridge.adapters.certificates.files import certificate_file, held_certificate
from bridge.adapters.system import SystemClock
from bridge.core.certificates import CertificateTimes
from bridge.ports.trust import TrustSource
from bridge.settings import Account, NodeSettings

AGAIN_SECONDS: Final = 30.0  # after a certificate that the broker refused, or that cannot be used


def login_of(settings: NodeSettings, trust: TrustSource, account: Account) -> Login:
    """With the password, or the certificate and the membership list's authorities, that count now.

    Raises:
        UnavailableError: a file of the account cannot be used, or there is no membership list.
    """
    urls, folder = settings.amqp_urls(account), certificates_folder(settings)
    if folder is None:
        return Login(urls)
    authorities = trust.current().certificate_authorities
    version = _version(folder, account, authorities)
    context = account_context(folder, account.user, authorities=authorities, at=SystemClock().now())
    return Login(urls, context, version)


def held_certificates(settings: NodeSettings) -> Sequence[CertificateTimes]:
    """Those in use; none where accounts sign in with passwords.

    Raises:
        UnavailableError: one cannot be read.
    """
    folder = certificates_folder(settings)
    return [] if folder is None else [held_certificate(folder, account.user) for account in settings.accounts]


def certificates_folder(settings: NodeSettings) -> Path | None:
    """Where the certificates lie, if there are any."""
    return None if settings.broker.certificates is None else settings.path(settings.broker.certificates)


@dataclass
class BrokerSessions:
    """The sessions of one process; each goes on with a new certificate when its old one was replaced."""

    settings: NodeSettings
    trust: TrustSource
    _accounts: dict[AmqpSession, Account] = field(default_factory=dict)
    _asked: dict[AmqpSession, tuple[Hashable, float]] = field(default_factory=dict)

    @property
    def made(self) -> Sequence[AmqpSession]:
        """All of them, in the order in which they were made."""
        return tuple(self._accounts)

    def make(self, account: Account, name: str) -> AmqpSession:
        """A session to be opened.

        Raises:
            UnavailableError: a file of the account cannot be used; what is missing at the start is said at the start.
        """
        login = partial(login_of, self.settings, self.trust, account)
        login()
        session = AmqpSession(login, name=f"{self.settings.prefix} {name}")
        self._accounts[session] = account
        return session

    async def renew(self) -> None:
        """Has each connection replaced whose certificate is another one by now, or whose authority counts no more."""
        folder = certificates_folder(self.settings)
        if folder is None:
            return
        authorities, now = self.trust.current().certificate_authorities, asyncio.get_running_loop().time()
        for session, account in self._accounts.items():
            version = _version(folder, account, authorities)
            asked, asked_at = self._asked.get(session, (None, now))
            is_again = asked == version and now < asked_at + AGAIN_SECONDS
            if session.login_version not in {None, version} and not is_again:
                self._asked[session] = version, now
                session.renew()


def _version(folder: Path, account: Account, authorities: Sequence[str]) -> Hashable:
    try:
        found = certificate_file(folder, account.user).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, tuple(authorities)
