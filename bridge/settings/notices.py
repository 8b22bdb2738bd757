"""How people are told, outside the console, that something waits: `[[notices]]`, each an e-mail or a webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, model_validator

from bridge.settings.form import FORM, fault

LOOPBACKS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESS: Final = r"^[^\s@<>,]+@[^\s@<>,]+$"

Occasion = Literal["new", "due", "overdue", "released", "silent", "broke_glass"]
Address = Annotated[str, Field(pattern=_ADDRESS, max_length=254)]


class _Channel(BaseModel):
    """What both kinds have.

    Attributes:
        name: of this channel; it stays in the queue.
        contact_points: whose occasions it tells of; empty: those of all that are hosted here.
        authority_file: the certificate authorities of its server, where they are not those of this machine.
    """

    model_config = FORM

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    contact_points: tuple[str, ...] = ()
    occasions: Annotated[tuple[Occasion, ...], Field(min_length=1)] = get_args(Occasion)
    authority_file: Path | None = None


class EmailNotices(_Channel):
    """A mail server, and whom to write to; without TLS only where it is on this machine."""

    kind: Literal["email"]
    host: Annotated[str, Field(pattern=r"^[^\s/@]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    sender: Address
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACKS:
            raise fault('security = "starttls" or "tls" for a mail server that is not on this machine')
        if (self.user is None) != (self.password_file is None):
            raise fault("user and password_file, or neither")
        return self


class WebhookNotices(_Channel):
    """An address that takes signed notices, and the file of the secret it shares: `whsec_` and base64."""

    kind: Literal["webhook"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
    secret_file: Path

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACKS:
            raise fault("an https address for a webhook that is not on this machine")
        return self


NoticeSettings = Annotated[EmailNotices | WebhookNotices, Field(discriminator="kind")]
