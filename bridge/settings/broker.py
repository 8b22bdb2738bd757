"""Where the broker is, and who signs in to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from bridge.settings.form import FORM, fault

_HOST_AND_PORT: Final = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):[1-9][0-9]{0,4}$"


class Account(BaseModel):
    """A broker account: its name, and the file that holds its password, where it signs in with one."""

    model_config = FORM

    user: str
    password_file: Path | None = None


class BrokerSettings(BaseModel):
    """Where the broker is, and with which account each service signs in.

    Attributes:
        monitor_url_file: holds the management API's address with an account of the tag `monitoring`, for figures.
        certificates: the folder with each account's key and certificate; with it no account has a password.
    """

    model_config = FORM

    scheme: Literal["amqp", "amqps"] = "amqp"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5672
    hosts: tuple[Annotated[str, Field(pattern=_HOST_AND_PORT)], ...] = ()  # instead of the two: a cluster's nodes
    vhost: str = "/"
    certificates: Path | None = None
    relay: Account
    router: Account
    admin_url_file: Path | None = None
    management_url: str | None = None
    monitor_url_file: Path | None = None

    @model_validator(mode="after")
    def _signs_in_somehow(self) -> Self:
        if self.certificates is not None and self.scheme != "amqps":
            raise fault('scheme = "amqps" where certificates are used')
        self.check_account(self.relay)
        self.check_account(self.router)
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """`host:port` of each node of the broker, in the order in which they are tried."""
        return self.hosts or (f"{self.host}:{self.port}",)

    def check_account(self, account: Account) -> None:
        """Raises what a validator raises for an account that has no way of signing in."""
        if self.certificates is None and account.password_file is None:
            raise fault(f"a password_file for {account.user}, or certificates in [broker]")
