"""The contact points that a node hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from bridge.core.ids import CONTACT_POINT_PATTERN
from bridge.settings.broker import Account
from bridge.settings.form import FORM


class ContactPointSettings(BaseModel):
    """One contact point hosted here: its keys' folder and its inbox account."""

    model_config = FORM

    id: Annotated[str, Field(pattern=CONTACT_POINT_PATTERN)]
    keys: Path
    account: Account
