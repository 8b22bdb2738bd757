"""A node's settings: one TOML file, environment variables above it, secrets in files beside it.

Relative paths are meant from the folder of the file. `NCP_BRIDGE_BROKER__HOST` overrides `host` in `[broker]`. Secrets
are never settings: only the names of the files that hold them are, and those are their owner's alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import quote

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bridge.core.ids import prefix_of
from bridge.private_files import read_private_line
from bridge.settings.api import ApiSettings
from bridge.settings.broker import Account, BrokerSettings
from bridge.settings.console import ConsoleSettings
from bridge.settings.contact_points import ContactPointSettings
from bridge.settings.form import fault
from bridge.settings.notices import NoticeSettings
from bridge.settings.signs_of_life import HealthSettings, HeartbeatSettings
from bridge.settings.trust import TrustSettings

ENVIRONMENT: Final = "NCP_BRIDGE_"
# A password may hold anything but @, as the database library reads a URL; it also takes one from the query.
_PASSWORD_IN_URL: Final = re.compile(r"://[^:/]*:[^@]*@|[?&]password=")
_ACCOUNT_AT_SERVER: Final = re.compile(r"postgresql://[^:/@]+@")


class NodeSettings(BaseSettings):
    """Everything a node needs to start."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT, env_nested_delimiter="__", frozen=True, extra="forbid")

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    database: str = "sqlite:///node.db"
    database_password_file: Path | None = None
    machine_secret_file: Path = Path("secrets/machine.key")
    drain_seconds: Annotated[float, Field(gt=0, le=300)] = 25.0
    disk_reserve_mib: Annotated[int, Field(ge=0, le=1024**2)] | None = None
    broker: BrokerSettings
    trust: TrustSettings
    health: HealthSettings = HealthSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    console: ConsoleSettings | None = None
    api: ApiSettings | None = None
    contact_points: Annotated[tuple[ContactPointSettings, ...], Field(min_length=1)]
    notices: tuple[NoticeSettings, ...] = ()
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("database")
    @classmethod
    def _holds_no_password(cls, database: str) -> str:
        if _PASSWORD_IN_URL.search(database):
            raise fault("no password in it; database_password_file names the file that holds it")
        return database

    @field_validator("database_password_file")
    @classmethod
    def _belongs_to_an_account(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and "database" in info.data and not _ACCOUNT_AT_SERVER.match(info.data["database"]):
            raise fault("nothing, or a database like postgresql://account@host/database")
        return file

    @field_validator("contact_points")
    @classmethod
    def _are_of_this_country(
        cls, points: tuple[ContactPointSettings, ...], info: ValidationInfo
    ) -> tuple[ContactPointSettings, ...]:
        ids = [point.id for point in points]
        twice = sorted({identifier for identifier in ids if ids.count(identifier) > 1})
        if twice:
            raise fault(f"each contact point once, but {', '.join(twice)} stands here twice")
        country = info.data.get("country")
        if "broker" in info.data:
            broker: BrokerSettings = info.data["broker"]
            for point in points:
                broker.check_account(point.account)
        strangers = [identifier for identifier in ids if country and prefix_of(identifier) != country.lower()]
        if strangers:
            raise fault(f"contact points of {country} only, but {', '.join(strangers)} is not one")
        return points

    @field_validator("notices")
    @classmethod
    def _are_named_once_and_of_here(
        cls, channels: tuple[NoticeSettings, ...], info: ValidationInfo
    ) -> tuple[NoticeSettings, ...]:
        names = [channel.name for channel in channels]
        if len(set(names)) < len(names):
            raise fault("each name once")
        hosted = {point.id for point in info.data.get("contact_points", ())}
        strangers = {one for channel in channels for one in channel.contact_points} - hosted
        if hosted and strangers:
            raise fault(f"contact points of this node only, but {', '.join(sorted(strangers))} is not one")
        return channels

    @property
    def folder(self) -> Path:
        """The settings file's folder."""
        return self._folder

    @classmethod
    def of_file(cls, values: dict[str, object], *, folder: Path) -> Self:
        """The settings from a file's values and the environment; raises what pydantic raises."""
        settings = cls(**values)  # type: ignore[arg-type]  # checked by pydantic, which is why they are here
        settings._folder = folder
        return settings

    @property
    def prefix(self) -> str:
        """The country's prefix in ids, exchanges, queues and routing keys."""
        return self.country.lower()

    def path(self, path: Path) -> Path:
        """A configured path, meant from the settings file's folder."""
        return (self.folder / path).resolve()

    @property
    def database_url(self) -> str:
        """The database URL with a relative SQLite path resolved, or with the password read from its file."""
        scheme, separator, rest = self.database.partition(":///")
        if scheme.startswith("sqlite") and separator and rest != ":memory:":
            return f"{scheme}:///{self.path(Path(rest))}"
        if self.database_password_file is None:
            return self.database
        password = quote(read_private_line(self.path(self.database_password_file)), safe="")
        account, _, server = self.database.partition("@")
        return f"{account}:{password}@{server}"

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The broker accounts of this node: relay, router, and one for each contact point."""
        return (self.broker.relay, self.broker.router, *(point.account for point in self.contact_points))

    def password_of(self, account: Account) -> str | None:
        """An account's password, read from its file now; `None` where its certificate signs it in."""
        if self.broker.certificates is not None or account.password_file is None:
            return None
        return read_private_line(self.path(account.password_file))

    def amqp_urls(self, account: Account) -> tuple[str, ...]:
        """The AMQP URLs of an account, one for each node of the broker, with the password it has now."""
        broker, password = self.broker, self.password_of(account)
        user, vhost = quote(account.user, safe=""), quote(broker.vhost, safe="")
        login, query = (user, "?auth=external") if password is None else (f"{user}:{quote(password, safe='')}", "")
        return tuple(f"{broker.scheme}://{login}@{place}/{vhost}{query}" for place in broker.places)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as init arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings
