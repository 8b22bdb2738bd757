"""Bodies at rest: opened by the contact point's storage key in their own context only, and never after erasure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.adapters.vault import StorageVault
from bridge.core.errors import UnavailableError
from bridge.ports.vault import BodyAtRest

KEYS = {"at.ncp": bytes(range(32)), "hu.ncp": bytes(range(1, 33))}
CONTEXT = "at.ncp/0193a1b2-0000-7000-8000-000000000001"
BODY = '{"title":"Vans at Horgoš"}'.encode()

vault = StorageVault(KEYS)


def refused(body: BodyAtRest, *, contact_point: str = "at.ncp", context: str = CONTEXT) -> str:
    with pytest.raises(UnavailableError) as raised:
        vault.get(contact_point, body, context=context)
    return raised.value.code


@given(st.binary(max_size=2000), st.text(st.characters(codec="utf-8"), max_size=60))
def test_what_is_put_comes_out_again(body_bytes: bytes, context: str) -> None:
    assert vault.get("at.ncp", vault.put("at.ncp", body_bytes, context=context), context=context) == body_bytes


def test_nothing_of_the_body_can_be_read_from_what_rests() -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)

    assert BODY not in at_rest.ciphertext + at_rest.wrapped_key
    assert KEYS["at.ncp"] not in at_rest.ciphertext + at_rest.wrapped_key


def test_every_body_has_a_key_of_its_own() -> None:
    first, second = (vault.put("at.ncp", BODY, context=CONTEXT) for _ in range(2))

    assert first.wrapped_key != second.wrapped_key
    assert first.ciphertext != second.ciphertext
    assert refused(replace(first, wrapped_key=second.wrapped_key)) == "E_BODY_AT_REST"


def test_another_contact_points_key_does_not_open_it() -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)

    assert refused(at_rest, contact_point="hu.ncp") == "E_BODY_AT_REST"
    with pytest.raises(UnavailableError):
        StorageVault({"at.ncp": bytes(32)}).get("at.ncp", at_rest, context=CONTEXT)


def test_a_body_moved_to_another_message_does_not_open() -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)

    assert refused(at_rest, context=CONTEXT[:-1] + "2") == "E_BODY_AT_REST"


@pytest.mark.parametrize("member", ["wrapped_key", "ciphertext"])
def test_any_changed_or_missing_byte_is_noticed(member: str) -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)
    data: bytes = getattr(at_rest, member)

    changed = [data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] for place in range(len(data))]
    for other in (*changed, data[:-1], data + b"\0", data[:8], b""):
        assert refused(replace(at_rest, **{member: other})) == "E_BODY_AT_REST"


def test_without_its_data_key_a_body_is_gone() -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)

    for guess in (bytes(40), KEYS["at.ncp"] + bytes(8), at_rest.ciphertext[:40]):
        assert refused(replace(at_rest, wrapped_key=guess)) == "E_BODY_AT_REST"


def test_a_contact_point_of_another_node_has_no_key_here() -> None:
    at_rest = vault.put("at.ncp", BODY, context=CONTEXT)

    assert refused(at_rest, contact_point="rs.ncp") == "E_KEY_FILE"
    with pytest.raises(UnavailableError, match=r"rs\.ncp"):
        vault.put("rs.ncp", BODY, context=CONTEXT)
