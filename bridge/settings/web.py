"""Where something is served over HTTP, and what protects the way to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, model_validator

from bridge.settings.form import FORM, fault
from bridge.settings.signs_of_life import LISTEN_PATTERN, host_and_port

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class WebSettings(BaseModel):
    """An address.

    Attributes:
        listen: `port` (on loopback) or `host:port`.
        address: the origin as others see it, where that is another one (behind a proxy): `https://console.example.org`.
        certificate_file: with `key_file`, for serving TLS itself.
        proxies: addresses whose `X-Forwarded-For` is believed, so that limits count people and not the proxy.
    """

    model_config = FORM

    listen: Annotated[str, Field(pattern=LISTEN_PATTERN)]
    address: Annotated[str, Field(pattern=r"^https?://[^\s/@]+$")] | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    proxies: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_both_files_or_none(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise fault("certificate_file and key_file, or neither")
        return self

    @model_validator(mode="after")
    def _is_https_or_here(self) -> Self:
        host = self.origin.partition("://")[2].rpartition(":")[0] or self.origin.partition("://")[2]
        if self.origin.startswith("http://") and host not in _LOOPBACK:
            raise fault("an https address, or certificate_file and key_file: what passes there is a secret")
        return self

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
