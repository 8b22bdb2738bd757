"""Both peers refuse each forged message with the code that wire-format.md's table gives for it.

The forger is a contact point with a good key: every signature here verifies unless the case is about the signature.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwcrypto_peer
import node_peer
import pytest
from envelope_rules import CONTROL_TYPE, MESSAGE_TYPE
from jwcrypto_peer import seal, seal_binding, sign, to_json
from refused import RefusedError
from sample_messages import SENDER, KeyPair, body, payload_fields, receipt_fields
from strict_text import decode, encode, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from strict_text import JsonObject

pytestmark = pytest.mark.node

SALT = "A" * 43
TO = ["at.ncp", "bg.ncp"]


class Forger:
    """Writes messages from `SENDER` to `TO`, each step open to change."""

    def __init__(self, signing_key: KeyPair, sealing_keys: list[KeyPair]) -> None:
        self.signing = (signing_key.kid, signing_key.private)
        self.recipients = [(key.kid, key.public) for key in sealing_keys[: len(TO)]]
        self.payload = payload_fields(TO)

    def message(
        self,
        *,
        plaintext_bytes: bytes | None = None,
        aad_bytes: bytes | None = None,
        edit_seal: Callable[[JsonObject], object] = lambda _: None,
        payload: JsonObject | None = None,
        typ: str = MESSAGE_TYPE,
    ) -> bytes:
        plaintext_bytes = plaintext_bytes or to_json({"salt": SALT, **body()})
        jwe = json.loads(
            seal(plaintext_bytes, aad_bytes=aad_bytes or seal_binding(self.payload), recipients=self.recipients)
        )
        edit_seal(jwe)
        sealed = to_json(jwe).decode()
        digests = {"sealed_sha256": sha256(sealed.encode()), "body_sha256": sha256(plaintext_bytes)}
        return sign(to_json(self.payload | digests | (payload or {})), signing=self.signing, sealed=sealed, typ=typ)

    def envelope(self) -> JsonObject:
        forged: JsonObject = json.loads(self.message())
        return forged


def with_header(forger: Forger, header: JsonObject) -> bytes:
    envelope = forger.envelope()
    original = json.loads(decode(envelope["signatures"][0]["protected"]))
    envelope["signatures"][0]["protected"] = encode(to_json(original | header))
    return to_json(envelope)


def with_second_signature(forger: Forger) -> bytes:
    envelope = forger.envelope()
    return to_json(envelope | {"signatures": envelope["signatures"] * 2})


def to_one_recipient_only(jwe: JsonObject) -> None:
    jwe["recipients"].pop()


def to_another_key_of_ours(jwe: JsonObject) -> None:
    jwe["recipients"][0]["header"]["kid"] = f"{TO[0]}#enc-2099z"


def with_owners_exchanged(jwe: JsonObject) -> None:
    first, second = (entry["header"] for entry in jwe["recipients"])
    first["kid"], second["kid"] = second["kid"], first["kid"]


FORGERIES: dict[str, tuple[str, Callable[[Forger], bytes]]] = {
    "more than 1 MiB": ("E_SIZE", lambda forger: forger.message() + b" " * 1024 * 1024),
    "a member twice": ("E_JSON", lambda forger: forger.message()[:-1] + b',"payload":"AA"}'),
    "a member twice, once escaped": ("E_JSON", lambda forger: forger.message()[:-1] + b',"p\\u0061yload":"AA"}'),
    "NaN": ("E_JSON", lambda forger: forger.message()[:-1] + b',"x":NaN}'),
    "a lone surrogate": ("E_JSON", lambda forger: forger.message()[:-1] + b',"x":"\\ud800"}'),
    "a byte order mark": ("E_JSON", lambda forger: b"\xef\xbb\xbf" + forger.message()),
    "not UTF-8": ("E_JSON", lambda forger: forger.message()[:-1] + b',"x":"\xff"}'),
    "100,000 levels": (
        "E_JSON",
        lambda forger: forger.message()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ),
    "an unknown member": ("E_ENVELOPE", lambda forger: to_json(forger.envelope() | {"header": {}})),
    "padded base64url": ("E_ENVELOPE", lambda forger: to_json(forger.envelope() | {"payload": "eyJ2IjoxfQ=="})),
    "bits left over in base64url": (
        "E_ENVELOPE",
        lambda forger: to_json(forger.envelope() | {"payload": "eyJ2IjoxfR"}),
    ),
    "no signature": ("E_ENVELOPE", lambda forger: to_json(forger.envelope() | {"signatures": []})),
    "alg none": ("E_HEADER", lambda forger: with_header(forger, {"alg": "none"})),
    "crit": ("E_HEADER", lambda forger: with_header(forger, {"crit": ["b64"]})),
    "another typ": ("E_HEADER", lambda forger: with_header(forger, {"typ": "JOSE"})),
    "an unknown key": ("E_KEY_UNKNOWN", lambda forger: with_header(forger, {"kid": f"{SENDER}#other"})),
    "an algorithm twice": ("E_SIG_POLICY", with_second_signature),
    "another payload": ("E_SIGNATURE", lambda forger: to_json(forger.envelope() | {"payload": "eyJ2IjoxfQ"})),
    "a payload that is a list": ("E_PAYLOAD", lambda forger: sign(b"[]", signing=forger.signing, sealed="{}")),
    "the thread in the payload": ("E_SCHEMA", lambda forger: forger.message(payload={"thread": None})),
    "a draft": ("E_SCHEMA", lambda forger: forger.message(payload={"status": "draft"})),
    "a float": ("E_PAYLOAD", lambda forger: forger.message(payload={"reply_within_s": 1.0})),
    "a number beyond 2^53": ("E_PAYLOAD", lambda forger: forger.message(payload={"reply_within_s": 2**53})),
    "true for 1": ("E_SCHEMA", lambda forger: forger.message(payload={"v": True})),
    "another major version": (
        "E_SCHEMA",
        lambda forger: forger.message(payload={"schema": "urn:ncp-bridge:route_alert:2.0"}),
    ),
    "another seal": ("E_SEAL_DIGEST", lambda forger: to_json(forger.envelope() | {"sealed": "{}"})),
    "from another": ("E_SENDER", lambda forger: forger.message(payload={"from": "hu.ncp"})),
    "sealed under the control type": ("E_ENVELOPE", lambda forger: forger.message(typ=CONTROL_TYPE)),
    "a receipt under the message type": (
        "E_ROUTE_MISMATCH",
        lambda forger: sign(
            to_json(receipt_fields(TO[0]) | {"control": delivered(forger)}), signing=forger.signing, sealed="{}"
        ),
    ),
    "a sealed kind under the control type": (
        "E_ROUTE_MISMATCH",
        lambda forger: sign(
            to_json(forger.payload | {"sealed_sha256": SALT, "body_sha256": SALT}),
            signing=forger.signing,
            typ=CONTROL_TYPE,
        ),
    ),
    "to not sorted": ("E_NOT_RECIPIENT", lambda forger: forger.message(payload={"to": TO[::-1]})),
    "not to us": (
        "E_NOT_RECIPIENT",
        lambda forger: forger.message(payload={"to": TO[1:], "seq": {"epoch": 3, "n": {TO[1]: 1}}}),
    ),
    "a seal with a member more": (
        "E_SEAL",
        lambda forger: forger.message(edit_seal=lambda jwe: jwe.update(unprotected={})),
    ),
    "a seal in the flattened form": (
        "E_SEAL",
        lambda forger: forger.message(edit_seal=lambda jwe: jwe.update(jwe.pop("recipients")[0])),
    ),
    "sealed for another message": ("E_SEAL_BINDING", lambda forger: forger.message(aad_bytes=b"ncp-bridge-seal-1\n")),
    "sealed to fewer than addressed": ("E_RECIPIENTS", lambda forger: forger.message(edit_seal=to_one_recipient_only)),
    "sealed to another key of ours": ("E_NO_KEY", lambda forger: forger.message(edit_seal=to_another_key_of_ours)),
    "entries under each other's key": ("E_DECRYPT", lambda forger: forger.message(edit_seal=with_owners_exchanged)),
    "another commitment": ("E_COMMITMENT", lambda forger: forger.message(payload={"body_sha256": SALT})),
    "a body that is no JSON": ("E_BODY", lambda forger: forger.message(plaintext_bytes=b"{'salt': 1}")),
    "a salt too short": ("E_BODY_SCHEMA", lambda forger: forger.message(plaintext_bytes=b'{"salt":"AAAA"}')),
    "nothing forged": ("read", lambda forger: forger.message()),
}


def delivered(forger: Forger) -> JsonObject:
    of = {"id": forger.payload["id"], "payload_sha256": SALT, "sealed_sha256": SALT}
    return {"state": "delivered", "of": of}


@pytest.fixture(scope="module")
def forged(signing_key: KeyPair, sealing_keys: list[KeyPair]) -> dict[str, bytes]:
    return {name: forge(Forger(signing_key, sealing_keys)) for name, (_, forge) in FORGERIES.items()}


@pytest.fixture(scope="module")
def answers_of_node(
    forged: dict[str, bytes], signing_key: KeyPair, sealing_keys: list[KeyPair]
) -> dict[str, tuple[JsonObject, JsonObject | None] | RefusedError]:
    answers = node_peer.read_each(
        list(forged.values()),
        signing_public={signing_key.kid: signing_key.public},
        opening=(sealing_keys[0].kid, sealing_keys[0].private),
    )
    return dict(zip(forged, answers, strict=True))


@pytest.mark.parametrize("name", [name for name, (code, _) in FORGERIES.items() if code != "read"])
def test_a_forged_message_is_refused_by_both_peers_with_the_code_of_the_table(
    name: str,
    forged: dict[str, bytes],
    answers_of_node: dict[str, object],
    signing_key: KeyPair,
    sealing_keys: list[KeyPair],
) -> None:
    # given
    expected, _ = FORGERIES[name]
    # when
    with pytest.raises(RefusedError) as by_jwcrypto:
        jwcrypto_peer.read_message(
            forged[name],
            signing_public={signing_key.kid: signing_key.public},
            opening=(sealing_keys[0].kid, sealing_keys[0].private),
        )
    by_node = answers_of_node[name]
    # then
    assert by_jwcrypto.value.code == expected
    assert isinstance(by_node, RefusedError)
    assert by_node.code == expected


def test_the_forger_writes_good_messages_when_nothing_is_forged(
    forged: dict[str, bytes],
    answers_of_node: dict[str, object],
    signing_key: KeyPair,
    sealing_keys: list[KeyPair],
) -> None:
    # when
    read = jwcrypto_peer.read_message(
        forged["nothing forged"],
        signing_public={signing_key.kid: signing_key.public},
        opening=(sealing_keys[0].kid, sealing_keys[0].private),
    )
    # then
    assert read == answers_of_node["nothing forged"]
