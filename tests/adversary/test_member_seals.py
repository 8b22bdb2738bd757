"""What a member can do to a body that it seals and signs itself: its signature is good, so the seal has to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bridge_world import desk, directory
from forging.wire_forge import digest, to_json
from thief import with_two_plaintexts

from bridge.core.errors import VerificationError
from bridge.core.verification import Receiver, TrustView, authenticate, open_message
from bridge.core.wire import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from forging.wire_forge import Edit, Members
    from victim import Victim

FIELD_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def in_our_entry(change: Callable[[Members], object]) -> Edit:
    return lambda jwe: change(jwe["recipients"][0])


def at_point(x: int, y: int) -> Edit:
    """An ephemeral key of these coordinates."""
    coordinates = {name: base64url.encode(value.to_bytes(32, "big")) for name, value in (("x", x), ("y", y))}
    return in_our_entry(lambda entry: entry["header"]["epk"].update(coordinates))


async def test_one_ciphertext_that_opens_to_another_body_for_each_recipient(victim: Victim) -> None:
    """Both keys fit and both tags verify; only the signed commitment tells that one body is not what was signed."""
    # given: Hungary gets the key of the body that is committed to, Austria another one
    payload = victim.thief.payload()
    sealed, committed = with_two_plaintexts(victim.thief, payload)
    wire_bytes = victim.thief.message(payload, digests={"body_sha256": digest(committed)}, sealed=sealed)

    # then: Hungary gets past the commitment (its last block is noise, which is no JSON), Austria does not
    await victim.has_refused(wire_bytes, "E_COMMITMENT", step=16)
    assert _opened_by("hu.ncp", wire_bytes, victim) == (17, "E_BODY")


async def test_a_commitment_to_another_body_than_the_one_that_is_sealed(victim: Victim) -> None:
    payload = victim.thief.payload()
    other = digest(to_json(victim.thief.plaintext(payload, title="Nothing to see here")))
    forged = victim.thief.message(payload, digests={"body_sha256": other})
    await victim.has_refused(forged, "E_COMMITMENT", step=16)


async def test_a_hidden_recipient_who_is_named_nowhere_in_what_was_signed(victim: Victim) -> None:
    payload = victim.thief.payload(to=["at.ncp"])
    await victim.has_refused(victim.thief.message(payload, sealed_to=["at.ncp", "hu.ncp"]), "E_RECIPIENTS", step=15)


async def test_a_recipient_who_is_named_and_cannot_open(victim: Victim) -> None:
    await victim.has_refused(victim.thief.message(sealed_to=["at.ncp"]), "E_RECIPIENTS", step=15)


async def test_a_second_entry_for_the_same_recipient(victim: Victim) -> None:
    forged = victim.thief.message(sealed_to=["at.ncp", "at.ncp", "hu.ncp"])
    await victim.has_refused(forged, "E_RECIPIENTS", step=15)


async def test_the_entries_of_two_recipients_under_each_others_name(victim: Victim) -> None:
    def swap(jwe: Members) -> None:
        first, second = (entry["header"] for entry in jwe["recipients"])
        first["kid"], second["kid"] = second["kid"], first["kid"]

    await victim.has_refused(victim.thief.message(edit_seal=swap), "E_DECRYPT", step=15)


@pytest.mark.parametrize(
    ("x", "y"), [(1, 1), (0, 0), (FIELD_PRIME, FIELD_PRIME), (2**256 - 1, 2**256 - 1)],
    ids=["off the curve", "infinity", "beyond the field", "the largest numbers"],
)  # fmt: skip
async def test_an_ephemeral_point_that_would_tell_something_about_our_key(victim: Victim, x: int, y: int) -> None:
    await victim.has_refused(victim.thief.message(edit_seal=at_point(x, y)), "E_DECRYPT", step=15)


@pytest.mark.parametrize(
    "change",
    [{"crv": "P-384"}, {"crv": "X25519", "kty": "OKP"}, {"kty": "RSA"}, {"d": "A" * 43}, {"x": "AA"}, {"y": None}],
    ids=["P-384", "X25519", "RSA", "with a private part", "short", "without y"],
)
async def test_an_ephemeral_key_of_another_form(victim: Victim, change: Members) -> None:
    edit = in_our_entry(lambda entry: entry["header"]["epk"].update(change))
    await victim.has_refused(victim.thief.message(edit_seal=edit), "E_SEAL", step=15)


@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A128KW", "A256KW", "dir", "RSA1_5", "PBES2-HS256+A128KW", None])
async def test_another_way_of_wrapping_the_key(victim: Victim, alg: str | None) -> None:
    edit = in_our_entry(lambda entry: entry["header"].update(alg=alg))
    await victim.has_refused(victim.thief.message(edit_seal=edit), "E_SEAL", step=15)


@pytest.mark.parametrize("header", [{"apu": "AA"}, {"apv": "AA"}, {"p2c": 2**40}, {"jku": "https://x"}, {"crit": []}])
async def test_a_parameter_more_in_the_entrys_header(victim: Victim, header: Members) -> None:
    """Each is known to some library: `p2c` makes it count to a million millions, `apu` makes two readings differ."""
    edit = in_our_entry(lambda entry: entry["header"].update(header))
    await victim.has_refused(victim.thief.message(edit_seal=edit), "E_SEAL", step=15)


@pytest.mark.parametrize(
    "protected",
    [{"enc": "A128GCM"}, {"enc": "A128CBC-HS256"}, {"enc": "A256GCM", "zip": "DEF"}, {}, {"enc": ["A256GCM"]}],
    ids=str,
)
async def test_another_cipher_or_a_body_that_is_to_be_blown_up(victim: Victim, protected: Members) -> None:
    text = base64url.encode(to_json(protected))
    await victim.has_refused(victim.thief.message(edit_seal=lambda jwe: jwe.update(protected=text)), "E_SEAL", step=15)


@pytest.mark.parametrize("length", [0, 4, 12, 15, 17])
async def test_a_tag_cut_short_until_it_can_be_guessed(victim: Victim, length: int) -> None:
    def cut(jwe: Members) -> None:
        jwe["tag"] = base64url.encode((base64url.decode(jwe["tag"]) + b"\0")[:length])

    await victim.has_refused(victim.thief.message(edit_seal=cut), "E_SEAL", step=15)


async def test_an_iv_of_another_length(victim: Victim) -> None:
    def lengthen(jwe: Members) -> None:
        jwe["iv"] = base64url.encode(base64url.decode(jwe["iv"]) + b"\0" * 4)

    await victim.has_refused(victim.thief.message(edit_seal=lengthen), "E_SEAL", step=15)


@pytest.mark.parametrize("place", ["id", "from", "to", "word"])
async def test_a_seal_taken_over_from_another_message(victim: Victim, place: str) -> None:
    payload = victim.thief.payload()
    other = victim.thief.payload()["id"]
    bound = {
        "id": f"ncp-bridge-seal-1\n{other}\nrs.ncp\nat.ncp,hu.ncp",
        "from": f"ncp-bridge-seal-1\n{payload['id']}\nhu.ncp\nat.ncp,hu.ncp",
        "to": f"ncp-bridge-seal-1\n{payload['id']}\nrs.ncp\nat.ncp",
        "word": f"ncp-bridge-seal-2\n{payload['id']}\nrs.ncp\nat.ncp,hu.ncp",
    }
    forged = victim.thief.message(payload, aad=base64url.encode(bound[place].encode()))
    await victim.has_refused(forged, "E_SEAL_BINDING", step=15)


async def test_a_body_sealed_to_a_key_that_was_destroyed(victim: Victim) -> None:
    edit = in_our_entry(lambda entry: entry["header"].update(kid="at.ncp#enc-2019a"))
    await victim.has_refused(victim.thief.message(edit_seal=edit), "E_NO_KEY", step=15)


async def test_a_body_for_the_desk_next_door_under_our_name(victim: Victim) -> None:
    """Both desks are on one node; what is for one must not open with the key of the other."""

    def rename(jwe: Members) -> None:
        jwe["recipients"][0]["header"]["kid"] = "at.ncp#enc-1"

    forged = victim.thief.message(sealed_to=["at.border-police", "hu.ncp"], edit_seal=rename)
    await victim.has_refused(forged, "E_DECRYPT", step=15)


async def test_a_sealed_text_with_a_member_twice_or_of_great_depth(victim: Victim) -> None:
    for sealed in ('{"aad":"","aad":""}', '{"aad":' + "[" * 5000 + "]" * 5000 + "}", "[]", '{"aad":1e999}'):
        await victim.has_refused(victim.thief.message(sealed=sealed), "E_SEAL", step=15)


async def test_a_ciphertext_larger_than_any_body(victim: Victim) -> None:
    forged = victim.thief.message(body=b" " * (128 * 1024 + 1))
    await victim.has_refused(forged, "E_SEAL", step=15)


async def test_a_body_that_two_parsers_would_read_differently(victim: Victim) -> None:
    payload = victim.thief.payload()
    plaintext = to_json(victim.thief.plaintext(payload))
    for spoilt in (
        plaintext[:-1] + b',"title":"another"}',
        b"\xef\xbb\xbf" + plaintext,
        plaintext.decode().encode("utf-16"),
        plaintext[:-1] + b',"note":"\\ud800"}',
        plaintext[:-1] + b',"note":1e0}',
        plaintext[:-1] + b',"note":' + b"[" * 400 + b"]" * 400 + b"}",
        plaintext + b"\x00",
    ):
        await victim.has_refused(victim.thief.message(victim.thief.payload(), body=spoilt), "E_BODY", step=17)


@pytest.mark.parametrize("sender", ["RS.NCP", "r\u0455.ncp", "rs.ncp ", "rs.ncp\n", "rs\uff0encp"])
async def test_a_reference_to_somebody_who_only_looks_like_a_member(victim: Victim, sender: str) -> None:
    earlier = {"from": sender, "id": victim.thief.payload()["id"], "payload_sha256": "A" * 43}
    await victim.has_refused(victim.thief.update_of(earlier), "E_BODY_SCHEMA", step=17)


def _opened_by(contact_point: str, wire_bytes: bytes, victim: Victim) -> tuple[int, str]:
    """Where another recipient of the same message stops."""
    message = authenticate(
        wire_bytes,
        trust=TrustView(directory(), 7),
        receiver=Receiver(contact_point[:2], contact_point),
        now=victim.node.clock.now(),
        hints=None,
        is_signature=lambda *_, **__: True,
    )
    with pytest.raises(VerificationError) as refused:
        open_message(message, contact_point=contact_point, keys=desk(contact_point).opening_keys)
    return refused.value.step, refused.value.code
