"""Holders whose keys are on tokens sign beside those whose keys are in files, with the same commands."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from ceremony_people import Secretariat
from servers.softhsm_fixtures import MakeToken
from trust_network import Run

from broker.soft_tokens import SoftToken


@pytest.fixture
def secretariat(run: Run, tmp_path: Path) -> Secretariat:
    return Secretariat(tmp_path, run)


@pytest.fixture
def token(make_token: MakeToken) -> SoftToken:
    return make_token()


def options(token: SoftToken) -> list[object]:
    place = token.place
    return ["--token-module", place.module, "--token-label", place.label, "--token-pin-file", place.pin_file]


def has_key_on(token: SoftToken, secretariat: Secretariat, person: str) -> Path:
    private = secretariat.folder / person / "my.key"
    private.parent.mkdir()
    status, answer = secretariat.run("network", "key", private, "--holder", person.capitalize(), *options(token))
    assert status == 0, answer
    secretariat.file.parent.mkdir(exist_ok=True)
    shutil.copy(private.with_name("my.key.pub"), secretariat.file.parent / f"{person}.pub")
    return private


def test_a_network_is_founded_by_a_token_and_a_file_and_the_revocation_role_is_on_a_token(
    secretariat: Secretariat, make_token: MakeToken
) -> None:
    # given
    private = has_key_on(make_token(), secretariat, "alice")
    has_key_on(make_token(), secretariat, "rita")
    secretariat.has_keys_of("bob")
    secretariat.writes(["alice", "bob"], threshold=2)
    secretariat.run("network", "init", secretariat.network, "--config", secretariat.file)
    # when
    copies = secretariat.signed_by(secretariat.network / "founding.json", "alice", "bob", "rita")
    status, answer = secretariat.publish(copies)
    # then
    assert (status, answer["version"]) == (0, 1)
    assert json.loads(private.read_text("utf-8")).keys() == {"v", "token", "key"}
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    # when
    secretariat.writes(["alice", "bob"], threshold=2, languages='["de"]')
    copies = secretariat.signed_by(secretariat.proposes(), "alice", "bob")
    # then
    assert secretariat.publish(copies)[0] == 0


def test_a_token_that_is_not_there_signs_nothing(secretariat: Secretariat, token: SoftToken, tmp_path: Path) -> None:
    # given
    has_key_on(token, secretariat, "alice")
    secretariat.has_keys_of("rita")
    secretariat.writes(["alice"], threshold=1)
    secretariat.run("network", "init", secretariat.network, "--config", secretariat.file)
    copy = secretariat.hands_to("alice", secretariat.network / "founding.json")
    before = copy.read_bytes()
    token.folder.rename(tmp_path / "away")
    # when
    status, answer = secretariat.sign("alice", copy)
    # then
    assert (status, answer["error"]["code"]) == (4, "E_TOKEN")
    assert copy.read_bytes() == before


def test_a_second_key_of_one_holder_on_a_token_is_refused(secretariat: Secretariat, token: SoftToken) -> None:
    # given
    private = has_key_on(token, secretariat, "alice")
    # then
    for file in (private, private.with_name("other.key")):
        status, answer = secretariat.run("network", "key", file, "--holder", "Alice", *options(token))
        assert (status, answer["error"]["code"]) == (3, "E_KEY_EXISTS")
    assert not private.with_name("other.key").exists()


@pytest.mark.parametrize("more", [["--protect"], ["--token-label", "x" * 33]])
def test_options_that_do_not_fit_a_token_are_refused(
    secretariat: Secretariat, token: SoftToken, more: list[str]
) -> None:
    status, answer = secretariat.run(
        "network", "key", secretariat.folder / "a.key", "--holder", "A", *options(token), *more
    )
    assert (status, answer["error"]["code"]) == (2, "E_TOKEN_OPTIONS")


def test_a_file_that_names_no_key_on_a_token_is_one_sentence(secretariat: Secretariat, token: SoftToken) -> None:
    # given
    private = has_key_on(token, secretariat, "alice")
    secretariat.has_keys_of("rita")
    secretariat.writes(["alice"], threshold=1)
    secretariat.run("network", "init", secretariat.network, "--config", secretariat.file)
    copy = secretariat.hands_to("alice", secretariat.network / "founding.json")
    # when
    private.write_text('{"v": 1, "key": "Alice"}', "utf-8")
    status, answer = secretariat.sign("alice", copy)
    # then
    assert (status, answer["error"]["code"]) == (4, "E_KEY_FILE")
    assert answer["error"]["message"].endswith("my.key does not name a key on a token")
