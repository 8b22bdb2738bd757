"""Wycheproof's vectors for ECDH on P-256, with the private key on a token.

The keys are put on the token for the length of a session; those of a contact point are made there and never leave it.
"""

from __future__ import annotations

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters
from servers.softhsm_fixtures import MakeToken
from wycheproof_agreements import AGREEING, FOREIGN, ORDER, point_of
from wycheproof_vectors import needs_vectors

from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.token import Token

pytestmark = needs_vectors

CURVE = encode_named_curve_parameters("secp256r1")


def label_of(private: str) -> str:
    return f"at.ncp#enc-{int(private, 16) % ORDER:x}"


def put(session: pkcs11.Session, private: str) -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.LABEL: label_of(private),
            Attribute.EC_PARAMS: CURVE,
            Attribute.VALUE: (int(private, 16) % ORDER).to_bytes(32, "big"),
            Attribute.DERIVE: True,
        }
    )


@pytest.fixture
def keys(make_token: MakeToken) -> TokenKeys:
    """On a token that holds the private key of every vector."""
    token = Token(make_token().place)
    for private in {test["private"] for test in (*AGREEING, *FOREIGN)}:
        token.use(lambda session, private=private: put(session, private))
    return TokenKeys(token, "at.ncp#")


def test_the_token_agrees_with_every_vector(keys: TokenKeys) -> None:
    # when
    agreed = {
        test["tcId"]: keys.agree(label_of(test["private"]), bytes.fromhex(test["public"])[-65:]) for test in AGREEING
    }
    # then
    assert len(agreed) > 300
    assert agreed == {test["tcId"]: bytes.fromhex(test["shared"]) for test in AGREEING}


@pytest.mark.parametrize("test", FOREIGN, ids=lambda test: f"{test['tcId']}-{test['comment']}")
def test_a_point_that_is_not_on_the_curve_never_reaches_the_token(test: dict[str, str]) -> None:
    # given: a token that would fail the test
    class Unasked(Token):
        def __init__(self) -> None:
            pass

    # then
    with pytest.raises(ValueError):  # noqa: PT011 - the library's words
        TokenKeys(Unasked(), "at.ncp#").agree("at.ncp#enc-a", point_of(test) or b"")
