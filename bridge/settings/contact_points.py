"""The contact points that a node hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field

from bridge.core.ids import CONTACT_POINT_PATTERN
from bridge.settings.broker import Account
from bridge.settings.form import FORM

LONGEST_LABEL: Final = 32  # bytes that PKCS#11 has for a token's label


class TokenSettings(BaseModel):
    """A PKCS#11 token: the module that speaks to it, the token's label, the file that holds its PIN."""

    model_config = FORM

    module: Path
    label: Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]
    pin_file: Path


class ContactPointSettings(BaseModel):
    """One contact point hosted here: the folder of its keys, or the token that they are on, and its inbox account.

    The storage key, for bodies at rest, is in the folder in either case.
    """

    model_config = FORM

    id: Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
    keys: Path
    token: TokenSettings | None = None
    account: Account
