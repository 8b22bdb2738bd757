"""What a version 1 payload must look like (wire-format: Payload, Control messages), read from the specification.

Promises: `check_payload` raises `RefusedError` with `E_SCHEMA` for a payload whose members, types or alphabets are not
the specified ones; `E_PAYLOAD` is what is no strict JSON object. Does not judge time, trust, authority or sequence: a
peer has no store.
"""

from __future__ import annotations

import re

from refused import refuse
from strict_text import JsonObject, decode

CONTROL_KINDS = ("receipt", "heartbeat", "resend_request")
CONTACT_POINT = re.compile(r"[a-z]{2}\.[a-z0-9-]{1,32}")

_MAX_RECIPIENTS = 64
_DIGEST_LENGTH = 32
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_SCHEMA = re.compile(r"urn:ncp-bridge:([a-z_]+):([0-9]+)\.[0-9]+")
_STATUSES = ("actual", "exercise", "system", "test")
_URGENCIES = ("immediate", "expected", "future", "past", "unknown")

_COMMON = frozenset(
    "v id kind schema status urgency from to sent expires trust".split()  # noqa: SIM905 -- readable
)
_SEALED = _COMMON | {"seq", "sealed_sha256", "body_sha256"}
_CONTROL = _COMMON | {"control"}


def check_payload(payload: JsonObject) -> None:
    """Refuse a payload that is not exactly a version 1 payload.

    Raises:
        RefusedError: `E_SCHEMA`.
    """
    control = payload.get("kind") in CONTROL_KINDS
    # Where no answer is expected (an acknowledgement, a receipt) no time for it is named.
    members = set(payload) - ({"reply_within_s"} if control else {"reply_within_s", "replaces"})
    _require(members == (_CONTROL if control else _SEALED), f"members {sorted(payload)}")
    _require(payload["v"] == 1 and _is_count(payload["v"]), "v is not 1")
    _check_names(payload)
    _check_schema(payload)
    for name in ("sent", "expires"):
        _require(_matches(_TIME, payload[name]), f"{name} is not a UTC time in milliseconds")
    _require(_is_count(payload.get("reply_within_s", 1)), "reply_within_s is not a count of seconds")
    trust = payload["trust"]
    _require(_has_exactly(trust, {"network", "version"}), "trust is not {network, version}")
    _require(isinstance(trust["network"], str) and _is_count(trust["version"]), "trust holds other types")
    if control:
        _check_control(payload)
    else:
        _check_sealed(payload)


def _check_names(payload: JsonObject) -> None:
    _require(_matches(_MESSAGE_ID, payload["id"]), "id is not a UUIDv7")
    _require(payload["status"] in _STATUSES, f"status {payload['status']!r}")
    _require(payload["urgency"] in _URGENCIES, f"urgency {payload['urgency']!r}")
    _require(_matches(CONTACT_POINT, payload["from"]), "from is not a contact point")
    to = payload["to"]
    _require(isinstance(to, list) and 1 <= len(to) <= _MAX_RECIPIENTS, "to is not a list of 1 to 64")
    _require(all(_matches(CONTACT_POINT, each) for each in to), "to holds what is not a contact point")


def _check_schema(payload: JsonObject) -> None:
    schema = payload["schema"]
    match = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    _require(match is not None and match[1] == payload["kind"], f"schema {schema!r} is not one of this kind")
    if match is not None and match[2] != "1":
        refuse("E_SCHEMA", f"major version {match[2]}")


def _check_sealed(payload: JsonObject) -> None:
    for name in ("sealed_sha256", "body_sha256"):
        _require(_is_digest(payload[name]), f"{name} is not a digest")
    seq = payload["seq"]
    _require(_has_exactly(seq, {"epoch", "n"}) and _is_count(seq["epoch"]), "seq is not {epoch, n}")
    _require(_has_exactly(seq["n"], set(payload["to"])), "seq.n does not number exactly the recipients")
    _require(all(_is_count(number) for number in seq["n"].values()), "seq.n holds what is not a count")
    _require("replaces" not in payload or _matches(_MESSAGE_ID, payload["replaces"]), "replaces is not a UUIDv7")


def _check_control(payload: JsonObject) -> None:
    _require(len(payload["to"]) == 1, "a control message has exactly one recipient")
    control = payload["control"]
    _require(isinstance(control, dict), "control is not an object")
    if payload["kind"] != "receipt":
        return
    expected = {"state", "of", "code"} if control.get("state") == "rejected" else {"state", "of"}
    _require(_has_exactly(control, expected), f"receipt members {sorted(control)}")
    _require(control["state"] in {"delivered", "rejected"}, f"state {control['state']!r}")
    _require(isinstance(control.get("code", ""), str), "code is not a string")
    of = control["of"]
    _require(_has_exactly(of, {"id", "payload_sha256", "sealed_sha256"}), "of does not name one message")
    _require(_matches(_MESSAGE_ID, of["id"]), "of.id is not a UUIDv7")
    _require(_is_digest(of["payload_sha256"]) and _is_digest(of["sealed_sha256"]), "of holds what is not a digest")


def _require(holds: bool, detail: str) -> None:  # noqa: FBT001 -- reads as a sentence: require that, else
    if not holds:
        refuse("E_SCHEMA", detail)


def _has_exactly(value: object, members: set[str]) -> bool:
    return isinstance(value, dict) and set(value) == members


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_digest(value: object) -> bool:
    try:
        return len(decode(value)) == _DIGEST_LENGTH
    except ValueError:
        return False
