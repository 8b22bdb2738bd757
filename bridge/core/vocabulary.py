"""Message kinds and code lists: the interface that integrators in other countries build against.

Lists grow, nothing in them is ever renamed or removed. It holds words only; which of them goes with which is in
`bridge.core.messages.rules`, and how a newer list is read in `bridge.core.messages.reading`.

Sources: OASIS CAP 1.2 (status, urgency, severity, certainty), FIRST TLP 2.0, Europol handling and 4x4 codes, the UN
Trafficking Protocol Art. 3, Directive 2011/36/EU as amended by 2024/1712, IOM HTCDS 2.0 (CC BY 4.0), the CTDC codebook,
UN/CEFACT Recommendation 19, ISIC Rev. 4. Lists with no source beside them are our own.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bridge.core.countries import COUNTRY_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTE_ALERT: Final = "route_alert"
ALERT_UPDATE: Final = "alert_update"
ALERT_CANCEL: Final = "alert_cancel"
ACKNOWLEDGEMENT: Final = "acknowledgement"
DIRECTORY_NOTICE: Final = "directory_notice"
RECEIPT: Final = "receipt"
HEARTBEAT: Final = "heartbeat"
RESEND_REQUEST: Final = "resend_request"

ALERT_KINDS: Final = (ROUTE_ALERT, ALERT_UPDATE, ALERT_CANCEL)
SEALED_KINDS: Final = (*ALERT_KINDS, ACKNOWLEDGEMENT, DIRECTORY_NOTICE)
CONTROL_KINDS: Final = (RECEIPT, HEARTBEAT, RESEND_REQUEST)
KINDS: Final = (*SEALED_KINDS, *CONTROL_KINDS)
"""The kinds this version reads and writes; a kind outside them is refused by its schema."""

UNCLASSIFIED: Final = "unclassified"

CHILD_AGE_BANDS: Final = frozenset({"0-8", "9-17", "presumed_child"})

CODE_LISTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        name: tuple(words.split())
        for name, words in {
            "status": "actual exercise system test draft",  # CAP
            "urgency": "immediate expected future past unknown",  # CAP
            "severity": "extreme severe moderate minor unknown",  # CAP
            "certainty": "observed likely possible unlikely unknown",  # CAP
            "tlp": "RED AMBER+STRICT AMBER GREEN CLEAR",  # TLP 2.0: who may see it
            "handling": "H0 H1 H2 H3",  # Europol: what it may be used for
            "source_reliability": "A B C X",  # Europol 4x4
            "information_accuracy": "1 2 3 4",  # Europol 4x4: how the source knows it
            "country": " ".join(sorted(COUNTRY_CODES)),  # ISO 3166-1 alpha-2 and XK
            "country_role": "origin transit destination",
            "node_event": "recruitment transit exploitation",  # HTCDS
            "transport_mode": "not_specified maritime rail road air inland_water not_applicable",  # Rec 19
            "conveyance": "private_car van_minibus taxi scheduled_coach lorry passenger_train freight_train ferry"
            " small_boat scheduled_flight charter_flight on_foot other unknown",
            "crossing": "official_regular official_concealed green_border blue_border airport internal_schengen"
            " unknown",
            "act": "recruitment transportation transfer harbouring receipt"  # Protocol Art. 3, EU 2011/36
            " exchange_or_transfer_of_control",
            "means": "threat_or_use_of_force other_coercion abduction fraud deception abuse_of_power"  # Protocol Art. 3
            " abuse_of_vulnerability payments_or_benefits unknown",
            "exploitation": "sexual forced_labour_or_services forced_begging forced_criminality"  # EU 2011/36, HTCDS
            " slavery_or_similar servitude organ_removal surrogacy forced_marriage illegal_adoption forced_military"
            " other unknown",
            "labour_sector": "A B C D E F G H I J K L M N O P Q R S T U unknown",  # ISIC Rev. 4 sections
            "recruitment": "place_of_business educational_institution work recruitment_agency"  # HTCDS, two of ours
            " online_social_network online_advertisement television_advert newspaper_advert family_or_family_events"
            " friends_or_social_events smuggling_network other unknown",
            "recruiter_relation": "intimate_partner family friend other unknown",  # CTDC
            "control": "physical_threats threat_of_law_enforcement threatens_children_or_family"  # HTCDS
            " uses_children debt_bondage false_promises physical_abuse sexual_abuse psychological_abuse takes_earnings"
            " restricts_financial_access restricts_movement restricts_medical_care withholds_necessities"
            " withholds_documents excessive_working_hours psychoactive_substances other unknown",
            "organiser_role": "recruiter_or_intermediary transporter travelling_partner"  # HTCDS, three of ours
            " broker_travel_agent smuggler harbourer document_supplier money_handler abuser kidnapper exploiter"
            " other unknown",
            "document_fraud": "counterfeit forged stolen_blank impostor fraudulently_obtained pseudo genuine_own none"
            " unknown",
            "age_band": "0-8 9-17 18-20 21-29 30-38 39-47 48+ presumed_child unknown",  # CTDC, merged
            "sex": "female male other unknown",
            "accompaniment": "unaccompanied separated with_family with_other_adult unknown",
            "count_band": "1 2-5 6-10 11-50 over_50 unknown",
            "trend": "new growing shifting declining unknown",
            "purpose": "victim_protection prevention_detection_investigation strategic_analysis",
            "transfer_basis": "intra_eu adequacy agreement assessed_safeguards council_of_europe derogation",
            "acknowledgement.level": "delivered read accepted forwarded_nationally not_competent",
            "alert_cancel.reason": "expired disrupted unfounded sent_in_error merged originator_request",
            "answer_status": "complete partial interim no_information refused",
            "refusal_reason": "not_permitted_by_law jeopardises_investigation endangers_person disproportionate"
            " not_available judicial_authorisation_pending",
            "request_type": "route_confirmation modus_operandi nationality_verification family_tracing document_check"
            " vehicle_or_carrier proceeding_status service_availability other",
            "outcome": "victims_protected children_protected route_confirmed route_not_confirmed investigation_opened"
            " arrests no_action displaced",
            "usefulness": "decisive useful limited not_useful",
            "victim_status": "possible actual not_a_victim",  # HTCDS
            "recommended_action": "monitor check protect report none",
            "observed_precision": "exact day month unknown",
            "directory_change": "contact_point_added contact_point_changed contact_point_removed keys_changed"
            " revocations_changed network_changed signers_changed more_changes",
        }.items()
    }
)
"""Every code list by its name; `country` is the one whose members are not words but codes of a standard."""
