"""The two peers read each other's messages, and refuse the same damaged ones with the same code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwcrypto_peer
import node_peer
import pytest
from refused import RefusedError
from sample_messages import RECIPIENTS, body, payload_fields, receipt_fields
from strict_text import sha256

if TYPE_CHECKING:
    from types import ModuleType

    from sample_messages import KeyPair

pytestmark = pytest.mark.node

BOTH = pytest.mark.parametrize("maker", [jwcrypto_peer, node_peer], ids=["jwcrypto", "jose"])
BOTH_WAYS = pytest.mark.parametrize(
    ("maker", "reader"),
    [(jwcrypto_peer, node_peer), (node_peer, jwcrypto_peer), (jwcrypto_peer, jwcrypto_peer), (node_peer, node_peer)],
    ids=["jwcrypto-to-jose", "jose-to-jwcrypto", "jwcrypto-to-itself", "jose-to-itself"],
)


def made_by(maker: ModuleType, *, signing_key: KeyPair, sealing_keys: list[KeyPair]) -> bytes:
    raw_bytes: bytes = maker.make_message(
        payload_fields([key.kid.partition("#")[0] for key in sealing_keys]),
        body(),
        signing=(signing_key.kid, signing_key.private),
        recipients=[(key.kid, key.public) for key in sealing_keys],
    )
    return raw_bytes


def codes_of_jwcrypto(raws: list[bytes], *, signing_key: KeyPair, opening_key: KeyPair) -> list[str]:
    codes = []
    for raw_bytes in raws:
        try:
            jwcrypto_peer.read_message(
                raw_bytes,
                signing_public={signing_key.kid: signing_key.public},
                opening=(opening_key.kid, opening_key.private),
            )
            codes.append("read")
        except RefusedError as refusal:
            codes.append(refusal.code)
    return codes


def codes_of_node(raws: list[bytes], *, signing_key: KeyPair, opening_key: KeyPair) -> list[str]:
    answers = node_peer.read_each(
        raws,
        signing_public={signing_key.kid: signing_key.public},
        opening=(opening_key.kid, opening_key.private),
    )
    return [answer.code if isinstance(answer, RefusedError) else "read" for answer in answers]


@BOTH_WAYS
@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_recipient_reads_what_the_other_peer_sealed(
    maker: ModuleType, reader: ModuleType, count: int, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> None:
    # given
    recipients = sealing_keys[:count]
    fields, content = payload_fields(RECIPIENTS[:count]), body()
    # when
    raw_bytes = maker.make_message(
        fields,
        content,
        signing=(signing_key.kid, signing_key.private),
        recipients=[(key.kid, key.public) for key in recipients],
    )
    # then
    for key in (recipients[0], recipients[-1]):
        payload, read = reader.read_message(
            raw_bytes, signing_public={signing_key.kid: signing_key.public}, opening=(key.kid, key.private)
        )
        assert {name: payload[name] for name in fields} == fields
        assert {name: read[name] for name in content} == content


@BOTH_WAYS
def test_anyone_verifies_a_sealed_message_without_opening_it(
    maker: ModuleType, reader: ModuleType, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> None:
    # given
    raw_bytes = made_by(maker, signing_key=signing_key, sealing_keys=sealing_keys)
    # when
    payload = reader.verify(raw_bytes, signing_public={signing_key.kid: signing_key.public})
    # then
    assert payload["sealed_sha256"] == sha256(json.loads(raw_bytes)["sealed"].encode())


@BOTH_WAYS
@pytest.mark.parametrize("outcome", [{"state": "delivered"}, {"state": "rejected", "code": "E_DECRYPT"}])
def test_a_receipt_crosses_from_one_peer_to_the_other(
    maker: ModuleType, reader: ModuleType, outcome: dict[str, str], signing_key: KeyPair
) -> None:
    # given
    fields = receipt_fields("hu.ncp")
    control = outcome | {"of": {"id": fields["id"], "payload_sha256": "A" * 43, "sealed_sha256": "B" * 42 + "A"}}
    # when
    raw_bytes = maker.make_control(fields, control, signing=(signing_key.kid, signing_key.private))
    # then
    payload = reader.verify(raw_bytes, signing_public={signing_key.kid: signing_key.public})
    assert payload == fields | {"control": control}


@BOTH
def test_a_message_with_any_one_byte_flipped_is_refused_by_both_with_the_same_code(
    maker: ModuleType, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> None:
    # given
    raw_bytes = made_by(maker, signing_key=signing_key, sealing_keys=sealing_keys[:1])
    # when
    damaged = [flipped(raw_bytes, at) for at in range(len(raw_bytes))]
    # then
    by_jwcrypto = codes_of_jwcrypto(damaged, signing_key=signing_key, opening_key=sealing_keys[0])
    by_node = codes_of_node(damaged, signing_key=signing_key, opening_key=sealing_keys[0])
    assert by_jwcrypto == by_node
    assert set(by_jwcrypto) == {
        "E_JSON", "E_ENVELOPE", "E_HEADER", "E_KEY_UNKNOWN", "E_SIGNATURE", "E_SEAL_DIGEST"
    }  # fmt: skip


@BOTH
def test_a_flipped_byte_in_the_sealed_part_is_refused_even_when_the_sender_signs_it(
    maker: ModuleType, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> None:
    # given
    raw_bytes = made_by(maker, signing_key=signing_key, sealing_keys=sealing_keys[:2])
    signing_public = {signing_key.kid: signing_key.public}
    payload = jwcrypto_peer.verify(raw_bytes, signing_public=signing_public)
    sealed_bytes = json.loads(raw_bytes)["sealed"].encode()
    # when
    damaged = []
    for at in range(len(sealed_bytes)):
        sealed = flipped(sealed_bytes, at).decode()
        payload_bytes = jwcrypto_peer.to_json(payload | {"sealed_sha256": sha256(sealed.encode())})
        signing = (signing_key.kid, signing_key.private)
        damaged.append(jwcrypto_peer.sign(payload_bytes, signing=signing, sealed=sealed))
    # then
    by_jwcrypto = codes_of_jwcrypto(damaged, signing_key=signing_key, opening_key=sealing_keys[0])
    by_node = codes_of_node(damaged, signing_key=signing_key, opening_key=sealing_keys[0])
    assert by_jwcrypto == by_node
    assert "E_DECRYPT" in by_jwcrypto
    # A flip in what belongs to the other recipient alone (its wrapped key, point, key name) is not ours to notice.
    untouched = [at for at, code in enumerate(by_jwcrypto) if code == "read"]
    assert untouched
    assert all(is_of_recipient(sealed_bytes, at, sealing_keys[1]) for at in untouched)


def flipped(plain_bytes: bytes, at: int) -> bytes:
    return plain_bytes[:at] + bytes([plain_bytes[at] ^ 1]) + plain_bytes[at + 1 :]


def is_of_recipient(sealed_bytes: bytes, at: int, key: KeyPair) -> bool:
    """Whether the byte at `at` lies in the values that only the entry of `key` holds."""
    entry = next(each for each in json.loads(sealed_bytes)["recipients"] if each["header"]["kid"] == key.kid)
    header = entry["header"]
    texts = (entry["encrypted_key"], header["epk"]["x"], header["epk"]["y"], header["kid"])
    starts = [(sealed_bytes.index(text.encode()), len(text)) for text in texts]
    return any(start <= at < start + length for start, length in starts)


@BOTH
def test_the_seal_is_the_general_form_for_one_recipient_too(
    maker: ModuleType, signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> None:
    # when
    envelope = json.loads(made_by(maker, signing_key=signing_key, sealing_keys=sealing_keys[:1]))
    # then
    seal = json.loads(envelope["sealed"])
    assert set(envelope) == {"payload", "signatures", "sealed"}
    assert set(seal) == {"protected", "recipients", "aad", "iv", "ciphertext", "tag"}
    assert seal["protected"] == "eyJlbmMiOiJBMjU2R0NNIn0"
    assert [set(entry) for entry in seal["recipients"]] == [{"header", "encrypted_key"}]
    assert set(seal["recipients"][0]["header"]) == {"alg", "kid", "epk"}
    assert set(seal["recipients"][0]["header"]["epk"]) == {"kty", "crv", "x", "y"}
