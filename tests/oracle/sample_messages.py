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


def acknowledgement_fields(to: list[str]) -> JsonObject:
    """The payload of an acknowledgement of now, without its digests: no answer to it is expected."""
    numbers = dict.fromkeys(to, 12)
    fields = _common_fields("acknowledgement", to) | {"seq": {"epoch": 3, "n": numbers}}
    del fields["reply_within_s"]
    return fields


def receipt_fields(to: str) -> JsonObject:
    """The payload of a receipt of now, without its `control`."""
    return _common_fields("receipt", [to])


def body() -> JsonObject:
    """A complete route alert's body, with text from all planes of Unicode."""
    return _head("Felszállás Röszkénél: сезонски радници ☎ 🚐") | {
        "severity": "severe",
        "certainty": "likely",
        "legs": [
            {
                "from": {"country": "RS", "place": "Суботица"},
                "to": {"country": "HU", "place": "Röszke"},
                "crossing": "green_border",
                "transport_mode": "road",
                "confirmed": True,
            },
            {"from": {"country": "HU"}, "to": {"country": "AT"}, "confirmed": False},
        ],
        "means": ["deception"],
        "exploitation": ["forced_labour_or_services"],
        "labour_sector": ["A"],
        "platforms": ["Telegram"],
        "victims": [{"age_band": "9-17", "sex": "unknown", "nationalities": ["XK"]}],
        "narrative": {"hu": "Hetente két furgon.", "sr-Latn": "Dva kombija nedeljno."},
    }


def acknowledgement_body(of: JsonObject) -> JsonObject:
    """A complete acknowledgement's body, for the message that the reference `of` names."""
    return _head("Átvettük") | {
        "thread": of["id"],
        "references": [of],
        "of": of,
        "level": "read",
        "officer": "Ügyeletes tiszt",
        "at": "2026-11-23T18:52:00Z",
    }


def _head(title: str) -> JsonObject:
    return {
        "title": title,
        "language": "hu",
        "tlp": "AMBER",
        "handling": ["H0"],
        "purpose": "victim_protection",
        "legal_basis": "Palermo Protocol, art. 10",
        "retain_until": _as_text(datetime.now(UTC) + timedelta(days=90)),
        "thread": new_message_id(),
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
