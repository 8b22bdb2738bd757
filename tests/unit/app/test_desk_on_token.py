"""A contact point with its keys on a token and one with keys in memory write to each other, in every kind they may."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from bridge_world import (
    KINDS,
    START,
    acknowledgement_body,
    address,
    directory,
    head,
    private_keys,
    public_of,
    route_body,
)

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import ALGORITHM, is_signature
from bridge.adapters.token.keys import TokenKeys
from bridge.adapters.token.token import Token
from bridge.app.sending.make_message import make_control, make_sealed
from bridge.core.directory import Directory
from bridge.core.verification import Receiver, TrustView, authenticate, open_message
from bridge.core.wire.sealed import KEY_ALGORITHM
from broker.soft_tokens import SoftTokens

ON_TOKEN, IN_MEMORY = "at.ncp", "rs.ncp"
ORIGINAL = "0193a6d4-0000-7000-8000-000000000000"
RANGE = {"first": 1, "last": 4}
CONTROLS: Mapping[str, dict[str, object]] = {
    "receipt": {
        "state": "delivered",
        "of": {"id": ORIGINAL, "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43},
    },
    "heartbeat": {"epoch": 1, "urgent": RANGE, "normal": RANGE},
    "resend_request": {"epoch": 1, "lane": "urgent", "numbers": [2, 3]},
}


def bodies(sender: str) -> Mapping[str, dict[str, object]]:
    reference = {"from": sender, "id": ORIGINAL, "payload_sha256": "A" * 43}
    return {
        "route_alert": route_body(),
        "alert_update": {**route_body(), "change_summary": "Another crossing", "supersedes": reference},
        "alert_cancel": {**head(), "reason": "disrupted", "supersedes": reference},
        "acknowledgement": acknowledgement_body(reference),
    }


@pytest.fixture(scope="module")
def desks(softhsm: SoftTokens) -> Mapping[str, KeyDesk]:
    token = TokenKeys(Token(softhsm.make("both ways").place), f"{ON_TOKEN}#")
    for name in ("sig-1", "enc-1"):
        token.make(f"{ON_TOKEN}#{name}")
    return {ON_TOKEN: KeyDesk(ON_TOKEN, token), IN_MEMORY: KeyDesk(IN_MEMORY, private_keys(IN_MEMORY))}


@pytest.fixture(scope="module")
def listed(desks: Mapping[str, KeyDesk]) -> Directory:
    signing = [public_of(kid, ALGORITHM, desk.keys.point(kid)) for desk, kid in keys_of(desks, "sig-1")]
    opening = [public_of(kid, KEY_ALGORITHM, desk.keys.point(kid)) for desk, kid in keys_of(desks, "enc-1")]
    return directory(signing_keys={key.kid: key for key in signing}, encryption_keys={key.kid: key for key in opening})


def keys_of(desks: Mapping[str, KeyDesk], name: str) -> list[tuple[KeyDesk, str]]:
    return [(desk, f"{own}#{name}") for own, desk in desks.items()]


def test_every_kind_of_this_world_is_there() -> None:
    assert bodies(IN_MEMORY).keys() | CONTROLS.keys() == KINDS


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("sender", [ON_TOKEN, IN_MEMORY])
def test_what_one_signs_and_seals_the_other_verifies_and_opens(
    kind: str, sender: str, desks: Mapping[str, KeyDesk], listed: Directory
) -> None:
    # given
    (recipient,) = desks.keys() - {sender}
    addressing, signer = address(kind, sender=sender, to=[recipient]), desks[sender].signer(f"{sender}#sig-1")
    # when
    if kind in CONTROLS:
        made = make_control(addressing, control=CONTROLS[kind], directory=listed, signer=signer)
    else:
        made = make_sealed(
            addressing,
            body={**bodies(sender)[kind], "thread": addressing.id, "references": []},
            numbers={recipient: 1},
            epoch=1,
            directory=listed,
            signer=signer,
            seal=seal,
        )
    # then
    proven = authenticate(
        made.wire_bytes,
        trust=TrustView(listed, listed.version),
        receiver=Receiver(recipient[:2], recipient),
        now=START,
        hints=None,
        is_signature=is_signature,
    )
    assert proven.payload.kind == kind
    if kind not in CONTROLS:
        opened = open_message(proven, contact_point=recipient, keys=desks[recipient].opening_keys)
        assert opened.plaintext_bytes == made.plaintext_bytes
