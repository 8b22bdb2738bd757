"""How to reach a broker as its administrator: URLs for AMQP and the management API, virtual hosts made and deleted."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from bridge.adapters.amqp.management import Management
from bridge.core.errors import BadInputError

AMQP_URL_VARIABLE: Final = "NCP_BRIDGE_AMQP_URL"
MANAGEMENT_URL_VARIABLE: Final = "NCP_BRIDGE_MANAGEMENT_URL"
AMQP_PORT: Final = 5672
MANAGEMENT_PORT: Final = 15672


class Access(ABC):
    """A broker that answers, and its administrator's account.

    Attributes:
        by_certificate: accounts sign in with certificates, and nobody with a password; the administrator does over the
            management API.
    """

    host: str
    port: int
    admin_user: str
    admin_password: str
    by_certificate: bool = False

    @property
    @abstractmethod
    def management_url(self) -> str:
        """The management API with the administrator's account: `http://admin:...@127.0.0.1:15672`."""

    def amqp_url(self, vhost: str = "/", user: str | None = None, password: str | None = None) -> str:
        """The AMQP URL of a virtual host, for the administrator unless an account is given."""
        account = self.admin_user if user is None else user
        if self.by_certificate:
            where = f"{self.host}:{self.port}/{quote(vhost, safe='')}"
            return f"amqps://{quote(account, safe='')}@{where}?auth=external"
        secret = self.admin_password if password is None else password
        return (
            f"amqp://{quote(account, safe='')}:{quote(secret, safe='')}@{self.host}:{self.port}/{quote(vhost, safe='')}"
        )

    def create_vhost(self, name: str) -> None:
        """Makes an empty virtual host that the administrator may use; blocks.

        Raises:
            UnavailableError: the management API cannot be reached, or it refuses the account.
        """
        management, path = Management.at(self.management_url), quote(name, safe="")
        management.request("PUT", f"/api/vhosts/{path}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        management.request("PUT", f"/api/permissions/{path}/{quote(self.admin_user, safe='')}", everything)

    def delete_vhost(self, name: str) -> None:
        """Deletes a virtual host with all that is in it; blocks. One that is not there is no error.

        Raises:
            UnavailableError: the management API cannot be reached, or it refuses the account.
        """
        Management.at(self.management_url).request("DELETE", f"/api/vhosts/{quote(name, safe='')}")


class GivenBroker(Access):
    """A broker that somebody else runs; its administrator's AMQP URL is all that is known.

    Args:
        amqp_url: `amqp://account:password@host:port`.
        management_url: of its management API with an account; port 15672 of the same host and account by default.

    Raises:
        BadInputError: the URL is not `amqp://` or names no account.
    """

    def __init__(self, amqp_url: str, management_url: str | None = None) -> None:
        parts = urlsplit(amqp_url)
        if parts.scheme != "amqp" or parts.hostname is None or parts.username is None or parts.password is None:
            expected = "expected amqp://account:password@host:port with the administrator's account"
            raise BadInputError("E_BROKER_URL", f"{AMQP_URL_VARIABLE} is malformed: {expected}")
        self.host, self.port = parts.hostname, parts.port or AMQP_PORT
        self.admin_user, self.admin_password = unquote(parts.username), unquote(parts.password)
        login = f"{quote(self.admin_user, safe='')}:{quote(self.admin_password, safe='')}"
        self._management_url = management_url or f"http://{login}@{self.host}:{MANAGEMENT_PORT}"

    @property
    def management_url(self) -> str:
        """As `Access.management_url`."""
        return self._management_url

    @classmethod
    def from_environment(cls) -> GivenBroker | None:
        """The broker that `NCP_BRIDGE_AMQP_URL` (and `NCP_BRIDGE_MANAGEMENT_URL`) names, if any."""
        url = os.environ.get(AMQP_URL_VARIABLE)
        return cls(url, os.environ.get(MANAGEMENT_URL_VARIABLE)) if url else None
