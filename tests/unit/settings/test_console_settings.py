"""The console's settings: https or loopback, somebody who may sign in, an identity provider that is one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.settings.console import ConsoleSettings

OIDC = {
    "issuer": "https://idp.example.org/realms/ncp",
    "client_id": "ncp-bridge",
    "client_secret_file": "secrets/idp.secret",
    "roles": {"ncp-duty": "duty_officer"},
}


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({}, "http://127.0.0.1:8440"),
        ({"listen": "localhost:9000"}, "http://localhost:9000"),
        ({"listen": "[::1]:9000"}, "http://[::1]:9000"),
        ({"listen": "0.0.0.0:443", "address": "https://console.example.org"}, "https://console.example.org"),
        (
            {"listen": "console.example.org:8443", "certificate_file": "c.pem", "key_file": "k.pem"},
            "https://console.example.org:8443",
        ),
    ],
)
def test_the_origin_is_what_browsers_see(given: dict[str, Any], origin: str) -> None:
    assert ConsoleSettings.model_validate(given).origin == origin


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"listen": "0.0.0.0:8440"}, "an https address"),
        ({"address": "http://console.example.org"}, "an https address"),
        ({"address": "http://127.0.0.1.example.org:80"}, "an https address"),
        ({"certificate_file": "c.pem"}, "or neither"),
        ({"local_accounts": "none"}, "nobody could sign in"),
        ({"local_accounts": "break_glass"}, "nobody could sign in"),
        ({"oidc": {**OIDC, "issuer": "http://idp.example.org"}}, "pattern"),
        ({"oidc": {**OIDC, "issuer": "https://idp.example.org?x=1"}}, "pattern"),
        ({"oidc": {**OIDC, "roles": {}}}, "at least 1"),
        ({"oidc": {**OIDC, "roles": {"a": "king"}}}, "duty_officer"),
        ({"oidc": {**OIDC, "contact_point": "rs.ncp", "contact_point_claim": "ncp"}}, "not both"),
    ],
)
def test_what_would_not_work_is_refused(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        ConsoleSettings.model_validate(given)


def test_passwords_may_be_for_emergencies_where_there_is_a_provider() -> None:
    settings = ConsoleSettings.model_validate({"local_accounts": "break_glass", "oidc": OIDC})
    assert settings.oidc is not None
    assert settings.oidc.roles_claim == "groups"
