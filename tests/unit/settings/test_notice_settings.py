"""Channels for notices: safe ones only, each of this node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bridge.settings.notices import EmailNotices, NoticeSettings, WebhookNotices

EMAIL = {"kind": "email", "name": "duty", "host": "mail.at.example", "sender": "b@at.example", "to": ["d@at.example"]}
WEBHOOK = {"kind": "webhook", "name": "pager", "url": "https://pager.at.example/in", "secret_file": "secrets/pager"}
CHANNEL: TypeAdapter[EmailNotices | WebhookNotices] = TypeAdapter(NoticeSettings)


def test_a_mail_server_is_spoken_to_over_tls_unless_told_otherwise() -> None:
    made = CHANNEL.validate_python(EMAIL)
    assert isinstance(made, EmailNotices)
    assert (made.port, made.security, made.occasions) == (
        587,
        "starttls",
        ("new", "due", "overdue", "released", "silent", "broke_glass"),
    )
    assert isinstance(CHANNEL.validate_python(WEBHOOK), WebhookNotices)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({**EMAIL, "security": "none"}, "starttls"),
        ({**EMAIL, "user": "bridge"}, "password_file"),
        ({**EMAIL, "to": ["d@at.example\r\nBcc: x@y.example"]}, "pattern"),
        ({**EMAIL, "to": []}, "at least 1"),
        ({**EMAIL, "occasions": ["content"]}, "'new', 'due'"),
        ({**WEBHOOK, "url": "http://pager.at.example/in"}, "https"),
        ({**WEBHOOK, "url": "https://user:password@pager.at.example/in"}, "pattern"),
        ({**WEBHOOK, "secret": "whsec_"}, "not permitted"),
    ],
)
def test_what_is_not_safe_is_refused(given: Mapping[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        CHANNEL.validate_python(given)


def test_without_tls_on_this_machine_only() -> None:
    CHANNEL.validate_python({**EMAIL, "security": "none", "host": "127.0.0.1"})
    CHANNEL.validate_python({**WEBHOOK, "url": "http://127.0.0.1:9000/in"})
