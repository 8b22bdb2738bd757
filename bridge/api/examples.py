"""Requests and answers as the description shows them; a test holds that each has the form it is an example of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ID: Final = "0193b0a0-89ab-7000-8000-0123456789ab"
_ANSWER: Final = "0193b0a6-02cd-7000-8000-0123456789cd"
_DIGEST: Final = "5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e"

ALERT: Final[Mapping[str, Any]] = {
    "kind": "route_alert",
    "status": "exercise",
    "urgency": "expected",
    "body": {
        "title": "Recruitment for seasonal work, transport by van",
        "language": "en",
        "tlp": "AMBER",
        "handling": ["H0"],
        "purpose": "victim_protection",
        "legal_basis": "Palermo Protocol, art. 10",
        "severity": "severe",
        "certainty": "likely",
        "legs": [
            {"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": True},
            {"from": {"country": "HU"}, "to": {"country": "AT"}, "confirmed": False},
        ],
        "exploitation": ["forced_labour_or_services"],
        "labour_sector": ["A"],
        "means": ["deception"],
    },
}
_CHECKED: Final = {
    "ok": False,
    "errors": [
        {
            "path": "$.urgency",
            "found": '"now"',
            "expected": "one of immediate, expected, future, past, unknown",
            "code": "E_CODE",
            "suggestion": None,
        }
    ],
    "warnings": [],
}
_PREVIEW: Final = {
    "recipients": [
        {
            "id": "at.ncp",
            "country": "AT",
            "roles": ["destination"],
            "rule": "national_desk",
            "reason": "national desk of Austria, destination on this route",
        }
    ],
    "excluded": [],
    "unreachable": [],
    "warnings": [],
}
_SUBMITTED: Final = {"id": _ID, "thread": _ID, "recipients": ["at.ncp", "hu.ncp"], "payload_sha256": _DIGEST}
_STATE: Final = {
    "id": _ID,
    "kind": "route_alert",
    "status": "exercise",
    "urgency": "expected",
    "thread": _ID,
    "sent": "2026-11-28T03:12:07.204Z",
    "expires": "2026-11-29T03:12:07.204Z",
    "recipients": [
        {
            "id": "at.ncp",
            "state": "acknowledged",
            "sent_at": "2026-11-28T03:12:07.410Z",
            "delivered_at": "2026-11-28T03:12:08.031Z",
            "acknowledged_at": "2026-11-28T03:18:40.500Z",
            "level": "accepted",
            "code": None,
        }
    ],
}
_PAGE: Final = {
    "items": [
        {
            "cursor": "YXQubmNwLzQy",
            "id": _ID,
            "contact_point": "at.ncp",
            "from": "rs.ncp",
            "kind": "route_alert",
            "urgency": "expected",
            "status": "exercise",
            "received_at": "2026-11-28T03:12:08.031Z",
            "state": "new",
            "acknowledge_by": "2026-11-28T04:12:08.031Z",
            "thread": _ID,
            "supersedes": None,
            "supersedes_from": None,
            "of": None,
            "of_from": None,
            "membership_checked_at": None,
        }
    ],
    "next": "YXQubmNwLzQy",
}
_ACKNOWLEDGED: Final = {"id": _ANSWER, "of": _ID, "level": "accepted"}
PROBLEM: Final = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "code": "E_CODE",
    "detail": '$.urgency: found "now", expected one of immediate, expected, future, past, unknown',
    "path": "$.urgency",
    "errors": _CHECKED["errors"],
}
_HOOK: Final = f"wh_{_ID}"
_EVENT: Final = "evt_rmfn2x6isnz52gh33rw5u6skqvoczkw3"
_WEBHOOK: Final = {
    "id": _HOOK,
    "contact_point": "at.ncp",
    "url": "https://cases.example/hooks/bridge",
    "events": ["message.received"],
    "made_by": "api:cases",
    "made_at": "2026-11-28T03:12:08.031Z",
    "failing_since": None,
    "disabled_at": None,
    "reason": None,
    "waiting": 0,
}
_SECRET: Final = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105 - nobody's
_DELIVERY: Final = {
    "id": _EVENT,
    "event": "message.received",
    "from": "rs.ncp",
    "message_id": _ID,
    "recipient": None,
    "state": None,
    "result": "delivered",
    "attempts": 1,
    "last_status": 204,
    "last_error": None,
    "at": "2026-11-28T03:12:08.031Z",
    "due_at": None,
    "last_at": "2026-11-28T03:12:08.310Z",
    "answered_at": "2026-11-28T03:12:08.310Z",
}

ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "validateAlert": _CHECKED,
    "previewRecipients": _PREVIEW,
    "submitAlert": _SUBMITTED,
    "messageState": _STATE,
    "readInbox": _PAGE,
    "acknowledge": _ACKNOWLEDGED,
    "listWebhooks": {"items": [_WEBHOOK]},
    "addWebhook": {**_WEBHOOK, "secret": _SECRET},
    "testWebhook": {"id": _HOOK, "delivery": _EVENT},
    "rotateSecret": {"id": _HOOK, "secret": _SECRET, "secret_before_until": "2026-11-29T03:12:08.031Z"},
    "listDeliveries": {"items": [_DELIVERY]},
    "replayDeliveries": {"id": _HOOK, "replayed": 1},
}


def show(operation: Mapping[str, Any]) -> None:
    """Puts an operation's answer into its description; FastAPI would leave out its members that are null."""
    example = ANSWERS.get(operation["operationId"])
    for status, answer in operation["responses"].items():
        if status.startswith("2") and example is not None:
            answer["content"]["application/json"]["example"] = example


def header(says: str) -> dict[str, Any]:
    """A header of an answer, as the description has it."""
    return {"description": says, "schema": {"type": "string"}}
