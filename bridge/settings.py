"""A node's settings: one TOML file, environment variables above it, secrets in files beside it.

Relative paths are meant from the folder of the file. `NCP_BRIDGE_BROKER__HOST` overrides `host` in `[broker]`. Secrets
are never settings: only the names of the files that hold them are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from bridge.core.errors import BadInputError, Problem, UnavailableError
from bridge.core.ids import CONTACT_POINT_PATTERN

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
    vhost: str = "/"
    relay: Account
    router: Account
    admin_url_file: Path | None = None
    management_url: str | None = None


class TrustSettings(BaseModel):
    """The mirror of the trust repository (a folder), the local cache, and the pinned first root."""

    model_config = _FORM

    mirror: Path
    cache: Path
    root: Path
    refresh_seconds: Annotated[float, Field(ge=1, le=86400)] = 60.0


class NodeSettings(BaseSettings):
    """Everything a node needs to start."""

    model_config = SettingsConfigDict(env_prefix="NCP_BRIDGE_", env_nested_delimiter="__", frozen=True, extra="forbid")

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    database: str = "sqlite:///node.db"
    machine_secret_file: Path = Path("secrets/machine.key")
    drain_seconds: Annotated[float, Field(gt=0, le=300)] = 25.0
    broker: BrokerSettings
    trust: TrustSettings
    contact_points: Annotated[tuple[ContactPointSettings, ...], Field(min_length=1)]
    folder: Path = Path()

    @property
    def prefix(self) -> str:
        """The country's prefix in ids, exchanges, queues and routing keys."""
        return self.country.lower()

    def path(self, path: Path) -> Path:
        """A configured path, meant from the settings file's folder."""
        return (self.folder / path).resolve()

    @property
    def database_url(self) -> str:
        """The database URL with a relative SQLite path resolved."""
        scheme, separator, rest = self.database.partition(":///")
        if scheme.startswith("sqlite") and separator and rest != ":memory:":
            return f"{scheme}:///{self.path(Path(rest))}"
        return self.database

    def amqp_url(self, account: Account) -> str:
        """The AMQP URL of an account, with its password read from its file."""
        password = read_line(self.path(account.password_file))
        broker = self.broker
        user, vhost = quote(account.user, safe=""), quote(broker.vhost, safe="")
        return f"{broker.scheme}://{user}:{quote(password, safe='')}@{broker.host}:{broker.port}/{vhost}"

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
        return NodeSettings(**{**values, "folder": path.resolve().parent})
    except ValidationError as error:
        faults = ((fault["loc"], fault["type"], fault["msg"]) for fault in error.errors())
        raise BadInputError.of(tuple(_problem(*fault) for fault in faults)) from None


def read_line(path: Path) -> str:
    """The text of a one-line secret file."""
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise UnavailableError("E_SECRET_FILE", f"{path}: {error.strerror}") from None


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> Problem:
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    if kind == "missing":
        return Problem(path=path, found="nothing", expected="this setting to be there", code="E_CONFIG")
    return Problem(path=path, found="another value", expected=message, code="E_CONFIG")
