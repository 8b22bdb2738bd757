"""The code lists are the interface of other countries: a hand-written copy, so that no change goes unnoticed."""

import pytest

from bridge.core import vocabulary
from bridge.core.countries import COUNTRY_CODES
from bridge.core.messages import is_known_schema, schema_urn_of

WRITTEN_DOWN = {
    "status": ["actual", "exercise", "system", "test", "draft"],
    "urgency": ["immediate", "expected", "future", "past", "unknown"],
    "severity": ["extreme", "severe", "moderate", "minor", "unknown"],
    "certainty": ["observed", "likely", "possible", "unlikely", "unknown"],
    "tlp": ["RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"],
    "handling": ["H0", "H1", "H2", "H3"],
    "source_reliability": ["A", "B", "C", "X"],
    "information_accuracy": ["1", "2", "3", "4"],
    "country_role": ["origin", "transit", "destination"],
    "node_event": ["recruitment", "transit", "exploitation"],
    "transport_mode": ["not_specified", "maritime", "rail", "road", "air", "inland_water", "not_applicable"],
    "conveyance": [
        *[
            "private_car",
            "van_minibus",
            "taxi",
            "scheduled_coach",
            "lorry",
            "passenger_train",
            "freight_train",
            "ferry",
        ],
        *["small_boat", "scheduled_flight", "charter_flight", "on_foot", "other", "unknown"],
    ],
    "crossing": [
        *["official_regular", "official_concealed", "green_border", "blue_border", "airport", "internal_schengen"],
        "unknown",
    ],
    "act": [
        *["recruitment", "transportation", "transfer", "harbouring", "receipt"],
        "exchange_or_transfer_of_control",
    ],
    "means": [
        *["threat_or_use_of_force", "other_coercion", "abduction", "fraud", "deception", "abuse_of_power"],
        *["abuse_of_vulnerability", "payments_or_benefits", "unknown"],
    ],
    "exploitation": [
        *["sexual", "forced_labour_or_services", "forced_begging", "forced_criminality", "slavery_or_similar"],
        *["servitude", "organ_removal", "surrogacy", "forced_marriage", "illegal_adoption", "forced_military"],
        *["other", "unknown"],
    ],
    "labour_sector": [*"ABCDEFGHIJKLMNOPQRSTU", "unknown"],
    "recruitment": [
        *["place_of_business", "educational_institution", "work", "recruitment_agency", "online_social_network"],
        *["online_advertisement", "television_advert", "newspaper_advert", "family_or_family_events"],
        *["friends_or_social_events", "smuggling_network", "other", "unknown"],
    ],
    "recruiter_relation": ["intimate_partner", "family", "friend", "other", "unknown"],
    "control": [
        *["physical_threats", "threat_of_law_enforcement", "threatens_children_or_family", "uses_children"],
        *["debt_bondage", "false_promises", "physical_abuse", "sexual_abuse", "psychological_abuse", "takes_earnings"],
        *["restricts_financial_access", "restricts_movement", "restricts_medical_care", "withholds_necessities"],
        *["withholds_documents", "excessive_working_hours", "psychoactive_substances", "other", "unknown"],
    ],
    "organiser_role": [
        *["recruiter_or_intermediary", "transporter", "travelling_partner", "broker_travel_agent", "smuggler"],
        *["harbourer", "document_supplier", "money_handler", "abuser", "kidnapper", "exploiter", "other", "unknown"],
    ],
    "document_fraud": [
        *["counterfeit", "forged", "stolen_blank", "impostor", "fraudulently_obtained", "pseudo", "genuine_own"],
        *["none", "unknown"],
    ],
    "age_band": ["0-8", "9-17", "18-20", "21-29", "30-38", "39-47", "48+", "presumed_child", "unknown"],
    "sex": ["female", "male", "other", "unknown"],
    "accompaniment": ["unaccompanied", "separated", "with_family", "with_other_adult", "unknown"],
    "count_band": ["1", "2-5", "6-10", "11-50", "over_50", "unknown"],
    "trend": ["new", "growing", "shifting", "declining", "unknown"],
    "purpose": ["victim_protection", "prevention_detection_investigation", "strategic_analysis"],
    "transfer_basis": [
        *["intra_eu", "adequacy", "agreement", "assessed_safeguards", "council_of_europe", "derogation"],
    ],
    "acknowledgement.level": ["delivered", "read", "accepted", "forwarded_nationally", "not_competent"],
    "alert_cancel.reason": ["expired", "disrupted", "unfounded", "sent_in_error", "merged", "originator_request"],
    "answer_status": ["complete", "partial", "interim", "no_information", "refused"],
    "refusal_reason": [
        *["not_permitted_by_law", "jeopardises_investigation", "endangers_person", "disproportionate"],
        *["not_available", "judicial_authorisation_pending"],
    ],
    "request_type": [
        *["route_confirmation", "modus_operandi", "nationality_verification", "family_tracing", "document_check"],
        *["vehicle_or_carrier", "proceeding_status", "service_availability", "other"],
    ],
    "outcome": [
        *["victims_protected", "children_protected", "route_confirmed", "route_not_confirmed"],
        *["investigation_opened", "arrests", "no_action", "displaced"],
    ],
    "usefulness": ["decisive", "useful", "limited", "not_useful"],
    "victim_status": ["possible", "actual", "not_a_victim"],
    "recommended_action": ["monitor", "check", "protect", "report", "none"],
    # Of the message bodies' design, beside the vocabulary.
    "observed_precision": ["exact", "day", "month", "unknown"],
    "directory_change": [
        *["contact_point_added", "contact_point_changed", "contact_point_removed", "keys_changed"],
        *["revocations_changed", "network_changed", "signers_changed", "more_changes"],
    ],
}


