"""Documents that are right, to be bent by tests: one small and one full body per kind, control members, alert files."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from bridge.core.errors import Problem
from bridge.core.messages import ControlBody, ReadBody, read_body, read_control, schema_urn_of

Document = dict[str, Any]
Answer = ReadBody | ControlBody | tuple[Problem, ...]

SENT = datetime(2026, 11, 23, 18, 40, 1, 234000, tzinfo=UTC)
DIGEST = "u5cGXj3bWwn4p2y7Zt0aVQkqzJ8sHfLr1mEoBdTiN_M"
SALT = "Qm9yZGVyLWdhdGUtc2FsdC1vZi0zMi1ieXRlcy0xMjM"
THREAD = "019ab1c0-5f21-7a3e-8b1d-0a2b3c4d5e6f"
EARLIER = "019ab1b0-1111-7222-8333-444455556666"
REFERENCE = {"from": "rs.ncp", "id": EARLIER, "payload_sha256": DIGEST}
ON_WIRE = {"retain_until": "2027-02-20T00:00:00Z", "salt": SALT, "thread": THREAD, "references": []}

_HEAD = {
    "title": "Minibus from Niš, seasonal work promised",
    "language": "sr-Latn",
    "tlp": "AMBER",
    "purpose": "victim_protection",
    "legal_basis": "CETS 197, Article 32",
}
_SMALL_ALERT = {
    **_HEAD,
    "legs": [{"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": False}],
    "means": ["unknown"],
    "exploitation": ["unknown"],
}
_FULL_ALERT = {
    **_HEAD,
    "handling": ["H1", "H3"],
    "handling_note": "Not to be shown to carriers.",
    "classification": "unclassified",
    "severity": "severe",
    "certainty": "likely",
    "source_reliability": "B",
    "information_accuracy": "2",
    "observed_from": "2026-11-20T00:00:00Z",
    "observed_to": "2026-11-21T12:30:00.500Z",
    "observed_precision": "day",
    "legs": [
        {
            "from": {"country": "XK", "place": "Prizren", "event": "recruitment"},
            "to": {"country": "RS", "place": "Niš", "event": "transit"},
            "roles": {"from": ["origin"], "to": ["transit"]},
            "crossing": "official_concealed",
            "crossing_point": "Merdare",
            "transport_mode": "road",
            "conveyance": "van_minibus",
            "document_fraud": ["genuine_own", "fraudulently_obtained"],
            "confirmed": True,
        },
        {
            "from": {"country": "RS"},
            "to": {"country": "HU", "place": "HUROS", "event": "exploitation"},
            "roles": {"from": ["transit"], "to": ["destination"]},
            "confirmed": False,
            "expected_from": "2026-11-24T00:00:00Z",
            "expected_to": "2026-11-25T00:00:00Z",
        },
    ],
    "acts": ["recruitment", "transportation"],
    "means": ["deception", "abuse_of_vulnerability"],
    "exploitation": ["forced_labour_or_services", "forced_begging"],
    "labour_sector": ["A", "F"],
    "recruitment": ["online_advertisement"],
    "recruiter_relation": ["friend"],
    "platforms": ["a chat group"],
    "control": ["debt_bondage", "withholds_documents"],
    "organisers": {"roles": ["transporter"], "group_size": "2-5", "modus_operandi": "Two vans,\none scout."},
    "victims": [
        {
            "age_band": "9-17",
            "sex": "male",
            "count_band": "2-5",
            "accompaniment": "unaccompanied",
            "nationalities": ["XK", "AL"],
        },
        {"age_band": "18-20"},
    ],
    "trend": "shifting",
    "displaced_from": ["MK", "BG"],
    "recommended_action": "check",
    "request": "Check the rest areas.",
    "narrative": {"en": "Two vans.", "sr-Latn": "Dva kombija.", "cnr": "Dva kombija."},
}
_SMALL: dict[str, Document] = {
    "route_alert": _SMALL_ALERT,
    "alert_update": {**_SMALL_ALERT, "change_summary": "The route leads on."},
    "alert_cancel": {**_HEAD, "reason": "disrupted"},
    "acknowledgement": {
        **_HEAD,
        "of": REFERENCE,
        "level": "accepted",
        "officer": "Duty desk 2",
        "at": "2026-11-23T19:00:00.000Z",
    },
    "directory_notice": {**_HEAD, "version": 43, "effective": "2026-11-23T18:00:00Z", "changes": []},
}
_FULL: dict[str, Document] = {
    "route_alert": _FULL_ALERT,
    "alert_update": {**_FULL_ALERT, "change_summary": "A second leg."},
    "alert_cancel": {**_HEAD, "handling": [], "reason": "merged", "note": "See the other thread."},
    "acknowledgement": {
        **_SMALL["acknowledgement"],
        "level": "not_competent",
        "redirect_to": "hu.border-police",
        "note": "Passed on by telephone.",
    },
    "directory_notice": {
        **_SMALL["directory_notice"],
        "changes": [{"code": "keys_changed", "who": "rs"}, {"code": "signers_changed"}],
        "files": {"since": 41, "packed": "eNqrrgUAAXUA-Q"},
    },
}
_CONTROL: dict[str, Document] = {
    "receipt": {
        "state": "rejected",
        "code": "E_BODY_SCHEMA",
        "of": {"id": THREAD, "payload_sha256": DIGEST, "sealed_sha256": DIGEST},
    },
    "heartbeat": {
        "epoch": 3,
        "urgent": {"first": 870, "last": 877},
        "normal": {"first": 12, "last": 1042},
        "void": [{"lane": "urgent", "number": 871, "code": "E_ERASED"}],
    },
    "resend_request": {"epoch": 3, "lane": "urgent", "numbers": [871, 872]},
}
SEALED = tuple(_SMALL)
CONTROL = tuple(_CONTROL)
ALERTS = ("route_alert", "alert_update", "alert_cancel")


def small_body(kind: str) -> Document:
    """A body with its mandatory members only, as it travels."""
    return _on_wire(kind, _SMALL)


def full_body(kind: str) -> Document:
    """A body with every member there is, as it travels."""
    return _on_wire(kind, _FULL)


def control_member(kind: str) -> Document:
    """A control member with every member there is."""
    return copy.deepcopy(_CONTROL[kind])


def alert_file(kind: str, *, full: bool = False) -> Document:
    """An alert file."""
    document: Document = {
        "kind": kind,
        "status": "actual",
        "urgency": "immediate",
        "body": (_FULL if full else _SMALL)[kind],
    }
    if full:
        document |= {"expires": "2026-12-01T00:00:00Z", "thread": THREAD}
    if kind != "route_alert":
        document["supersedes"] = EARLIER
    return copy.deepcopy(document)


def read(kind: str, body: Document, *, status: str = "actual", version: str | None = None) -> Answer:
    """What reading the body or control member answers."""
    urn = f"urn:ncp-bridge:{kind}:{version}" if version else schema_urn_of(kind)
    if kind in CONTROL:
        return read_control(kind, urn, body)
    return read_body(kind, urn, body, sent=SENT, status=status)


def accepted(kind: str, body: Document, *, status: str = "actual", version: str | None = None) -> ReadBody:
    """The body as read; the test fails when it is refused."""
    answer = read(kind, body, status=status, version=version)
    assert isinstance(answer, ReadBody), answer
    return answer


def faults(kind: str, body: Document, *, status: str = "actual", version: str | None = None) -> list[str]:
    """`code path` of everything that is wrong, in order; empty when nothing is."""
    answer = read(kind, body, status=status, version=version)
    return [f"{problem.code} {problem.path}" for problem in answer] if isinstance(answer, tuple) else []


def _on_wire(kind: str, bodies: dict[str, Document]) -> Document:
    body = {**bodies[kind], **ON_WIRE}
    if kind in ("alert_update", "alert_cancel"):
        body |= {"supersedes": REFERENCE, "references": [REFERENCE]}
    return copy.deepcopy(body)
