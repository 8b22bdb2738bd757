"""Where the list comes from, as the settings file may say it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings.trust import TrustSettings, is_address


def trust(**given: object) -> TrustSettings:
    return TrustSettings(**{"cache": "trust/cache", "root": "trust/root.json", **given})


def test_one_mirror_several_mirrors_and_both_are_asked_in_order() -> None:
    assert trust(mirror="/srv/see").places == ("/srv/see",)
    assert trust(mirrors=["/srv/see", "https://a.example/see"]).places == ("/srv/see", "https://a.example/see")
    assert trust(mirror="mirror", mirrors=["https://a.example"]).places == ("mirror", "https://a.example")


def test_without_any_mirror_the_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="a mirror"):
        trust()


@pytest.mark.parametrize(
    "address",
    [
        "https://trust.example.org",
        "https://trust.example.org:8443/see/",
        "https://[2001:db8::1]/see",
        "http://127.0.0.1:8000/see",
        "http://localhost/",
        "http://[::1]:80/x",
    ],
)
def test_an_address_is_https_or_on_loopback(address: str) -> None:
    assert is_address(address)
    assert trust(mirrors=[address]).places == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "http://trust.example.org/see",
        "http://127.0.0.1.example.org/",
        "ftp://trust.example.org/see",
        "https://user:password@trust.example.org/see",
        "https://trust.example.org/see?version=1",
        "https://trust.example.org/see#1",
        "https://",
        "file:///srv/see",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="without account and query"):
        trust(mirrors=[address])
