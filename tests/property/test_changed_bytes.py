"""Whatever is changed of a good message, wherever it stands under whatever encoding, it is refused.

`test_wire_properties.py` changes the bytes of one message on the wire, and here those of each good vector are; then
they are changed inside: what is decoded, what is sealed and signed anew by the member itself, what is said beside it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from forging.read_vectors import FILES, Vector, arrival_of, read_vector
from forging.refusals_of_the_proven import GOOD_HINTS
from forging.wire_forge import Arrival, body_of, digest, forge, receive, to_json
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bridge.core.errors import VerificationError
from bridge.core.wire import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

bounded = settings(
    derandomize=True, max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

MESSAGE = forge()
GOOD = [vector for vector in map(read_vector, FILES) if vector["outcome"] == "accepted"]
BLANKS = b" \t\r\n"
Members = dict[str, Any]


def first_signature(envelope: Members) -> Members:
    part: Members = envelope["signatures"][0]
    return part


def our_entry(jwe: Members) -> Members:
    entry: Members = jwe["recipients"][0]
    return entry


# Where base64url stands, as the object that holds it and the member's name.
ON_THE_WIRE: dict[str, tuple[Callable[[Members], Members], str]] = {
    "payload": (lambda envelope: envelope, "payload"),
    "header": (first_signature, "protected"),
    "signature": (first_signature, "signature"),
}
UNDER_THE_SEAL: dict[str, tuple[Callable[[Members], Members], str]] = {
    "protected": (lambda jwe: jwe, "protected"),
    "aad": (lambda jwe: jwe, "aad"),
    "iv": (lambda jwe: jwe, "iv"),
    "ciphertext": (lambda jwe: jwe, "ciphertext"),
    "tag": (lambda jwe: jwe, "tag"),
    "wrapped key": (our_entry, "encrypted_key"),
    "x of the ephemeral point": (lambda jwe: our_entry(jwe)["header"]["epk"], "x"),
    "y of the ephemeral point": (lambda jwe: our_entry(jwe)["header"]["epk"], "y"),
}


def changed(members: Members, place: tuple[Callable[[Members], Members], str], data: st.DataObject) -> None:
    """Changes one byte of what is decoded, or cuts it short, or adds to it."""
    find, name = place
    holder = find(members)
    before = base64url.decode(holder[name])
    at = data.draw(st.integers(0, len(before) - 1))
    mask = data.draw(st.integers(1, 255))
    flipped = before[:at] + bytes([before[at] ^ mask]) + before[at + 1 :]
    holder[name] = base64url.encode(data.draw(st.sampled_from([flipped, before[:at], before + before[at : at + 1]])))


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
@settings(bounded, max_examples=25)
@given(data=st.data())
def test_a_byte_of_a_good_vector_changed_on_the_way_is_refused(vector: Vector, data: st.DataObject) -> None:
    # given
    arrival = arrival_of(vector)
    wire_bytes = bytearray(arrival.wire_bytes)
    at = data.draw(st.integers(0, len(wire_bytes.rstrip(BLANKS)) - 1))
    before = wire_bytes[at]
    wire_bytes[at] ^= data.draw(st.integers(1, 255))
    assume(not (before in BLANKS and wire_bytes[at] in BLANKS))  # between members one blank is as good as another
    # then
    with pytest.raises(VerificationError):
        receive(replace(arrival, wire_bytes=bytes(wire_bytes)))


@pytest.mark.parametrize("part", ON_THE_WIRE)
@bounded
@given(data=st.data())
def test_a_decoded_byte_changed_on_the_way_is_refused(part: str, data: st.DataObject) -> None:
    # given
    envelope = json.loads(MESSAGE)
    changed(envelope, ON_THE_WIRE[part], data)
    # then
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(to_json(envelope)))
    assert refused.value.step <= 7


@pytest.mark.parametrize("part", UNDER_THE_SEAL)
@bounded
@given(data=st.data())
def test_a_byte_of_the_seal_that_its_own_sender_changed_and_signed_is_refused(part: str, data: st.DataObject) -> None:
    # given
    wire_bytes = forge(edit_seal=lambda jwe: changed(jwe, UNDER_THE_SEAL[part], data))
    # then
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(wire_bytes))
    assert refused.value.step == 15


@bounded
@given(data=st.data())
def test_a_byte_of_the_body_that_is_not_the_one_committed_to_is_refused(data: st.DataObject) -> None:
    # given
    plaintext = to_json({"salt": "A" * 43} | body_of())
    at, mask = data.draw(st.integers(0, len(plaintext) - 1)), data.draw(st.integers(1, 255))
    other = plaintext[:at] + bytes([plaintext[at] ^ mask]) + plaintext[at + 1 :]
    # then
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(forge({"body_sha256": digest(plaintext)}, body=other)))
    assert refused.value.code == "E_COMMITMENT"


@pytest.mark.parametrize("hint", ["correlation_id", "type", "app_id", "routing_key", "user_id"])
@bounded
@given(data=st.data())
def test_a_character_of_an_unsigned_property_changed_is_refused(hint: str, data: st.DataObject) -> None:
    # given
    good = getattr(GOOD_HINTS, hint)
    at = data.draw(st.integers(0, len(good)))
    other = good[:at] + data.draw(st.text(max_size=2)) + good[at + data.draw(st.integers(0, 2)) :]
    assume(other != good)
    # then
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(MESSAGE, hints=replace(GOOD_HINTS, **{hint: other})))
    assert refused.value.code == "E_ROUTE_MISMATCH"
