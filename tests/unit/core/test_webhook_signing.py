"""Signatures of webhooks, held against the package that others verify them with, both ways."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bridge.core.webhook_signing import key_of, new_secret, signed_headers

BODY = b'{"type":"message.received"}'


def now() -> datetime:
    return datetime.now(UTC)  # the package looks at the wall clock


@given(st.text(max_size=200))
def test_what_we_sign_others_verify_and_what_others_sign_is_ours(text: str) -> None:
    secret, at = new_secret(), now().replace(microsecond=0)
    body = '{"text": ' + json.dumps(text) + "}"
    headers = dict(signed_headers("evt_1", at, body.encode(), [key_of(secret)]))
    Webhook(secret).verify(body, headers)
    assert Webhook(secret).sign("evt_1", at, body) == headers["webhook-signature"]


def test_while_a_secret_is_replaced_either_verifies_and_another_does_not() -> None:
    newest, before = new_secret(), new_secret()
    headers = dict(signed_headers("evt_1", now(), BODY, [key_of(newest), key_of(before)]))
    Webhook(newest).verify(BODY, headers)
    Webhook(before).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize("wrong", ["body", "webhook-id", "webhook-timestamp"])
def test_a_signature_is_of_this_id_time_and_body(wrong: str) -> None:
    secret = new_secret()
    headers = dict(signed_headers("evt_1", now(), BODY, [key_of(secret)]))
    if wrong != "body":
        headers[wrong] = "evt_2" if wrong == "webhook-id" else str(int(now().timestamp()) - 60)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + (b" " if wrong == "body" else b""), headers)


def test_an_old_signature_is_refused_by_who_looks_at_the_time() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(
            BODY, dict(signed_headers("evt_1", now() - timedelta(minutes=6), BODY, [key_of(secret)]))
        )


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "é" * 40, "whsec_not base64"])
def test_what_is_no_secret_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and 24 bytes"):
        key_of(secret)


def test_a_secret_has_256_random_bits() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32
