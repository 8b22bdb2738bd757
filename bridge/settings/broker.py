"""Where the broker is, and who signs in to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from bridge.settings.form import FORM

_HOST_AND_PORT: Final = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):[1-9][0-9]{0,4}$"


class Account(BaseModel):
    """A broker account: its name, and the file that holds its password."""

    model_config = FORM

    user: str
    password_file: Path


class BrokerSettings(BaseModel):
    """Where the broker is, and with which account each service signs in."""

    model_config = FORM

    scheme: Literal["amqp", "amqps"] = "amqp"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5672
    hosts: tuple[Annotated[str, Field(pattern=_HOST_AND_PORT)], ...] = ()  # instead of the two: a cluster's nodes
    vhost: str = "/"
    relay: Account
    router: Account
    admin_url_file: Path | None = None
    management_url: str | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """`host:port` of each node of the broker, in the order in which they are tried."""
        return self.hosts or (f"{self.host}:{self.port}",)
