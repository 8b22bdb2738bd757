"""The console: where it is served, who signs people in, and how long a session lasts that nobody uses."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from bridge.core.vocabulary import SEALED_KINDS
from bridge.settings.form import fault
from bridge.settings.oidc import OidcSettings
from bridge.settings.signs_of_life import LISTEN_PATTERN
from bridge.settings.web import WebSettings


class ConsoleSettings(WebSettings):
    """Where officers and operators find their pages.

    Attributes:
        idle_minutes: after which an unused session is locked.
        local_accounts: whether passwords are the rule, for emergencies only (each use is a warning), or refused.
        oidc: the identity provider, if there is one.
        time_zone: of the local times beside UTC, by its name in the IANA database.
        reason_for: the kinds of message that are opened only by who says why, which is logged.
    """

    listen: Annotated[str, Field(pattern=LISTEN_PATTERN)] = "8440"
    idle_minutes: Annotated[float, Field(gt=0, le=60)] = 15.0
    local_accounts: Literal["all", "break_glass", "none"] = "all"
    oidc: OidcSettings | None = None
    time_zone: str = "UTC"
    reason_for: tuple[Annotated[str, Field(pattern=rf"^({'|'.join(SEALED_KINDS)})$")], ...] = ()

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
