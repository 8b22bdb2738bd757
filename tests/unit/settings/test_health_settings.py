"""Where readiness is served on TCP: nowhere unless it is said, on loopback unless a host is named."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings.signs_of_life import HealthSettings


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        (None, None),
        ("8700", ("127.0.0.1", 8700)),
        ("127.0.0.1:8700", ("127.0.0.1", 8700)),
        ("monitor.example.org:8700", ("monitor.example.org", 8700)),
        ("[::1]:8700", ("::1", 8700)),
    ],
)
def test_a_port_alone_means_loopback(listen: str | None, address: tuple[str, int] | None) -> None:
    assert HealthSettings(listen=listen).address == address


@pytest.mark.parametrize(
    "listen", ["", "0", ":", ":8700", "host:", "http://host:8700", "a b:1", "1.2.3.4", "65536", "host:99999"]
)
def test_anything_else_is_refused(listen: str) -> None:
    with pytest.raises(ValidationError):
        HealthSettings(listen=listen)
