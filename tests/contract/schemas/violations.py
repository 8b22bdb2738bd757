"""Documents that break exactly one rule each: (rule, document's name, what is done to a document that is right)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from message_samples import CONTROL, DIGEST, REFERENCE, SENT, Document, alert_file, control_member, full_body

Edit = Callable[[Document], Any]
GONE = object()
WIRE = ("route_alert", "alert_update", "alert_cancel", "acknowledgement", "directory_notice")
ROUTES = ("route_alert", "alert_update")


def put(path: str, value: object) -> Edit:
    """Sets, or with `GONE` takes away, the member that a dotted path names."""

    def edit(document: Document) -> Document:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in way:
            place = place[part]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
        return document

    return edit


def both(first: Edit, second: Edit) -> Edit:
    """One change after the other."""
    return lambda document: second(first(document))


def original(name: str) -> Document:
    """The full document that is right; `alert-file:<kind>` names a file's kind."""
    document, _, kind = name.partition(":")
    if document in CONTROL:
        return control_member(document)
    return alert_file(kind, full=True) if kind else full_body(document)


def _everywhere(rule: str, path: str, value: object, names: tuple[str, ...] = WIRE) -> list[tuple[str, str, Edit]]:
    """The same fault on the wire and in a route alert's file."""
    kind = "route_alert" if "route_alert" in names else next(name for name in names if name != "acknowledgement")
    return [
        *((rule, name, put(path, value)) for name in names),
        (rule, f"alert-file:{kind}", put(f"body.{path}", value)),
    ]


def _raw(change: Callable[[str], str]) -> Edit:
    return lambda document: change(json.dumps(document)).encode()


LEG = {"from": {"country": "RS"}, "to": {"country": "RS"}, "confirmed": True}
LATER = "2026-11-30T00:00:00Z"

