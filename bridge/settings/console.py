"""The console: where it is served, who signs people in, and how long a session lasts that nobody uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, field_validator, model_validator

from bridge.core.vocabulary import SEALED_KINDS
from bridge.settings.form import FORM, fault
from bridge.settings.oidc import OidcSettings
from bridge.settings.signs_of_life import LISTEN_PATTERN, host_and_port

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class ConsoleSettings(BaseModel):
    """Where officers and operators find their pages.

    Attributes:
        listen: `port` (on loopback) or `host:port`.
        address: the origin as browsers see it, where that is another one (behind a proxy): `https://console.example.org`.
        certificate_file: with `key_file`, for serving TLS itself.
        idle_minutes: after which an unused session is locked.
        proxies: addresses whose `X-Forwarded-For` is believed, so that limits count people and not the proxy.
        local_accounts: whether passwords are the rule, for emergencies only (each use is a warning), or refused.
        oidc: the identity provider, if there is one.
        time_zone: of the local times beside UTC, by its name in the IANA database.
        reason_for: the kinds of message that are opened only by who says why, which is logged.
    """

    model_config = FORM

    listen: Annotated[str, Field(pattern=LISTEN_PATTERN)] = "8440"
    address: Annotated[str, Field(pattern=r"^https?://[^\s/@]+$")] | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    idle_minutes: Annotated[float, Field(gt=0, le=60)] = 15.0
    proxies: tuple[str, ...] = ()
    local_accounts: Literal["all", "break_glass", "none"] = "all"
    oidc: OidcSettings | None = None
    time_zone: str = "UTC"
    reason_for: tuple[Annotated[str, Field(pattern=rf"^({'|'.join(SEALED_KINDS)})$")], ...] = ()

    @model_validator(mode="after")
    def _has_both_files_or_none(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise fault("certificate_file and key_file, or neither")
        return self

    @model_validator(mode="after")
    def _is_https_or_here(self) -> Self:
        host = self.origin.partition("://")[2].rpartition(":")[0] or self.origin.partition("://")[2]
        if self.origin.startswith("http://") and host not in _LOOPBACK:
            raise fault("an https address, or certificate_file and key_file: browsers keep the session for https only")
        return self

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if self.local_accounts != "all" and self.oidc is None:
            raise fault('local_accounts = "all", or an [console.oidc] table: nobody could sign in')
        return self

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise fault("the name of a time zone like Europe/Belgrade")
        return name

    @property
    def place(self) -> tuple[str, int]:
        """Host and port to listen at."""
        return host_and_port(self.listen)

    @property
    def origin(self) -> str:
        """The origin that requests must come from."""
        if self.address is not None:
            return self.address
        host, port = self.place
        return f"{'http' if self.certificate_file is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"
