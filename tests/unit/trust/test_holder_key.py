"""The key of one holder: made once, opened by its holder only, known by its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from trust_network import Run

from bridge.adapters.trust.governance.holder_key import (
    check_key,
    holder_of,
    is_protected,
    load_holder_key,
    make_holder_key,
    public_file,
    read_public_key,
)
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.private_files import write_private


@pytest.mark.parametrize("passphrase", [None, b"correct horse battery staple"])
def test_a_key_is_made_handed_over_and_opened(tmp_path: Path, passphrase: bytes | None) -> None:
    path = tmp_path / "alice.key"

    made = make_holder_key(path, "Alice Ćirić, Ministry", passphrase=passphrase)

    public = read_public_key(public_file(path))
    assert (made.keyid, holder_of(public)) == (public.keyid, "Alice Ćirić, Ministry")
    assert is_protected(path) is (passphrase is not None)
    signer = load_holder_key(path, passphrase=passphrase)
    public.verify_signature(signer.sign(b"a change"), b"a change")
    check_key(public)


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    make_holder_key(tmp_path / "key", "Alice", passphrase=b"right")

    for wrong in (b"wrong", None):
        with pytest.raises(UnavailableError) as caught:
            load_holder_key(tmp_path / "key", passphrase=wrong)
        assert caught.value.code == "E_KEY_FILE"


def test_a_key_is_not_written_over(tmp_path: Path) -> None:
    make_holder_key(tmp_path / "key", "Alice", passphrase=None)
    before = (tmp_path / "key").read_bytes()

    with pytest.raises(RefusedError, match="nothing was changed"):
        make_holder_key(tmp_path / "key", "Bob", passphrase=None)
    assert (tmp_path / "key").read_bytes() == before


@pytest.mark.parametrize("name", ["", "x" * 81, "Alice\n", 'Alice" (3 of 5)'])
def test_a_holders_name_is_one_short_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="holder"):
        make_holder_key(tmp_path / "key", name, passphrase=None)
    assert not (tmp_path / "key").exists()


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    make_holder_key(tmp_path / "key", "Alice", passphrase=None)
    (tmp_path / "key").chmod(0o640)

    with pytest.raises(UnavailableError, match="can be read by others"):
        load_holder_key(tmp_path / "key", passphrase=None)


def test_keys_of_p256_serve_and_others_do_not(tmp_path: Path) -> None:
    curves = {"p256": ec.generate_private_key(ec.SECP256R1()), "p384": ec.generate_private_key(ec.SECP384R1())}
    for name, key in {**curves, "rsa": rsa.generate_private_key(65537, 2048)}.items():
        write_private(tmp_path / name, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        (tmp_path / f"{name}.pub").write_text(json.dumps({"v": 1, "holder": name, "public_key": public}))

    signer = load_holder_key(tmp_path / "p256", passphrase=None)
    read_public_key(tmp_path / "p256.pub").verify_signature(signer.sign(b"x"), b"x")
    for name in ("p384", "rsa"):
        with pytest.raises(UnavailableError, match="no Ed25519 or P-256 key"):
            load_holder_key(tmp_path / name, passphrase=None)
        with pytest.raises(BadInputError, match="expected Ed25519 or P-256"):
            read_public_key(tmp_path / f"{name}.pub")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"v":1,"holder":"A","public_key":"x"}', '{"v":1,"v":1}'])
def test_what_is_no_public_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.pub").write_text(text)

    with pytest.raises(BadInputError) as caught:
        read_public_key(tmp_path / "key.pub")
    assert caught.value.code == "E_HOLDER_KEY"


def test_a_passphrase_comes_from_a_private_file_or_a_person(run: Run, tmp_path: Path) -> None:
    write_private(tmp_path / "passphrase", b"correct horse\n")
    order = ("network", "key", tmp_path / "key", "--holder", "Alice")

    asked = run(*order, "--protect")
    status, answer = run(*order, "--passphrase-file", tmp_path / "passphrase")

    assert (asked[0], asked[1]["error"]["code"]) == (2, "E_USAGE")
    assert (status, answer["holder"], answer["public"]) == (0, "Alice", str(tmp_path / "key.pub"))
    assert load_holder_key(tmp_path / "key", passphrase=b"correct horse").public_key.keyid == answer["key"]


@pytest.mark.parametrize("there", ["key", "key.pub"])
def test_a_file_that_is_there_is_named_and_nothing_is_made(run: Run, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_bytes(b"another's")

    status, answer = run("network", "key", tmp_path / "key", "--holder", "Alice")

    assert (status, answer["error"]["code"]) == (3, "E_KEY_EXISTS")
    assert answer["error"]["message"] == f"{tmp_path / there} is there already; nothing was changed"
    assert [file.name for file in tmp_path.iterdir()] == [there]


def test_a_name_that_is_none_is_said_in_words(run: Run, tmp_path: Path) -> None:
    status, answer = run("network", "key", tmp_path / "key", "--holder", "")

    assert (status, answer["error"]["code"]) == (2, "E_HOLDER_KEY")
    assert answer["error"]["message"].startswith("--holder: holder: expected 1 to 80 characters on one line")
