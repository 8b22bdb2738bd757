"""What lies exactly on a limit is accepted by both judges, and so is every code of every list."""

from __future__ import annotations

import pytest
from message_samples import REFERENCE
from verdicts import problems, schema_faults
from violations import GONE, LEG, Edit, both, original, put

from bridge.core.vocabulary import CODE_LISTS

LANGUAGES = {f"a{letter}": "x" * 8000 for letter in "abcdefghijkl"}
VOID = {"lane": "normal", "number": 1, "code": "E_ERASED"}

AT_THE_LIMIT: list[tuple[str, Edit]] = [
    ("route_alert", put("title", "a")),
    ("route_alert", put("title", "š" * 200)),
    ("route_alert", put("title", "\U0001f690" * 200)),
    ("route_alert", put("title", "a\tb\nc")),
    ("route_alert", put("language", "cnr")),
    ("route_alert", put("legal_basis", "a" * 300)),
    ("route_alert", put("handling_note", "a" * 500)),
    ("route_alert", both(put("handling", []), put("handling_note", ""))),
    ("route_alert", put("references", [REFERENCE] * 16)),
    ("route_alert", both(put("legs", [LEG] * 32), put("platforms", ["a" * 60] * 20))),
    ("route_alert", put("legs.0.from.place", "XX")),
    ("route_alert", put("legs.0.crossing_point", "X" * 80)),
    ("route_alert", both(put("means", []), put("victims", [{"age_band": "presumed_child"}] * 50))),
    ("route_alert", both(put("means", GONE), put("victims", [{"age_band": "48+"}, {"age_band": "0-8"}]))),
    ("route_alert", both(put("exploitation", ["sexual"]), put("labour_sector", GONE))),
    ("route_alert", put("labour_sector", ["unknown"])),
    ("route_alert", put("narrative", LANGUAGES)),
    ("route_alert", put("narrative", {})),
    ("route_alert", put("narrative.en", "")),
    ("route_alert", put("request", "")),
    ("route_alert", put("organisers", {})),
    ("route_alert", put("organisers.modus_operandi", "a" * 2000)),
    ("route_alert", put("victims", [{}])),
    ("route_alert", put("legs.0.roles", {})),
    ("route_alert", put("observed_from", "2024-02-29T23:59:59Z")),
    ("alert_update", put("change_summary", "a" * 2000)),
    ("alert_cancel", put("note", "a" * 2000)),
    ("acknowledgement", put("officer", "a" * 120)),
    ("acknowledgement", put("redirect_to", GONE)),
    ("acknowledgement", put("redirect_to", f"eu.{'a' * 32}")),
    ("directory_notice", both(put("version", 1), put("files.since", 0))),
    ("directory_notice", both(put("version", 2**53 - 1), put("files.since", 2**53 - 1))),
    ("directory_notice", put("changes", [])),
    ("directory_notice", put("changes", [{"code": "keys_changed", "who": f"rs.{'a' * 32}"}] * 100)),
    ("directory_notice", put("files.packed", "A" * 118_000)),
    ("directory_notice", put("files", GONE)),
    ("receipt", both(put("state", "delivered"), put("code", GONE))),
    ("receipt", put("code", "E_" + "A" * 40)),
    ("heartbeat", both(put("epoch", 1), put("urgent", {"first": 0, "last": 2**53 - 1}))),
    ("heartbeat", put("void", [VOID] * 1000)),
    ("heartbeat", put("void", GONE)),
    ("resend_request", put("numbers", list(range(1000)))),
    ("alert-file:route_alert", both(put("expires", GONE), put("thread", GONE))),
    ("alert-file:route_alert", both(put("status", "system"), put("body.tlp", "CLEAR"))),
    ("alert-file:route_alert", put("status", "draft")),
    ("alert-file:alert_update", put("body.retain_until", "2027-01-01T00:00:00Z")),
]
SINGLE = {
    "severity": "severity",
    "certainty": "certainty",
    "source_reliability": "source_reliability",
    "information_accuracy": "information_accuracy",
    "observed_precision": "observed_precision",
    "purpose": "purpose",
    "trend": "trend",
    "recommended_action": "recommended_action",
    "country": "legs.1.to.country",
    "node_event": "legs.0.from.event",
    "crossing": "legs.0.crossing",
    "transport_mode": "legs.0.transport_mode",
    "conveyance": "legs.0.conveyance",
    "count_band": "organisers.group_size",
    "age_band": "victims.1.age_band",
    "sex": "victims.0.sex",
    "accompaniment": "victims.0.accompaniment",
}
SEVERAL = {
    "handling": "handling",
    "document_fraud": "legs.0.document_fraud",
    "act": "acts",
    "means": "means",
    "exploitation": "exploitation",
    "labour_sector": "labour_sector",
    "recruitment": "recruitment",
    "recruiter_relation": "recruiter_relation",
    "control": "control",
    "organiser_role": "organisers.roles",
    "country": "displaced_from",
}


def judge(name: str, edit: Edit) -> tuple[object, object]:
    document, kind = edit(original(name)), name.partition(":")[0]
    return problems(kind, document), schema_faults(kind, document)


@pytest.mark.parametrize(("name", "edit"), AT_THE_LIMIT)
def test_what_lies_on_a_limit_is_accepted(name: str, edit: Edit) -> None:
    assert judge(name, edit) == ((), [])


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_every_code_of_a_list_is_accepted_where_one_stands(name: str) -> None:
    for code in CODE_LISTS[name]:
        assert judge("route_alert", put(SINGLE[name], code)) == ((), []), code


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_all_codes_of_a_list_may_stand_together(name: str) -> None:
    assert judge("route_alert", put(SEVERAL[name], list(CODE_LISTS[name]))) == ((), [])


@pytest.mark.parametrize("level", CODE_LISTS["acknowledgement.level"])
def test_every_level_acknowledges(level: str) -> None:
    assert judge("acknowledgement", both(put("level", level), put("redirect_to", GONE))) == ((), [])


@pytest.mark.parametrize("reason", CODE_LISTS["alert_cancel.reason"])
def test_every_reason_cancels(reason: str) -> None:
    assert judge("alert_cancel", put("reason", reason)) == ((), [])


@pytest.mark.parametrize("code", CODE_LISTS["directory_change"])
def test_every_change_of_the_list_is_told(code: str) -> None:
    assert judge("directory_notice", put("changes", [{"code": code}])) == ((), [])


@pytest.mark.parametrize("tlp", [tlp for tlp in CODE_LISTS["tlp"] if tlp != "CLEAR"])
def test_every_marking_but_clear_travels(tlp: str) -> None:
    assert judge("alert_cancel", put("tlp", tlp)) == ((), [])


@pytest.mark.parametrize("status", CODE_LISTS["status"])
@pytest.mark.parametrize("urgency", CODE_LISTS["urgency"])
def test_every_status_and_urgency_may_stand_in_a_file(status: str, urgency: str) -> None:
    assert judge("alert-file:alert_cancel", both(put("status", status), put("urgency", urgency))) == ((), [])