VIOLATIONS: list[tuple[str, str, Edit]] = [
    ("strict-json", "alert-file:route_alert", _raw(lambda text: '{"status": "test", ' + text[1:])),
    *_everywhere("members-known", "colour", "red"),
    *_everywhere("members-known", "legs.1.from.street", "Main Street", ROUTES),
    *(("members-known", name, put("colour", "red")) for name in CONTROL),
    ("members-known", "receipt", put("of.colour", "red")),
    ("members-known", "alert-file:alert_cancel", put("colour", "red")),
    *_everywhere("members-there", "title", GONE),
    *_everywhere("members-there", "legs.0.confirmed", GONE, ROUTES),
    *(("members-there", name, put(member, GONE)) for name in WIRE for member in ("salt", "thread", "references")),
    *(("members-there", name, put("retain_until", GONE)) for name in WIRE),
    ("members-there", "receipt", put("of", GONE)),
    ("members-there", "heartbeat", put("normal", GONE)),
    ("members-there", "resend_request", put("lane", GONE)),
    ("members-there", "alert-file:alert_update", put("urgency", GONE)),
    *_everywhere("members-typed", "title", 7),
    *_everywhere("members-typed", "purpose", None),
    *_everywhere("members-typed", "information_accuracy", 2, ROUTES),
    *_everywhere("members-typed", "legs.0.confirmed", "true", ROUTES),
    *_everywhere("members-typed", "organisers", None, ROUTES),
    *_everywhere("members-typed", "platforms", "a chat group", ROUTES),
    ("members-typed", "heartbeat", put("epoch", value=True)),
    ("members-typed", "resend_request", put("numbers.0", "871")),
    ("members-typed", "receipt", put("of", "x")),
    *_everywhere("derived-never-typed", "child_involved", value=True, names=ROUTES),
    *_everywhere("derived-never-typed", "labour_involved", value=False, names=ROUTES),
    *_everywhere("codes-of-the-list", "tlp", "amber"),
    *_everywhere("codes-of-the-list", "handling", ["H0", "H4"]),
    *_everywhere("codes-of-the-list", "legs.0.conveyance", "van", ROUTES),
    *_everywhere("codes-of-the-list", "victims.0.age_band", "17", ROUTES),
    ("codes-of-the-list", "alert_cancel", put("reason", "over")),
    ("codes-of-the-list", "acknowledgement", both(put("level", "unknown"), put("redirect_to", GONE))),
    ("codes-of-the-list", "receipt", put("state", "read")),
    ("codes-of-the-list", "heartbeat", put("void.0.lane", "slow")),
    ("codes-of-the-list", "resend_request", put("lane", "slow")),
    ("codes-of-the-list", "alert-file:route_alert", put("status", "live")),
    ("codes-of-the-list", "alert-file:alert_cancel", put("urgency", "now")),
    *_everywhere("codes-once", "handling", ["H1", "H1"]),
    *_everywhere("codes-once", "victims.0.nationalities", ["AL", "AL"], ROUTES),
    *_everywhere("codes-once", "displaced_from", ["MK", "BG", "MK"], ROUTES),
    *_everywhere("codes-once", "legs.0.document_fraud", ["none", "none"], ROUTES),
    *_everywhere("codes-once", "legs.0.roles.from", ["origin", "origin"], ROUTES),
    *_everywhere("codes-once", "organisers.roles", ["smuggler", "smuggler"], ROUTES),
    *_everywhere("country-known", "legs.0.from.country", "UK", ROUTES),
    *_everywhere("country-known", "victims.0.nationalities.0", "Serbia", ROUTES),
    *_everywhere("country-known", "displaced_from.1", "mk", ROUTES),
    *_everywhere("title-not-empty", "title", ""),
    *_everywhere("title-length", "title", "a" * 201),
    *_everywhere("language-form", "language", "sr-latn"),
    *_everywhere("legal-basis-not-empty", "legal_basis", ""),
    *_everywhere("legal-basis-length", "legal_basis", "a" * 301),
    *_everywhere("text-without-controls", "title", "a\x07b"),
    *_everywhere("text-without-controls", "legal_basis", "a\x85b"),
    *_everywhere("text-without-controls", "organisers.modus_operandi", "a\r\nb", ROUTES),
    *_everywhere("time-form", "retain_until", "2027-02-20T00:00:00+00:00"),
    *_everywhere("time-form", "retain_until", "2027-02-30T00:00:00Z"),
    *_everywhere("time-form", "retain_until", "2027-02-20T00:00:60Z"),
    *_everywhere("time-form", "observed_to", "2026-11-21T12:30:00.5Z", ROUTES),
    ("time-form", "acknowledgement", put("at", "2026-11-23")),
    ("time-form", "alert-file:alert_update", put("expires", "tomorrow")),
    *_everywhere("handling-note-length", "handling_note", "a" * 501),
    *_everywhere("handling-note-with-h3", "handling_note", GONE, ROUTES),
    *_everywhere("handling-note-with-h3", "handling_note", "", ROUTES),
    ("handling-note-with-h3", "alert_cancel", put("handling", ["H3"])),
    ("handling-note-with-h3", "acknowledgement", put("handling", ["H3"])),
    ("handling-note-with-h3", "directory_notice", put("handling", ["H3"])),
    *_everywhere("unclassified-only", "classification", "restricted"),
    *(("clear-for-system-on-the-wire", name, put("tlp", "CLEAR")) for name in WIRE),
    *(("clear-for-system-in-a-file", f"alert-file:{kind}", put("body.tlp", "CLEAR")) for kind in WIRE[:3]),
    *(("retention-window", name, put("retain_until", SENT.strftime("%Y-%m-%dT%H:%M:%SZ"))) for name in WIRE),
    *(("retention-window", name, put("retain_until", "2027-05-22T18:40:02.000Z")) for name in WIRE),
    *(("salt-form", name, put("salt", "A" * 42 + "B")) for name in WIRE),
    *(("salt-form", name, put("salt", "A" * 42 + "=")) for name in WIRE),
    *(("digest-form", name, put("references", [{**REFERENCE, "payload_sha256": "x" * 42}])) for name in WIRE),
    ("digest-form", "receipt", put("of.sealed_sha256", DIGEST + "A")),
    *(("message-id-form", name, put("thread", "019ab1c0-5f21-4a3e-8b1d-0a2b3c4d5e6f")) for name in WIRE),
    ("message-id-form", "receipt", put("of.id", "019AB1C0-5F21-7A3E-8B1D-0A2B3C4D5E6F")),
    ("message-id-form", "alert-file:alert_update", put("supersedes", "7")),
    *(("contact-point-form", name, put("references", [{**REFERENCE, "from": "RS.ncp"}])) for name in WIRE),
    ("contact-point-form", "acknowledgement", put("redirect_to", "hu")),
    *(("references-limit", name, put("references", [REFERENCE] * 17)) for name in WIRE),
    ("wire-members-not-in-a-file", "alert-file:route_alert", put("body.salt", DIGEST)),
    ("wire-members-not-in-a-file", "alert-file:alert_update", put("body.supersedes", REFERENCE)),
    *(("supersedes-there", name, put("supersedes", GONE)) for name in ("alert_update", "alert_cancel")),
    *(("supersedes-there", f"alert-file:{name}", put("supersedes", GONE)) for name in ("alert_update", "alert_cancel")),
    *(("supersedes-not-there", name, put("supersedes", REFERENCE)) for name in ("route_alert", *WIRE[3:])),
    ("supersedes-not-there", "alert-file:route_alert", put("supersedes", REFERENCE["id"])),
    *_everywhere("legs-not-empty", "legs", [], ROUTES),
    *_everywhere("legs-limit", "legs", [LEG] * 33, ROUTES),
    *_everywhere("legs-join-up", "legs", [LEG, {**LEG, "from": {"country": "HU"}}], ROUTES),
    *_everywhere("role-fits-the-end", "legs.0.roles.from", ["destination"], ROUTES),
    *_everywhere("role-fits-the-end", "legs.1.roles.to", ["destination", "origin"], ROUTES),
    *_everywhere("transit-leads-on", "legs.0.roles.from", ["transit"], ROUTES),
    *_everywhere("transit-leads-on", "legs.1.roles.to", ["transit"], ROUTES),
    *_everywhere("expected-window", "legs.1.expected_from", LATER, ROUTES),
    *_everywhere("observed-window", "observed_from", LATER, ROUTES),
    *_everywhere("place-not-too-short", "legs.0.from.place", "X", ROUTES),
    *_everywhere("place-not-too-short", "legs.0.crossing_point", "", ROUTES),
    *_everywhere("place-length", "legs.0.crossing_point", "X" * 81, ROUTES),
    *(("means-unless-a-child", name, both(put("victims", []), put("means", []))) for name in ROUTES),
    ("means-unless-a-child", "route_alert", both(put("victims.0.age_band", "18-20"), put("means", GONE))),
    ("means-unless-a-child", "alert-file:route_alert", both(put("body.victims", GONE), put("body.means", GONE))),
    *_everywhere("sector-with-forced-labour", "labour_sector", [], ROUTES),
    *_everywhere("sector-with-forced-labour", "labour_sector", GONE, ROUTES),
    *_everywhere("exploitation-not-empty", "exploitation", [], ROUTES),
    *_everywhere("platform-not-empty", "platforms.0", "", ROUTES),
    *_everywhere("platform-length", "platforms.0", "a" * 61, ROUTES),
    *_everywhere("platforms-limit", "platforms", ["a"] * 21, ROUTES),
    *_everywhere("victims-limit", "victims", [{"age_band": "0-8"}] * 51, ROUTES),
    *_everywhere("modus-operandi-length", "organisers.modus_operandi", "a" * 2001, ROUTES),
    *_everywhere("request-length", "request", "a" * 2001, ROUTES),
    *_everywhere("narrative-language-form", "narrative.english", "a", ROUTES),
    *_everywhere("narrative-length", "narrative.en", "a" * 8001, ROUTES),
    *_everywhere("narratives-limit", "narrative", {f"a{letter}": "x" for letter in "abcdefghijklm"}, ROUTES),
    *_everywhere("change-summary-not-empty", "change_summary", "", ("alert_update",)),
    *_everywhere("change-summary-length", "change_summary", "a" * 2001, ("alert_update",)),
    *_everywhere("note-length", "note", "a" * 2001, ("alert_cancel", "acknowledgement")),
    ("officer-not-empty", "acknowledgement", put("officer", "")),
    ("officer-length", "acknowledgement", put("officer", "a" * 121)),
    ("redirect-when-not-competent", "acknowledgement", put("level", "accepted")),
    ("members-there", "directory_notice", put("changes", GONE)),
    ("members-known", "directory_notice", put("files.compressed", "gzip")),
    ("members-typed", "directory_notice", put("files", None)),
    ("codes-of-the-list", "directory_notice", put("changes.0.code", "keys_rolled")),
    ("time-form", "directory_notice", put("effective", "now")),
    ("list-version-from-one", "directory_notice", put("version", 0)),
    ("list-version-to-2-53", "directory_notice", put("version", 2**53)),
    ("since-from-zero", "directory_notice", put("files.since", -1)),
    ("since-to-2-53", "directory_notice", put("files.since", 2**53)),
    ("changes-limit", "directory_notice", put("changes", [{"code": "keys_changed"}] * 101)),
    ("change-who-form", "directory_notice", put("changes.0.who", "RS")),
    ("packed-form", "directory_notice", put("files.packed", "eNo=")),
    ("packed-form", "directory_notice", put("files.packed", "")),
    ("packed-length", "directory_notice", put("files.packed", "A" * 118_001)),
    ("receipt-code-when-rejected", "receipt", put("code", GONE)),
    ("receipt-code-when-rejected", "receipt", put("state", "delivered")),
    ("refusal-code-form", "receipt", put("code", "E_seal")),
    ("refusal-code-form", "heartbeat", put("void.0.code", "ERASED")),
    ("epoch-from-one", "heartbeat", put("epoch", 0)),
    ("epoch-from-one", "resend_request", put("epoch", 0)),
    ("numbers-from-zero", "heartbeat", put("urgent.first", -1)),
    ("numbers-from-zero", "resend_request", put("numbers", [-1])),
    ("numbers-to-2-53", "heartbeat", put("normal.last", 2**53)),
    ("numbers-to-2-53", "resend_request", put("numbers", [2**53])),
    ("void-limit", "heartbeat", put("void", [{"lane": "normal", "number": 1, "code": "E_ERASED"}] * 1001)),
    ("numbers-not-empty", "resend_request", put("numbers", [])),
    ("numbers-limit", "resend_request", put("numbers", list(range(1001)))),
    ("numbers-once", "resend_request", put("numbers", [4, 7, 4])),
]