@pytest.mark.parametrize("name", sorted(WRITTEN_DOWN))
def test_a_code_list_is_the_one_that_is_written_down(name: str) -> None:
    assert list(vocabulary.CODE_LISTS[name]) == WRITTEN_DOWN[name]


def test_there_are_no_other_code_lists_than_those_and_the_countries() -> None:
    assert set(vocabulary.CODE_LISTS) == {*WRITTEN_DOWN, "country"}
    assert set(vocabulary.CODE_LISTS["country"]) == COUNTRY_CODES


def test_the_kinds_are_those_of_this_version() -> None:
    alerts = ("route_alert", "alert_update", "alert_cancel")
    assert alerts == vocabulary.ALERT_KINDS
    assert (*alerts, "acknowledgement", "directory_notice") == vocabulary.SEALED_KINDS
    assert vocabulary.CONTROL_KINDS == ("receipt", "heartbeat", "resend_request")


def test_every_kind_reads_what_it_writes() -> None:
    assert all(is_known_schema(kind, schema_urn_of(kind)) for kind in vocabulary.KINDS)
    assert schema_urn_of("route_alert") == "urn:ncp-bridge:route_alert:1.0"


@pytest.mark.parametrize(
    ("kind", "urn"),
    [
        ("route_alert", "urn:ncp-bridge:alert_update:1.0"),
        ("route_alert", "urn:ncp-bridge:route_alert:2.0"),
        ("route_alert", "urn:ncp-bridge:route_alert:0.9"),
        ("route_alert", "urn:ncp-bridge:route_alert:1"),
        ("route_alert", "urn:ncp-bridge:route_alert:1.00"),
        ("route_alert", "urn:ncp-bridge:route_alert:1.0\n"),
        ("route_alert", "urn:other:route_alert:1.0"),
        ("follow_up", "urn:ncp-bridge:follow_up:1.0"),
        ("alert-file", "urn:ncp-bridge:alert-file:1.0"),
    ],
)
def test_another_kind_another_major_or_another_form_is_no_known_schema(kind: str, urn: str) -> None:
    assert not is_known_schema(kind, urn)


def test_a_higher_minor_version_is_known() -> None:
    assert is_known_schema("route_alert", "urn:ncp-bridge:route_alert:1.17")
