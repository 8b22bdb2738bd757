"""How a node says that it is alive: to whoever watches it, and to its peers."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field, field_validator

from bridge.settings.form import FORM, fault

LOOPBACK: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65535
LISTEN_PATTERN: Final = r"^((\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+):)?[1-9][0-9]{0,4}$"


def host_and_port(listen: str) -> tuple[str, int]:
    """The parts of `port` or `host:port`; loopback where no host is given."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]") or LOOPBACK, int(port)


class HealthSettings(BaseModel):
    """Where readiness is served besides the socket in the node's folder: `port` (on loopback) or `host:port`."""

    model_config = FORM

    listen: Annotated[str, Field(pattern=LISTEN_PATTERN)] | None = None

    @field_validator("listen")
    @classmethod
    def _is_a_port(cls, listen: str | None) -> str | None:
        if listen is not None and int(listen.rpartition(":")[2]) > HIGHEST_PORT:
            raise fault(f"a port up to {HIGHEST_PORT}")
        return listen

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; loopback where no host is given."""
        return None if self.listen is None else host_and_port(self.listen)


class HeartbeatSettings(BaseModel):
    """How often every peer hears from us; from three missed ones and five minutes on, a silent peer is an alarm."""

    model_config = FORM

    seconds: Annotated[float, Field(ge=1, le=86400)] = 300.0
