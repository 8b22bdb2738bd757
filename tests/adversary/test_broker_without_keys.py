"""What a broker can do that has no key of anybody: change what passes, sign it with its own keys, keep and repeat."""

from __future__ import annotations

import hmac
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from bridge_world import directory
from forging.wire_forge import protected_of, to_json
from thief import STRANGERS, hints_of, payload_in
from victim import queued

from bridge.app.receiving.outcomes import Outcome
from bridge.core.wire import base64url
from bridge.core.wire.envelope import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from victim import Victim

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


async def test_the_signature_is_stripped_and_the_payload_signed_anew_under_the_senders_name(victim: Victim) -> None:
    await victim.has_refused(victim.thief.message(private=STRANGERS), "E_SIGNATURE", step=7)


async def test_the_signature_is_stripped_and_the_payload_signed_under_a_name_in_no_list(victim: Victim) -> None:
    forged = victim.thief.message(signed_by=["rs.ncp#sig-9"], private=STRANGERS)
    await victim.holds(forged, "E_KEY_UNKNOWN", step=6)


async def test_no_signature_is_left_at_all(victim: Victim) -> None:
    forged = victim.thief.message(edit=lambda envelope: envelope.update(signatures=[]))
    await victim.has_refused(forged, "E_ENVELOPE", step=3)


async def test_the_algorithm_is_none_and_the_signature_empty(victim: Victim) -> None:
    header = protected_of(victim.thief.kid, typ="ncp-bridge+jws", changes={"alg": "none"})
    unsigned = [{"protected": header, "signature": ""}]
    await victim.has_refused(
        victim.thief.message(edit=lambda envelope: envelope.update(signatures=unsigned)), "E_ENVELOPE", step=3
    )
    await victim.has_refused(victim.thief.message(header={"alg": "none"}), "E_HEADER", step=4)


async def test_the_public_key_becomes_the_secret_of_a_symmetric_algorithm(victim: Victim) -> None:
    # given: the classic confusion, a MAC under what everybody knows
    point = directory().signing_keys[victim.thief.kid].point

    def sign_again(envelope: dict[str, object]) -> None:
        header = protected_of(victim.thief.kid, typ="ncp-bridge+jws", changes={"alg": "HS256"})
        tag = hmac.digest(point, f"{header}.{envelope['payload']}".encode(), "sha256")
        envelope["signatures"] = [{"protected": header, "signature": base64url.encode(tag)}]

    await victim.has_refused(victim.thief.message(edit=sign_again), "E_HEADER", step=4)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
async def test_the_header_brings_or_points_to_a_key_of_its_own(victim: Victim, name: str) -> None:
    forged = victim.thief.message(header={name: "https://keys.example/jwks"}, private=STRANGERS)
    await victim.has_refused(forged, "E_HEADER", step=4)


async def test_crit_turns_off_the_encoding_of_the_payload(victim: Victim) -> None:
    await victim.has_refused(victim.thief.message(header={"crit": ["b64"], "b64": False}), "E_HEADER", step=4)


async def test_the_key_is_named_in_a_header_that_nobody_signed(victim: Victim) -> None:
    forged = victim.thief.message(
        edit=lambda envelope: envelope["signatures"][0].update(header={"kid": victim.rival.kid})
    )
    await victim.has_refused(forged, "E_ENVELOPE", step=3)


@pytest.mark.parametrize("kid", ["r\u0455.ncp#sig-1", "rs.ncp#sig-1\n", "../rs.ncp#sig-1", "RS.NCP#sig-1"])
async def test_a_key_id_only_looks_like_the_senders(victim: Victim, kid: str) -> None:
    await victim.has_refused(victim.thief.message(signed_by=[kid], private=STRANGERS), "E_HEADER", step=4)


@pytest.mark.parametrize("form", ["flattened", "compact"])
async def test_another_serialisation_of_the_same_signature(victim: Victim, form: str) -> None:
    envelope = json.loads(victim.thief.message())
    (part,) = envelope["signatures"]
    if form == "flattened":
        flattened = to_json({"payload": envelope["payload"], "sealed": envelope["sealed"], **part})
        await victim.has_refused(flattened, "E_ENVELOPE", step=3)
    else:
        compact = f"{part['protected']}.{envelope['payload']}.{part['signature']}".encode()
        await victim.has_refused(compact, "E_JSON", step=2)


@pytest.mark.parametrize("pair", [(0, 0), (P256_ORDER, P256_ORDER), (0, 1), (1, 0)])
async def test_a_signature_of_zeros_or_of_the_curves_order(victim: Victim, pair: tuple[int, int]) -> None:
    blank = b"".join(number.to_bytes(32, "big") for number in pair)
    forged = victim.thief.message(
        edit=lambda envelope: envelope["signatures"][0].update(signature=base64url.encode(blank))
    )
    await victim.has_refused(forged, "E_SIGNATURE", step=7)


