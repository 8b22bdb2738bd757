"""Reads the wire vectors in schemas/vectors: each as a receiver meets it, from its file and its list alone."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from forging.wire_forge import Arrival

from bridge.adapters.trust.membership.exported import read_export
from bridge.core.directory import Directory
from bridge.core.verification import Hints, Receiver, SentDigests
from bridge.core.wire import base64url

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vectors"
FILES = sorted(FOLDER.glob("[0-9]*.json"))
Vector = dict[str, Any]


def read_vector(file: Path) -> Vector:
    """The members of one."""
    vector: Vector = json.loads(file.read_text("utf-8"))
    return vector


def wire_of(vector: Vector) -> bytes:
    """Its bytes."""
    then = vector.get("then", {"byte": 0, "times": 0})
    return base64url.decode(vector["wire_base64url"]) + bytes([then["byte"]]) * int(then["times"])


@cache
def _network(name: str) -> Directory:
    return read_export(FOLDER / name)


def arrival_of(vector: Vector) -> Arrival:
    """It, as it arrives."""
    properties, sent = vector["properties"], vector["sent"]
    hints = None
    if properties is not None:
        named = {name: properties[name] for name in ("correlation_id", "type", "app_id", "routing_key", "user_id")}
        hints = Hints(**named, copied=bool(properties["headers"]))
    return Arrival(
        wire_of(vector),
        directory=_network(vector["network"]),
        highest_version=vector["highest_version"],
        receiver=Receiver(vector["country"], vector["recipient"]),
        now=datetime.fromisoformat(vector["at"]),
        hints=hints,
        known_digest=vector["known_payload_sha256"],
        held_kids=tuple(vector["opening_keys"]),
        originator=vector["originator"],
        sent=None if sent is None else SentDigests(**sent),
    )
