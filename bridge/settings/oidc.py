"""The identity provider of a node's people: OpenID Connect, and what its claims mean here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from bridge.core.ids import CONTACT_POINT_PATTERN
from bridge.settings.form import FORM, fault

_ISSUER_PATTERN: Final = r"^(https://[^\s?#@]+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/[^\s?#@]*)?)$"


class OidcSettings(BaseModel):
    """Who signs people in, and as what.

    Attributes:
        issuer: as it stands in the provider's metadata; https, http on loopback only.
        client_secret_file: a private file with the secret on its first line.
        scopes: beside `openid`.
        roles_claim: the claim with the provider's groups or roles: text, or a list of texts.
        roles: one of those -> a role here; others are passed over.
        contact_point_claim: the claim that says whose messages a person reads.
        contact_point: of everybody, where no claim says it.
        acr: one of these levels has to be reached, where any is named.
        longest_login_minutes: how long ago a person may have signed in at the provider; `None`: it decides.
    """

    model_config = FORM

    issuer: Annotated[str, Field(pattern=_ISSUER_PATTERN)]
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path
    scopes: tuple[str, ...] = ("profile",)
    roles_claim: str = "groups"
    roles: Annotated[
        dict[str, Literal["duty_officer", "approver", "operator", "auditor", "administrator"]], Field(min_length=1)
    ]
    contact_point_claim: str | None = None
    contact_point: Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)] | None = None
    acr: tuple[str, ...] = ()
    longest_login_minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None

    @model_validator(mode="after")
    def _says_who_reads_what(self) -> Self:
        if self.contact_point is not None and self.contact_point_claim is not None:
            raise fault("contact_point or contact_point_claim, not both")
        return self