async def test_the_other_valid_signature_of_the_same_payload_makes_no_second_message(victim: Victim) -> None:
    # given: whoever knows (r, s) knows (r, n - s), which verifies as well
    genuine = victim.thief.message()

    def mirrored(envelope: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
        signature = base64url.decode(envelope["signatures"][0]["signature"])
        other = P256_ORDER - int.from_bytes(signature[32:], "big")
        envelope["signatures"][0]["signature"] = base64url.encode(signature[:32] + other.to_bytes(32, "big"))
        return envelope

    # when, then
    assert await victim.receives(genuine) == [Outcome.ACCEPTED]
    assert await victim.receives(to_json(mirrored(json.loads(genuine)))) == [Outcome.DUPLICATE]
    assert len(await victim.node.inbox()) == 1


async def test_the_same_message_again_and_again(victim: Victim) -> None:
    genuine = victim.thief.message()
    outcomes = await victim.receives(*[genuine] * 50)
    assert outcomes == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * 49
    assert len(await victim.node.inbox()) == len(await victim.node.new_receipts()) == 1


async def test_a_message_kept_back_and_delivered_when_it_has_expired(victim: Victim) -> None:
    kept = victim.thief.message()
    victim.node.clock.advance(8 * 86400)
    await victim.has_refused(kept, "E_EXPIRED", step=12)
    assert [(item.id, item.state) for item in await victim.node.inbox()] == [(payload_in(kept)["id"], "expired")]


async def test_messages_in_another_order_are_all_there_with_their_numbers(victim: Victim) -> None:
    sent = [victim.thief.message() for _ in range(6)]
    assert await victim.receives(*reversed(sent)) == [Outcome.ACCEPTED] * 6
    async with victim.node.store.reading() as unit:
        assert await unit.inbox.gaps(older_than=victim.node.clock.now() + timedelta(days=9)) == []


async def test_the_sealed_body_of_one_message_under_the_payload_of_another(victim: Victim) -> None:
    other = json.loads(victim.thief.message())["sealed"]
    forged = victim.thief.message(edit=lambda envelope: envelope.update(sealed=other))
    await victim.has_refused(forged, "E_SEAL_DIGEST", step=8)


async def test_the_signature_of_one_message_beside_the_payload_of_another(victim: Victim) -> None:
    other = json.loads(victim.thief.message())["signatures"]
    forged = victim.thief.message(edit=lambda envelope: envelope.update(signatures=other))
    await victim.has_refused(forged, "E_SIGNATURE", step=7)


async def test_what_was_for_another_recipient(victim: Victim) -> None:
    astray = victim.thief.message(victim.thief.payload(to=["hu.ncp"]))
    await victim.has_refused(astray, "E_NOT_RECIPIENT", step=10)


async def test_the_sealed_body_is_left_out_as_if_it_were_a_control_message(victim: Victim) -> None:
    forged = victim.thief.message(edit=lambda envelope: envelope.pop("sealed"))
    await victim.has_refused(forged, "E_ENVELOPE", step=3)


async def test_a_second_text_for_the_same_bytes(victim: Victim) -> None:
    """Loose bits at the end of base64url: another text, which many decoders take for the same."""

    def loosen(envelope: dict[str, list[dict[str, str]]]) -> None:
        text = envelope["signatures"][0]["signature"]  # 64 bytes in 86 characters: four bits are loose
        envelope["signatures"][0]["signature"] = text[:-1] + chr(ord(text[-1]) + 1)

    await victim.has_refused(victim.thief.message(edit=loosen), "E_ENVELOPE", step=3)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "utf-8-sig"])
async def test_the_envelope_in_another_encoding(victim: Victim, encoding: str) -> None:
    forged = victim.thief.message().decode().encode(encoding)
    await victim.has_refused(forged, "E_JSON", step=2)


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'"\\', b"\\u", b'"\\ud800', b"9", b"-", b" ", b'"a":1,', b"\x00"])
async def test_a_megabyte_of_anything_costs_less_than_a_second(victim: Victim, piece: bytes) -> None:
    hostile = b'{"payload":' + piece * ((MAX_MESSAGE_BYTES - 100) // len(piece))
    begun = time.process_time()
    await victim.has_refused(hostile, "E_JSON", step=2)
    assert time.process_time() - begun < 1.0


async def test_more_than_a_megabyte_is_not_looked_into(victim: Victim) -> None:
    await victim.has_refused(victim.thief.message() + b" " * MAX_MESSAGE_BYTES, "E_SIZE", step=1)


@pytest.mark.parametrize("hint", ["correlation_id", "type", "app_id"])
async def test_a_property_that_says_something_else_than_what_was_signed(victim: Victim, hint: str) -> None:
    genuine = victim.thief.message()
    lying = replace(hints_of(genuine), **{hint: "receipt"})
    await victim.has_refused(genuine, "E_ROUTE_MISMATCH", step=9, hints=lying)
    # and the message itself is not lost by it
    assert await victim.receives(genuine) == [Outcome.ACCEPTED]


async def test_messages_for_a_node_that_gets_no_list_any_more_wait_and_are_not_believed(victim: Victim) -> None:
    """A freeze: list and messages come over the same broker, which hands on only one of them."""
    victim.node.trust.directory = directory(signed_at=victim.node.clock.now() - timedelta(days=45))
    await victim.holds(victim.thief.message(), "E_TRUST_STALE", step=5)


async def test_a_thousand_keys_that_nobody_knows_ask_for_one_new_list(victim: Victim) -> None:
    asked = 0

    async def refresh() -> None:
        nonlocal asked
        asked += 1

    victim.node.trust.refresh = refresh  # type: ignore[method-assign] - counted, and brings nothing
    receiver = victim.node.receiver("at.ncp")
    genuine = json.loads(victim.thief.message())
    for number in range(0, 1000, 100):
        forged = []
        for one in range(number, number + 100):
            header = protected_of(f"rs.ncp#sig-x{one}", typ="ncp-bridge+jws", changes={})
            forged.append(to_json(genuine | {"signatures": [genuine["signatures"][0] | {"protected": header}]}))
        outcomes = await receiver.receive([queued(wire_bytes) for wire_bytes in forged])
        assert set(outcomes) == {Outcome.HELD}
    assert asked == 1
    assert await victim.node.inbox() == []


async def test_the_payload_of_another_network_with_the_same_members_and_keys(victim: Victim) -> None:
    payload = victim.thief.payload(trust={"network": "exercise-network", "version": 7})
    await victim.has_refused(victim.thief.message(payload), "E_NETWORK", step=8)
