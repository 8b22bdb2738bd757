"""What holds for any bytes: a changed message is refused, and refusing is all that ever happens to it."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from forging.wire_forge import Arrival, body_of, digest, forge, forge_control, payload_of, receive, to_json
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bridge.core.errors import VerificationError
from bridge.core.verification import SentDigests, VerifiedMessage
from bridge.core.wire import base64url, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable

bounded = settings(
    derandomize=True, max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

MESSAGE = forge()
RECEIPT = forge_control(
    {"state": "delivered", "of": {"id": payload_of()["id"], "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}}
)
SENT = SentDigests("A" * 43, "A" * 43)
# Everything strict JSON can hold, and what only other parsers would take.
TEXTS = st.text(max_size=20) | st.sampled_from(["", "rs.ncp", "at.ncp#enc-a", "ES256", "receipt", "\x00", "\ud800"])
LEAVES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=6
)


def arrival_of(wire_bytes: bytes) -> Arrival:
    return Arrival(wire_bytes, sent=SENT)


def receive_or_refuse(wire_bytes: bytes) -> None:
    """Receives; a refusal is as good as an acceptance, any other exception is not."""
    with contextlib.suppress(VerificationError):
        receive(arrival_of(wire_bytes))


def places_in(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, member in items for place in [(*path, key), *places_in(member, (*path, key))]]


def replaced(value: Any, path: tuple[str | int, ...], new: object) -> Any:  # noqa: ANN401 - any JSON value
    changed = copy.deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return changed


def reordered(members: dict[str, Any], order: list[str]) -> dict[str, Any]:
    return {name: members[name] for name in order}


@pytest.mark.parametrize("wire_bytes", [MESSAGE, RECEIPT], ids=["alert", "receipt"])
def test_every_byte_counts(wire_bytes: bytes) -> None:
    # given
    assert receive(arrival_of(wire_bytes))
    # when
    accepted = []
    for at in range(len(wire_bytes)):
        changed = wire_bytes[:at] + bytes([wire_bytes[at] ^ 1]) + wire_bytes[at + 1 :]
        try:
            accepted.append((at, receive(arrival_of(changed))))
        except VerificationError:
            continue
    # then
    assert accepted == []


@bounded
@given(at=st.integers(0, len(MESSAGE) - 1), mask=st.integers(1, 255))
def test_a_message_with_any_byte_changed_in_any_way_is_refused(at: int, mask: int) -> None:
    with pytest.raises(VerificationError):
        receive(Arrival(MESSAGE[:at] + bytes([MESSAGE[at] ^ mask]) + MESSAGE[at + 1 :]))


@bounded
@given(length=st.integers(0, len(MESSAGE) - 1), cut_front=st.booleans())
def test_a_message_cut_short_is_refused(*, length: int, cut_front: bool) -> None:
    with pytest.raises(VerificationError):
        receive(Arrival(MESSAGE[-length:] if cut_front and length else MESSAGE[:length]))


@bounded
@given(at=st.integers(0, len(MESSAGE)), insertion=st.binary(min_size=1, max_size=8))
def test_a_message_with_bytes_put_in_has_the_same_signed_content_or_is_refused(at: int, insertion: bytes) -> None:
    # when
    try:
        received = receive(Arrival(MESSAGE[:at] + insertion + MESSAGE[at:]))
    except VerificationError:
        return
    # then: white space between members of the envelope is all that can have been put in
    assert isinstance(received, VerifiedMessage)
    assert insertion.strip(b" \t\r\n") == b""
    assert received.message.envelope.payload_bytes == receive(Arrival(MESSAGE)).message.envelope.payload_bytes


@bounded
@given(outer=st.permutations(["payload", "signatures", "sealed"]), inner=st.permutations(["protected", "signature"]),
       indent=st.none() | st.integers(0, 3))  # fmt: skip
def test_members_of_the_envelope_may_stand_in_any_order_because_what_is_signed_stays_the_same(
    outer: list[str], inner: list[str], indent: int | None
) -> None:
    # given
    envelope = json.loads(MESSAGE)
    envelope["signatures"] = [reordered(part, inner) for part in envelope["signatures"]]
    # when
    received = receive(Arrival(json.dumps(reordered(envelope, outer), indent=indent).encode()))
    # then
    original = receive(Arrival(MESSAGE))
    assert isinstance(received, VerifiedMessage)
    assert isinstance(original, VerifiedMessage)
    assert received.message.payload_sha256 == original.message.payload_sha256
    assert received.plaintext_bytes == original.plaintext_bytes


@bounded
@given(order=st.permutations(sorted(strict_json.parse_object(base64url.decode(json.loads(MESSAGE)["payload"])))))
def test_members_of_the_signed_payload_stand_as_they_were_signed(order: list[str]) -> None:
    # given
    envelope = json.loads(MESSAGE)
    payload_bytes = base64url.decode(envelope["payload"])
    changed = to_json(reordered(json.loads(payload_bytes), order))
    assume(changed != payload_bytes)
    # then
    with pytest.raises(VerificationError, match="does not verify"):
        receive(Arrival(to_json(envelope | {"payload": base64url.encode(changed)})))


@bounded
@given(order=st.permutations(["protected", "recipients", "aad", "iv", "ciphertext", "tag"]))
def test_members_of_the_sealed_body_stand_as_they_were_digested(order: list[str]) -> None:
    # given
    envelope = json.loads(MESSAGE)
    changed = to_json(reordered(json.loads(envelope["sealed"]), order)).decode()
    assume(changed != envelope["sealed"])
    # then
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(to_json(envelope | {"sealed": changed})))
    assert refused.value.code == "E_SEAL_DIGEST"


@bounded
@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(VerificationError):
        receive(Arrival(data))


@bounded
@given(value=VALUES)
def test_any_json_is_refused_and_nothing_else_happens(value: object) -> None:
    with pytest.raises(VerificationError):
        receive(Arrival(to_json(value)))


@bounded
@given(data=st.data(), value=VALUES)
def test_any_value_anywhere_in_the_envelope_is_refused_and_nothing_else_happens(
    data: st.DataObject, value: object
) -> None:
    # given
    envelope = json.loads(MESSAGE)
    path = data.draw(st.sampled_from(places_in(envelope)))
    # then
    with pytest.raises(VerificationError):
        receive(Arrival(to_json(replaced(envelope, path, value))))


@bounded
@given(name=st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), value=VALUES)
def test_any_value_in_a_signed_header_is_refused_or_read(name: str, value: object) -> None:
    receive_or_refuse(forge(header={name: value}))


PAYLOAD = payload_of() | {"sealed_sha256": digest(b"{}"), "body_sha256": "A" * 43, "replaces": payload_of()["id"]}
CONTROL = {
    "state": "delivered",
    "of": {"id": payload_of()["id"], "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43},
}
BODY = body_of() | {"salt": "A" * 43, "references": [{"from": "rs.ncp", "id": "x", "payload_sha256": "A" * 43}]}
SEALED = json.loads(json.loads(MESSAGE)["sealed"])

SIGNED: dict[str, tuple[Any, Callable[[Any], bytes]]] = {
    "payload": (PAYLOAD, lambda changed: forge(to_json(changed), sealed="{}")),
    "control": (CONTROL, forge_control),
    "sealed": (SEALED, lambda changed: forge(sealed=to_json(changed).decode("utf-8", "replace"))),
    "body": (BODY, lambda changed: forge(body=to_json(changed))),
}


@pytest.mark.parametrize("part", SIGNED)
@bounded
@given(data=st.data(), value=VALUES)
def test_any_value_that_a_member_signs_is_refused_or_read_and_nothing_else_happens(
    part: str, data: st.DataObject, value: object
) -> None:
    # given
    good, write = SIGNED[part]
    path = data.draw(st.sampled_from(places_in(good)))
    # then
    receive_or_refuse(write(replaced(good, path, value)))


@bounded
@given(data=st.binary(max_size=100))
def test_base64url_gives_back_what_it_was_given(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@bounded
@given(text=st.text(max_size=40) | st.text(alphabet="AQgw-_=+/ \n09", max_size=40))
def test_base64url_reads_one_text_for_one_value(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@bounded
@given(value=VALUES)
def test_strict_json_gives_back_what_it_was_given_or_refuses_it(value: object) -> None:
    # given
    text = json.dumps(value)
    # when
    try:
        parsed = strict_json.parse(text.encode())
    except strict_json.StrictJsonError:
        return
    # then
    assert parsed == json.loads(text)
    assert strict_json.parse(strict_json.encode(parsed)) == parsed
