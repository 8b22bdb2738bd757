"""What every store of private keys promises, whether they are in memory, in files or on a token."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.jose.signatures import is_signature, public_key
from bridge.app.keys.two_places import KeysInTwoPlaces
from bridge.core.directory import PublicKey
from bridge.core.errors import UnavailableError
from bridge.core.verification import OpeningError
from bridge.ports.keys import KeyStore

SIG, SIG_B, ENC = "at.ncp#sig-2026a", "at.ncp#sig-2026b", "at.ncp#enc-2026a"
FAR = datetime(2099, 1, 1, tzinfo=UTC)
NOT_ON_CURVE = b"\x04" + b"\x01" * 64


def stranger() -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_a_new_store_holds_nothing_and_then_what_was_made(keys: KeyStore) -> None:
    assert set(keys.kids()) == set()
    # when
    points = {kid: keys.make(kid) for kid in (SIG, ENC)}
    # then
    assert set(keys.kids()) == {SIG, ENC}
    assert {kid: keys.point(kid) for kid in points} == points
    assert {len(point) for point in points.values()} == {65}
    assert points[SIG] != points[ENC]


def test_a_key_is_never_made_over(keys: KeyStore) -> None:
    # given
    point = keys.make(SIG)
    # then
    with pytest.raises(FileExistsError):
        keys.make(SIG)
    assert keys.point(SIG) == point


def test_a_signature_verifies_under_the_public_point_in_jose_form(keys: KeyStore) -> None:
    # given
    listed = PublicKey(SIG, "ES256", keys.make(SIG), FAR, FAR)
    keys.make(SIG_B)
    # when
    signatures = [keys.sign(SIG, b"header.payload") for _ in range(20)]
    # then
    assert {len(signature) for signature in signatures} == {64}
    assert all(is_signature(listed, signing_input=b"header.payload", signature_bytes=one) for one in signatures)
    assert not is_signature(listed, signing_input=b"header.other", signature_bytes=signatures[0])
    assert not is_signature(
        listed, signing_input=b"header.payload", signature_bytes=keys.sign(SIG_B, b"header.payload")
    )


def test_both_sides_agree_on_the_same_secret(keys: KeyStore) -> None:
    # given
    own = public_key(keys.make(ENC))
    for _ in range(10):
        private_key, point = stranger()
        # then
        assert keys.agree(ENC, point) == private_key.exchange(ec.ECDH(), own)


@pytest.mark.parametrize("point", [NOT_ON_CURVE, b"\x04" * 64, b"\x00", b""], ids=["off", "short", "infinity", "empty"])
def test_a_point_that_is_none_is_told_from_a_key_that_is_away(keys: KeyStore, point: bytes) -> None:
    keys.make(ENC)
    with pytest.raises(ValueError):  # noqa: PT011 - the library's words
        keys.agree(ENC, point)


def test_what_is_sealed_to_it_opens_and_what_was_changed_does_not(keys: KeyStore) -> None:
    # given
    recipient = PublicKey(ENC, "ECDH-ES+A256KW", keys.make(ENC), FAR, FAR)
    opening = StoredOpeningKeys(keys)
    body = seal(b"plain", recipients=[recipient], aad="AAAA")
    other = seal(b"plain", recipients=[recipient], aad="AAAA")
    # then
    assert opening.holds(ENC)
    assert not opening.holds("at.ncp#enc-2025a")
    assert opening.open(body, body.entries[0]) == b"plain"
    with pytest.raises(OpeningError):
        opening.open(body, other.entries[0])


def test_a_destroyed_key_is_gone_and_destroying_it_again_changes_nothing(keys: KeyStore) -> None:
    # given
    keys.make(SIG)
    keys.make(ENC)
    # when
    keys.destroy(ENC)
    keys.destroy(ENC)
    # then
    assert set(keys.kids()) == {SIG}
    with pytest.raises(UnavailableError) as away:
        keys.agree(ENC, stranger()[1])
    assert away.value.code in {"E_KEY_FILE", "E_TOKEN_KEY"}
    keys.destroy(SIG)
    assert set(keys.kids()) == set()


def test_a_key_that_is_not_here_signs_nothing_and_has_no_point(keys: KeyStore) -> None:
    keys.make(SIG)
    for use in (lambda: keys.sign(SIG_B, b"x"), lambda: keys.point(SIG_B)):
        with pytest.raises(UnavailableError) as away:
            use()
        assert away.value.code in {"E_KEY_FILE", "E_TOKEN_KEY"}


def test_keys_in_files_stay_in_use_while_new_ones_are_made_elsewhere() -> None:
    # given
    old, new = PrivateKeys({}), PrivateKeys({})
    points = {kid: old.make(kid) for kid in (SIG, ENC)}
    keys = KeysInTwoPlaces(new=new, old=old)
    # when
    points[SIG_B] = keys.make(SIG_B)
    # then
    assert set(new.kids()) == {SIG_B}
    assert {kid: keys.point(kid) for kid in keys.kids()} == points
    with pytest.raises(FileExistsError):
        keys.make(SIG)
    private_key, point = stranger()
    assert keys.agree(ENC, point) == private_key.exchange(ec.ECDH(), public_key(points[ENC]))
    # when
    keys.destroy(ENC)
    keys.destroy(SIG_B)
    # then
    assert (set(old.kids()), set(new.kids())) == ({SIG}, set())
