"""Signing and sealing with key files: fixed forms, fresh values, and a key file that others can read is not read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.desk import load_desk
from bridge.adapters.jose.key_files import make_key, make_secret, read_secret
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.jose.signatures import is_signature, public_key, sign
from bridge.core.directory import PublicKey
from bridge.core.errors import UnavailableError
from bridge.core.verification import OpeningError
from bridge.core.wire.sealed import parse_sealed, sealed_text
from bridge.private_files import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAR = datetime(2099, 1, 1, tzinfo=UTC)
SECRET = b"\x07" * 32


def listed(kid: str, private_key: ec.EllipticCurvePrivateKey, *, alg: str = "ES256") -> PublicKey:
    point = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return PublicKey(kid, alg, point, FAR, FAR)


@pytest.fixture(scope="module")
def private_keys() -> dict[str, ec.EllipticCurvePrivateKey]:
    return {f"{name}#enc-a": ec.generate_private_key(ec.SECP256R1()) for name in ("at.ncp", "hu.ncp", "mk.ncp")}


def test_a_signature_is_64_bytes_and_covers_every_byte() -> None:
    # given
    private_key = ec.generate_private_key(ec.SECP256R1())
    key = listed("rs.ncp#sig-a", private_key)
    # when
    signatures = [sign(private_key, b"header.payload") for _ in range(40)]
    # then: 40, so that a short r or s would show
    assert {len(each) for each in signatures} == {64}
    assert all(is_signature(key, signing_input=b"header.payload", signature_bytes=each) for each in signatures)
    assert not is_signature(key, signing_input=b"header.payloaD", signature_bytes=signatures[0])
    for malformed in (b"", signatures[0][:63], signatures[0] + b"\x00", b"\x00" * 64, b"\xff" * 64):
        assert not is_signature(key, signing_input=b"header.payload", signature_bytes=malformed)


@pytest.mark.parametrize("form", [PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint])
def test_only_the_uncompressed_form_of_a_point_is_a_key(form: PublicFormat) -> None:
    # given
    expected = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = expected.public_bytes(Encoding.X962, form)
    # when
    try:
        loaded = public_key(point).public_numbers()
    except ValueError:
        loaded = None
    # then
    assert loaded == (expected.public_numbers() if form is PublicFormat.UncompressedPoint else None)


@pytest.mark.parametrize("point", [b"", b"\x00", b"\x04" + b"\x00" * 64, b"\x06" + b"\x01" * 64])
def test_what_is_no_point_of_the_curve_is_no_key(point: bytes) -> None:
    with pytest.raises(ValueError, match=r"point|curve|Unsupported|key"):
        public_key(point)


def test_every_recipient_opens_what_was_sealed_to_all_and_nobody_else_does(
    private_keys: dict[str, ec.EllipticCurvePrivateKey],
) -> None:
    # given
    kids = list(private_keys)[:2]
    recipients = [listed(kid, private_keys[kid]) for kid in kids]
    # when
    body = parse_sealed(sealed_text(seal(b"plain \xff bytes", recipients=recipients, aad="AAAA")))
    # then
    for entry in body.entries:
        assert opening(private_keys).open(body, entry) == b"plain \xff bytes"
        stranger = opening({entry.kid: private_keys["mk.ncp#enc-a"]})
        with pytest.raises(OpeningError):
            stranger.open(body, entry)
    assert [entry.kid for entry in body.entries] == kids
    assert opening(private_keys).holds("at.ncp#enc-a")
    assert not opening(private_keys).holds("at.ncp#enc-b")


def opening(keys: dict[str, ec.EllipticCurvePrivateKey]) -> StoredOpeningKeys:
    return StoredOpeningKeys(PrivateKeys(keys))


def test_no_value_of_a_seal_is_ever_used_again(private_keys: dict[str, ec.EllipticCurvePrivateKey]) -> None:
    # given
    recipients = [listed(kid, key) for kid, key in private_keys.items()]
    # when
    bodies = [seal(b"the same", recipients=recipients, aad="AAAA") for _ in range(20)]
    # then
    assert len({body.iv for body in bodies}) == 20
    assert len({body.ciphertext for body in bodies}) == 20
    assert len({entry.ephemeral_point for body in bodies for entry in body.entries}) == 60
    assert len({entry.wrapped_key for body in bodies for entry in body.entries}) == 60


def keys_in(folder: Path, *names: str) -> dict[str, bytes]:
    make_secret(folder / "storage.key")
    return {name: make_key(folder, f"at.ncp#{name}", machine_secret=SECRET) for name in names}


def test_a_desk_signs_with_each_of_its_keys_and_opens_with_every_key_it_still_has(tmp_path: Path) -> None:
    # given
    folder = tmp_path / "at.ncp"
    points = keys_in(folder, "sig-2026a", "sig-2026b", "enc-2026a", "enc-2026b")
    # when
    desk, storage_key = load_desk(folder, "at.ncp", machine_secret=SECRET)
    # then
    assert desk.id == "at.ncp"
    for name in ("sig-2026a", "sig-2026b"):
        signer = desk.signer(f"at.ncp#{name}")
        assert signer is not None
        assert (signer.kid, signer.alg) == (f"at.ncp#{name}", "ES256")
        listed_key = PublicKey(signer.kid, "ES256", points[name], FAR, FAR)
        assert is_signature(listed_key, signing_input=b"x", signature_bytes=signer.sign(b"x"))
    assert storage_key == read_secret(folder / "storage.key")
    for name in ("enc-2026a", "enc-2026b"):
        recipient = PublicKey(f"at.ncp#{name}", "ECDH-ES+A256KW", points[name], FAR, FAR)
        body = seal(b"plain", recipients=[recipient], aad="AAAA")
        assert desk.opening_keys.open(body, body.entries[0]) == b"plain"
    assert not desk.opening_keys.holds("at.ncp#sig-2026a")


def test_private_files_are_their_owners_only_and_are_not_written_over(tmp_path: Path) -> None:
    # given
    folder = tmp_path / "at.ncp"
    keys_in(folder, "sig-a")
    # then
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert b"ENCRYPTED PRIVATE KEY" in (folder / "sig-a.pem").read_bytes()
    with pytest.raises(FileExistsError):
        write_private(folder / "sig-a.pem", b"other")


def open_to_the_group(folder: Path) -> None:
    (folder / "sig-a.pem").chmod(0o640)


def no_signing_key(folder: Path) -> None:
    (folder / "sig-a.pem").unlink()


def no_storage_key(folder: Path) -> None:
    (folder / "storage.key").unlink()


def short_storage_key(folder: Path) -> None:
    (folder / "storage.key").write_bytes(b"short")


def not_a_key(folder: Path) -> None:
    (folder / "sig-a.pem").write_bytes(b"-----BEGIN NOTHING-----")


SPOILING = [open_to_the_group, no_signing_key, no_storage_key, short_storage_key, not_a_key]


@pytest.mark.parametrize("spoil", SPOILING)
def test_keys_that_are_missing_spoilt_or_readable_by_others_are_not_loaded(
    spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    # given
    keys_in(tmp_path / "at.ncp", "sig-a", "enc-a")
    spoil(tmp_path / "at.ncp")
    # then
    with pytest.raises(UnavailableError) as refused:
        load_desk(tmp_path / "at.ncp", "at.ncp", machine_secret=SECRET)
    assert refused.value.code == "E_KEY_FILE"


def test_keys_do_not_open_with_another_machine_secret(tmp_path: Path) -> None:
    # given
    keys_in(tmp_path / "at.ncp", "sig-a", "enc-a")
    # then
    with pytest.raises(UnavailableError, match="machine secret"):
        load_desk(tmp_path / "at.ncp", "at.ncp", machine_secret=b"\x08" * 32)
