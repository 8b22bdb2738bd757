"""A node's settings: one TOML file, environment variables above it, secrets in files beside it.

Relative paths are meant from the folder of the file. `NCP_BRIDGE_BROKER__HOST` overrides `host` in `[broker]`. Secrets
are never settings: only the names of the files that hold them are, and those are their owner's alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from bridge.core.errors import BadInputError, Problem, UnavailableError
from bridge.core.ids import CONTACT_POINT_PATTERN, prefix_of
from bridge.private_files import read_private_line

ENVIRONMENT: Final = "NCP_BRIDGE_"
# A password may hold anything but @, as the database library reads a URL; it also takes one from the query.
_PASSWORD_IN_URL: Final = re.compile(r"://[^:/]*:[^@]*@|[?&]password=")
_ACCOUNT_AT_SERVER: Final = re.compile(r"postgresql://[^:/@]+@")
_HOST_AND_PORT: Final = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):[1-9][0-9]{0,4}$"
_LISTEN: Final = r"^((\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):)?[1-9][0-9]{0,4}$"
LOOPBACK: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65535
_FORM = ConfigDict(frozen=True, extra="forbid")


class Account(BaseModel):
    """A broker account: its name, and the file that holds its password."""

    model_config = _FORM

    user: str
    password_file: Path


class ContactPointSettings(BaseModel):
    """One contact point hosted here: its keys' folder and its inbox account."""

    model_config = _FORM

    id: Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
    keys: Path
    account: Account


class BrokerSettings(BaseModel):
    """Where the broker is, and with which account each service signs in."""

    model_config = _FORM

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


class TrustSettings(BaseModel):
    """The mirror of the trust repository (a folder), the local cache, and the pinned first root."""

    model_config = _FORM

    mirror: Path
    cache: Path
    root: Path
    refresh_seconds: Annotated[float, Field(ge=1, le=86400)] = 60.0


class HealthSettings(BaseModel):
    """Where readiness is served besides the socket in the node's folder: `port` (on loopback) or `host:port`."""

    model_config = _FORM

    listen: Annotated[str, Field(pattern=_LISTEN)] | None = None

    @field_validator("listen")
    @classmethod
    def _is_a_port(cls, listen: str | None) -> str | None:
        if listen is not None and int(listen.rpartition(":")[2]) > HIGHEST_PORT:
            raise _fault(f"a port up to {HIGHEST_PORT}")
        return listen

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; loopback where no host is given."""
        if self.listen is None:
            return None
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]") or LOOPBACK, int(port)


class HeartbeatSettings(BaseModel):
    """How often every peer hears from us; from three missed ones and five minutes on, a silent peer is an alarm."""

    model_config = _FORM

    seconds: Annotated[float, Field(ge=1, le=86400)] = 300.0


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
    contact_points: Annotated[tuple[ContactPointSettings, ...], Field(min_length=1)]
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("database")
    @classmethod
    def _holds_no_password(cls, database: str) -> str:
        if _PASSWORD_IN_URL.search(database):
            raise _fault("no password in it; database_password_file names the file that holds it")
        return database

    @field_validator("database_password_file")
    @classmethod
    def _belongs_to_an_account(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and "database" in info.data and not _ACCOUNT_AT_SERVER.match(info.data["database"]):
            raise _fault("nothing, or a database like postgresql://account@host/database")
        return file

    @field_validator("contact_points")
    @classmethod
    def _are_of_this_country(
        cls, points: tuple[ContactPointSettings, ...], info: ValidationInfo
    ) -> tuple[ContactPointSettings, ...]:
        ids = [point.id for point in points]
        twice = sorted({identifier for identifier in ids if ids.count(identifier) > 1})
        if twice:
            raise _fault(f"each contact point once, but {', '.join(twice)} stands here twice")
        country = info.data.get("country")
        strangers = [identifier for identifier in ids if country and prefix_of(identifier) != country.lower()]
        if strangers:
            raise _fault(f"contact points of {country} only, but {', '.join(strangers)} is not one")
        return points

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

    def amqp_urls(self, account: Account) -> tuple[str, ...]:
        """The AMQP URLs of an account, one for each node of the broker, with its password read from its file now."""
        password = read_private_line(self.path(account.password_file))
        broker = self.broker
        user, vhost = quote(account.user, safe=""), quote(broker.vhost, safe="")
        login = f"{broker.scheme}://{user}:{quote(password, safe='')}"
        return tuple(f"{login}@{place}/{vhost}" for place in broker.places)

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


def load_settings(path: Path) -> NodeSettings:
    """The settings in a TOML file.

    Raises:
        UnavailableError: the file cannot be read.
        BadInputError: it is not TOML, or a value is wrong; the sentence names the key.
    """
    try:
        path.read_bytes()
        values = TomlConfigSettingsSource(NodeSettings, path.resolve())()
    except OSError as error:
        raise UnavailableError("E_CONFIG_FILE", f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadInputError("E_CONFIG", f"{path} is not TOML: {error}") from None
    try:
        return NodeSettings.of_file(values, folder=path.resolve().parent)
    except ValidationError as error:
        faults = ((fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise BadInputError.of(tuple(_problem(*fault) for fault in faults)) from None
    except SettingsError as error:
        raise BadInputError("E_CONFIG", _environment_sentence(str(error))) from None


def _environment_sentence(fault: str) -> str:
    """Which variable is no JSON; its value may be a secret and is not repeated."""
    field = re.search(r'field "([a-z_]+)"', fault)
    name = ENVIRONMENT + (field[1].upper() if field else "*")
    return f"the environment variable {name}: expected JSON; {name}__<KEY> replaces one setting of a table"


def _fault(expected: str) -> PydanticCustomError:
    return PydanticCustomError("settings", "{expected}", {"expected": expected})


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> Problem:
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    if kind == "missing":
        return Problem(path=path, found="nothing", expected="this setting to be there", code="E_CONFIG")
    return Problem(path=path, found="another value", expected=message, code="E_CONFIG")
