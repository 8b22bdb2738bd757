"""A token that is not there, goes, comes back, or refuses its PIN: each has a name, and nothing needs a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.softhsm_fixtures import MakeToken

from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.pins import PinFile
from bridge.adapters.token.token import Token, TokenPlace
from bridge.core.directory import PublicKey
from bridge.core.errors import UnavailableError
from broker.soft_tokens import SoftToken, SoftTokens

SIG, ENC = "at.ncp#sig-2026a", "at.ncp#enc-2026a"
FAR = datetime(2099, 1, 1, tzinfo=UTC)


def keys_on(place: TokenPlace) -> TokenKeys:
    """As another process has them: signed in to by nobody yet."""
    return TokenKeys(Token(place), "at.ncp#")


def code_of(use: Callable[[], object]) -> str:
    with pytest.raises(UnavailableError) as away:
        use()
    return away.value.code


@pytest.fixture
def keys(token: SoftToken) -> TokenKeys:
    keys = keys_on(token.place)
    keys.make(SIG)
    keys.make(ENC)
    return keys


def test_a_token_that_was_taken_away_has_a_name_and_comes_back_by_itself(
    keys: TokenKeys, token: SoftToken, tmp_path: Path
) -> None:
    # given
    point = keys.point(ENC)
    keys.sign(SIG, b"before")
    # when
    away = token.folder.rename(tmp_path / "away")
    # then
    for use in (lambda: keys.sign(SIG, b"x"), lambda: keys.agree(ENC, point), lambda: keys.point(SIG)):
        assert code_of(use) == "E_TOKEN"
    assert code_of(keys.kids) == "E_TOKEN"
    # when
    away.rename(token.folder)
    # then
    assert len(keys.sign(SIG, b"after")) == 64
    assert keys.point(ENC) == point
    assert set(keys.kids()) == {SIG, ENC}


def test_a_token_that_is_gone_is_not_taken_for_one_without_keys(
    keys: TokenKeys, token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the token's own search finds nothing then, without a fault
    monkeypatch.setattr("bridge.adapters.token.keys.FRESH_SECONDS", 0.0)
    assert set(keys.kids()) == {SIG, ENC}
    # when
    token.folder.rename(tmp_path / "away")
    # then
    assert code_of(keys.kids) == "E_TOKEN"


def test_while_a_token_is_away_it_is_asked_for_now_and_then_only(
    keys: TokenKeys, token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("bridge.adapters.token.token.PAUSE_SECONDS", 0.5)
    away = token.folder.rename(tmp_path / "away")
    assert code_of(keys.kids) == "E_TOKEN"
    lost_at = time.monotonic()
    # when
    away.rename(token.folder)
    # then
    first = code_of(keys.kids)
    assert time.monotonic() - lost_at < 0.5
    assert first == "E_TOKEN"
    while time.monotonic() - lost_at < 0.6:
        time.sleep(0.05)
    keys.kids()


def test_another_token_of_the_module_goes_on(keys: TokenKeys, make_token: MakeToken, tmp_path: Path) -> None:
    # given
    other = make_token()
    keys_on(other.place).make("at.ncp#sig-b")
    others = keys_on(other.place)
    others.kids()
    # when
    other.folder.rename(tmp_path / "away")
    assert code_of(lambda: others.sign("at.ncp#sig-b", b"x")) == "E_TOKEN"
    # then
    assert len(keys.sign(SIG, b"x")) == 64
    assert set(keys.kids()) == {SIG, ENC}


def test_what_another_process_makes_is_seen_without_signing_in_again(
    keys: TokenKeys, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("bridge.adapters.token.keys.FRESH_SECONDS", 0.0)
    keys.kids()
    # when
    keys_on(token.place).make("at.ncp#sig-2026b")
    # then
    assert set(keys.kids()) == {SIG, "at.ncp#sig-2026b", ENC}
    # when
    keys_on(token.place).destroy(SIG)
    # then
    assert code_of(lambda: keys.sign(SIG, b"x")) == "E_TOKEN_KEY"


def test_a_wrong_pin_is_tried_once_by_whoever_it_is(
    keys: TokenKeys, make_token: MakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    place = make_token().place
    right = place.pin_file.read_text()
    place.pin_file.write_text("not-the-pin\n")
    refused = count_refusals(monkeypatch)
    # when
    for _ in range(3):
        assert code_of(keys_on(place).kids) == "E_TOKEN_PIN"
    same = keys_on(place)
    for _ in range(3):
        assert code_of(same.kids) == "E_TOKEN_PIN"
    # then
    assert refused == [place.pin_file]
    # when
    place.pin_file.write_text(right)
    # then
    assert set(same.kids()) == set()
    assert set(keys_on(place).kids()) == set()
    keys.kids()


def count_refusals(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each time that a token refuses a PIN from now on, the file of that PIN."""
    refused: list[Path] = []
    inner = PinFile.refuse

    def counted(self: PinFile, reason: str) -> UnavailableError:
        refused.append(self.path)
        return inner(self, reason)

    monkeypatch.setattr(PinFile, "refuse", counted)
    return refused


def test_a_pin_that_others_can_read_is_not_used(token: SoftToken) -> None:
    token.place.pin_file.chmod(0o640)
    assert code_of(keys_on(token.place).kids) == "E_SECRET_FILE"


def test_no_such_token_and_no_such_module_are_told_from_each_other(token: SoftToken, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no token with this label") as missing:
        keys_on(replace(token.place, label="nobody's")).kids()
    assert missing.value.code == "E_TOKEN"
    assert code_of(keys_on(replace(token.place, module=tmp_path / "none.so")).kids) == "E_TOKEN"


def test_two_tokens_with_one_label_are_not_chosen_between(token: SoftToken, softhsm: SoftTokens) -> None:
    softhsm.make(token.place.label)
    with pytest.raises(UnavailableError, match="several tokens"):
        keys_on(token.place).kids()


def test_many_threads_sign_and_agree_with_one_token(keys: TokenKeys) -> None:
    # given
    listed = PublicKey(SIG, "ES256", keys.point(SIG), FAR, FAR)
    point = keys.point(ENC)
    secret = keys.agree(ENC, point)

    def work(number: int) -> bool:
        signing_input = f"message {number}".encode()
        signature = keys.sign(SIG, signing_input)
        return keys.agree(ENC, point) == secret and is_signature(
            listed, signing_input=signing_input, signature_bytes=signature
        )

    # when
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(work, range(200)))
    # then
    assert done == [True] * 200
