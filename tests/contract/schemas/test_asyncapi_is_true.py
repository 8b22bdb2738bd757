"""schemas/asyncapi.yaml says what the bridge declares on a broker and puts on the wire: all of it, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from hypothesis import given
from hypothesis import strategies as st
from message_samples import CONTROL, SEALED
from pydantic import ValidationError
from wire_forge import forge, forge_control

from bridge.adapters.amqp.topology import account_names, country_topology, merge, shared_topology
from bridge.core import broker_names as names
from bridge.core.vocabulary import KINDS
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.payload import read_payload

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
DOCUMENT: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
CHANNELS: dict[str, Any] = DOCUMENT["channels"]
POINTS = ("rs.ncp", "rs.border-police")
NAMED = {"{prefix}": ("rs",), "{lane}": names.LANES, "{contactPoint}": POINTS}
TOPOLOGY = merge(
    [shared_topology(), country_topology("rs", POINTS, passwords=dict.fromkeys(account_names("rs", POINTS)))]
)


def addresses(kind: str) -> dict[str, dict[str, Any]]:
    """Every exchange, or every queue, that the document names for these contact points -> its binding."""
    found: dict[str, dict[str, Any]] = {}
    for channel in CHANNELS.values():
        binding = channel["bindings"]["amqp"].get(kind)
        texts = [channel["address"]] if binding is not None else []
        for name, values in NAMED.items():
            texts = [
                text.replace(name, value) for text in texts for value in values if name in text or value == values[0]
            ]
        found |= dict.fromkeys(texts, binding)
    return found


def test_exchanges_are_those_that_are_declared() -> None:
    declared = {exchange.name: exchange.type for exchange in TOPOLOGY.exchanges}
    assert {name: binding["type"] for name, binding in addresses("exchange").items()} == declared
    assert all(binding["durable"] for binding in addresses("exchange").values())


def test_queues_are_those_that_are_declared() -> None:
    assert addresses("queue").keys() == {queue.name for queue in TOPOLOGY.queues}


def test_bindings_names_its_own_address() -> None:
    for channel in CHANNELS.values():
        binding = channel["bindings"]["amqp"]
        assert binding.get("exchange", binding.get("queue"))["name"] == channel["address"]


def test_accounts_of_operations_are_those_that_are_declared() -> None:
    said = re.findall(r"Account `<prefix>-([a-z-]+)(?:<name>)?`", json.dumps(DOCUMENT["operations"]))
    assert {f"rs-{role}" for role in said if not role.endswith("-")} | {"rs-inbox-"} == {
        *(names.relay_account("rs"), names.router_account("rs"), "rs-inbox-"),
    }
    assert {scheme["type"] for scheme in DOCUMENT["components"]["securitySchemes"].values()} == {"X509", "userPassword"}


def test_every_kind_is_a_message_and_nothing_else_is() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert messages.keys() == set(KINDS)
    for kind, message in messages.items():
        member = "x-control" if kind in CONTROL else "x-sealed-body"
        assert message[member] == {"$ref": f"./{kind}/1.0.json"}
        assert message["bindings"]["amqp"]["messageType"] == kind
        assert all(channel["messages"][kind] for channel in CHANNELS.values())
    assert set(SEALED) | set(CONTROL) == set(KINDS)


def test_the_routing_key_is_the_one_that_is_used() -> None:
    key = names.alert_key("rs", "at", lane="urgent", kind="route_alert")
    assert f"`{key}`" in CHANNELS["ingress"]["description"]
    assert f"`{names.contact_point_key('rs.ncp', 'urgent')}`" in CHANNELS["contactPoints"]["description"]


# Envelope and payload: the schemas say of form what the models say.


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((SCHEMAS / name / "1.0.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


PAYLOAD = validator("payload")
DIGEST = base64url.encode(bytes(32))
COMMON = {
    "v": 1, "id": "0193b0a0-89ab-7000-8000-0123456789ab", "kind": "route_alert",
    "schema": "urn:ncp-bridge:route_alert:1.0", "status": "actual", "urgency": "expected", "from": "rs.ncp",
    "to": ["at.ncp"], "sent": "2026-11-23T18:40:01.234Z",
    "expires": "2026-12-23T18:40:01.234Z", "trust": {"network": "see", "version": 42},
}  # fmt: skip
SEALED_PAYLOAD = COMMON | {"seq": {"epoch": 3, "n": {"at.ncp": 877}}, "sealed_sha256": DIGEST, "body_sha256": DIGEST}
CONTROL_PAYLOAD = COMMON | {"kind": "receipt", "schema": "urn:ncp-bridge:receipt:1.0", "control": {}}
MEMBERS = sorted(SEALED_PAYLOAD.keys() | CONTROL_PAYLOAD.keys() | {"reply_within_s", "replaces", "extra"})
VALUES = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            1,
            2,
            -1,
            2**53,
            "",
            "rs.ncp",
            "at.ncp",
            "AT.ncp",
            "receipt",
            "heartbeat",
            "actual",
            "draft",
            "future",
        ),
        *(
            DIGEST,
            DIGEST[:-1] + "B",
            COMMON["id"],
            COMMON["sent"],
            "2026-02-30T18:40:01.234Z",
            "2026-11-23T18:40:01Z",
            [],
            {},
        ),
        *(
            ["at.ncp"],
            ["at.ncp", "hu.ncp"],
            ["at.ncp", "at.ncp"],
            ["AT"],
            {"epoch": 0, "n": {"at.ncp": 1}},
            {"epoch": 1, "n": {}},
        ),
        *(
            {"epoch": 1, "n": {"at.ncp": 1}, "x": 1},
            {"network": "see"},
            {"network": "", "version": 1},
            3600,
            31 * 86400 + 1,
        ),
    ]
)


@given(
    st.sampled_from([SEALED_PAYLOAD, CONTROL_PAYLOAD]),
    st.dictionaries(st.sampled_from(MEMBERS), VALUES | st.just("gone"), max_size=2),
)
def test_schema_and_model_of_the_payload_agree(base: dict[str, Any], changes: dict[str, Any]) -> None:
    members = {name: value for name, value in (base | changes).items() if value != "gone"}
    try:
        read_payload(members)
        fits = True
    except ValidationError:
        fits = False
    to, seq = members.get("to"), members.get("seq")
    # What JSON Schema cannot say: a number for exactly the recipients. What a later step says: `to` holds each once.
    numbered = isinstance(seq, dict) and isinstance(to, list) and seq.get("n", {}).keys() != set(map(str, to))
    twice = isinstance(to, list) and len(to) != len(set(map(str, to)))
    if not numbered and not twice:
        assert PAYLOAD.is_valid(members) == fits, members


def test_a_message_of_the_bridge_fits() -> None:
    for wire_bytes in (forge(), forge_control({"state": "delivered"})):
        members = strict_json.parse_object(wire_bytes)
        assert validator("envelope").is_valid(members)
        assert PAYLOAD.is_valid(json.loads(base64url.decode(str(members["payload"]))))
        assert not validator("envelope").is_valid({**members, "header": {}})
        assert not validator("envelope").is_valid({**members, "payload": f"{members['payload']}="})
