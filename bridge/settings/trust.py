"""Where the membership list comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from bridge.settings.form import FORM, fault

_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[^?#\s]*)?"
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class TrustSettings(BaseModel):
    """The mirrors of the trust repository, the local cache, and the pinned first root.

    Attributes:
        mirror: a folder; the same as one entry of `mirrors`.
        mirrors: folders and https addresses, in the order in which they are asked.
        received: what comes through the bridge; one more mirror, always.
        mirror_seconds: what one mirror behind an address may cost each time it is asked.
    """

    model_config = FORM

    mirror: Path | None = None
    mirrors: Annotated[tuple[str, ...], Field(max_length=16)] = ()
    cache: Path
    received: Path = Path("trust/received")
    root: Path
    refresh_seconds: Annotated[float, Field(ge=1, le=86400)] = 60.0
    mirror_seconds: Annotated[float, Field(ge=1, le=300)] = 20.0

    @field_validator("mirrors")
    @classmethod
    def _are_folders_or_addresses(cls, mirrors: tuple[str, ...]) -> tuple[str, ...]:
        for mirror in mirrors:
            if is_address(mirror) and not is_usable(mirror):
                raise fault("folders, or addresses like https://trust.example.org/see without account and query")
        return mirrors

    @model_validator(mode="after")
    def _has_a_mirror(self) -> Self:
        if self.mirror is None and not self.mirrors:
            raise fault("a mirror: mirrors = [...] with a folder or an https address")
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """Folders and addresses, in the order in which they are asked."""
        return (*((str(self.mirror),) if self.mirror is not None else ()), *self.mirrors)


def is_address(mirror: str) -> bool:
    """Whether a mirror is behind an address; else it is a folder."""
    return "://" in mirror


def is_usable(address: str) -> bool:
    """Whether a mirror may be asked there: https without account and query; http on loopback only."""
    found = _ADDRESS.fullmatch(address)
    return found is not None and (found["scheme"] == "https" or found["host"] in _LOOPBACK)
