"""Where the membership list comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from bridge.settings.form import FORM


class TrustSettings(BaseModel):
    """The mirror of the trust repository (a folder), the local cache, and the pinned first root."""

    model_config = FORM

    mirror: Path
    cache: Path
    root: Path
    refresh_seconds: Annotated[float, Field(ge=1, le=86400)] = 60.0
