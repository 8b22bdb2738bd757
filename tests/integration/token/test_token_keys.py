"""What a token is told about a key that it makes: to be used for one thing, and never to be given out."""

from __future__ import annotations

import pytest
from pkcs11 import Attribute, ObjectClass, PrivateKey, Session
from pkcs11.exceptions import AttributeSensitive

from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.token import Token
from bridge.core.errors import UnavailableError
from broker.soft_tokens import SoftToken

SIG, ENC = "at.ncp#sig-2026a", "at.ncp#enc-2026a"


@pytest.fixture
def opened(token: SoftToken) -> Token:
    """The token with a key of either kind."""
    opened = Token(token.place)
    keys = TokenKeys(opened, "at.ncp#")
    for kid in (SIG, ENC):
        keys.make(kid)
    return opened


def private_keys(session: Session) -> dict[str, PrivateKey]:
    return {key.label: key for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})}


@pytest.mark.parametrize("kid", [SIG, ENC])
def test_a_private_key_was_made_on_the_token_and_cannot_be_read_from_it(opened: Token, kid: str) -> None:
    key = opened.use(private_keys)[kid]
    for attribute in ("LOCAL", "PRIVATE", "SENSITIVE", "ALWAYS_SENSITIVE", "NEVER_EXTRACTABLE"):
        assert key[Attribute[attribute]] is True, attribute
    assert key[Attribute.EXTRACTABLE] is False
    with pytest.raises(AttributeSensitive):
        key[Attribute.VALUE]


def test_a_key_signs_or_opens_and_does_not_do_the_other(opened: Token) -> None:
    # given
    uses = {
        kid: (key[Attribute.SIGN], key[Attribute.DERIVE], key[Attribute.DECRYPT], key[Attribute.UNWRAP])
        for kid, key in opened.use(private_keys).items()
    }
    # then
    assert uses == {SIG: (True, False, False, False), ENC: (False, True, False, False)}
    keys = TokenKeys(opened, "at.ncp#")
    for use in (lambda: keys.sign(ENC, b"x"), lambda: keys.agree(SIG, keys.point(ENC))):
        with pytest.raises(UnavailableError) as refused:
            use()
        assert refused.value.code == "E_TOKEN_KEY"


def test_a_contact_point_sees_its_own_keys_only(opened: Token) -> None:
    others = TokenKeys(opened, "at.border-police#")
    assert set(others.kids()) == set()
    with pytest.raises(UnavailableError):
        others.sign(SIG, b"x")


def test_a_label_that_two_keys_bear_names_neither(opened: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: two programs that made it at one moment
    monkeypatch.setattr(TokenKeys, "_fresh", lambda *_: {})
    TokenKeys(opened, "at.ncp#").make(SIG)
    monkeypatch.undo()
    # then
    keys = TokenKeys(opened, "at.ncp#")
    for use in (lambda: keys.sign(SIG, b"x"), lambda: keys.point(SIG)):
        with pytest.raises(UnavailableError, match="holds two keys labelled"):
            use()
    assert len(keys.agree(ENC, keys.point(ENC))) == 32


def test_a_contact_point_without_keys_disturbs_nobody_on_its_token(
    opened: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("bridge.adapters.token.keys.FRESH_SECONDS", 0.0)
    others, session = TokenKeys(opened, "at.border-police#"), opened.use(lambda session: session)
    # when
    for _ in range(3):
        assert set(others.kids()) == set()
    # then: nobody had to sign in again
    assert opened.use(lambda session: session) is session
