"""Keys, payloads and bodies that the oracle tests write messages from; the values are those of wire-format.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jwcrypto.jwk import JWK
from jwcrypto_peer import new_message_id

if TYPE_CHECKING:
    from jwcrypto_peer import Jwk
    from strict_text import JsonObject

SENDER = "rs.ncp"
RECIPIENTS = ["at.ncp", "bg.ncp", "de.bka-desk", "hu.ncp", "xo.icmpd"]


class KeyPair:
    """One P-256 key of a contact point, public and private, as JWK members."""

    def __init__(self, kid: str) -> None:
        key = JWK.generate(kty="EC", crv="P-256")
        self.kid = kid
        self.public: Jwk = json.loads(key.export_public())
        self.private: Jwk = json.loads(key.export_private())


def payload_fields(to: list[str]) -> JsonObject:
    """The payload of a route alert of now, without its digests."""
    numbers = {recipient: 877 + place for place, recipient in enumerate(to)}
    return _common_fields("route_alert", to) | {"seq": {"epoch": 3, "n": numbers}}


def receipt_fields(to: str) -> JsonObject:
    """The payload of a receipt of now, without its `control`."""
    return _common_fields("receipt", [to])


def body() -> JsonObject:
    """A route alert's body in small, with text from all planes of Unicode."""
    return {
        "title": "Felszállás Röszkénél: сезонски радници ☎ 🚐",
        "language": "hu",
        "legs": [{"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": True, "platforms": []}],
        "thread": {"from": "hu.ncp", "id": new_message_id(), "payload_sha256": "A" * 43},
        "references": [],
    }


def _common_fields(kind: str, to: list[str]) -> JsonObject:
    now = datetime.now(UTC)
    return {
        "v": 1,
        "id": new_message_id(now),
        "kind": kind,
        "schema": f"urn:ncp-bridge:{kind}:1.0",
        "status": "actual",
        "urgency": "immediate",
        "from": SENDER,
        "to": to,
        "sent": _as_text(now),
        "expires": _as_text(now + timedelta(days=30)),
        "reply_within_s": 3600,
        "trust": {"network": "see", "version": 42},
    }


def _as_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
