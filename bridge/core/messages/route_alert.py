"""The alert about a trafficking route, and its update, as their authors write them.

Every list has an `unknown` and nearly every member a default: incomplete information never delays an alert
(Regulation (EU) 2019/1715 Art. 17). `child_involved` and `labour_involved` are derived here, never typed.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field

from bridge.core.messages.fields import (
    FORM,
    TEXT_PATTERN,
    AnyCodes,
    CodeOf,
    Country,
    Language,
    LongText,
    Maybe,
    Place,
    SomeCodes,
    UtcTime,
)
from bridge.core.messages.head import BodyHead
from bridge.core.vocabulary import CHILD_AGE_BANDS

LABOUR: Final = "forced_labour_or_services"
MAX_LEGS: Final = 32


class Endpoint(BaseModel):
    """One end of a leg."""

    model_config = FORM

    country: Annotated[Country, Field(description="ISO 3166-1 alpha-2, or XK for Kosovo* (UNSCR 1244).")]
    place: Annotated[
        Maybe[Place], Field(description="UN/LOCODE where one exists, else a name; never a precise address.")
    ] = None
    event: Annotated[
        Maybe[Annotated[str, CodeOf("node_event")]], Field(description="What happens there (HTCDS 2.0).")
    ] = None


class LegRoles(BaseModel):
    """The roles of a leg's two countries on the route, where the author states them."""

    model_config = FORM

    from_: Annotated[
        tuple[Annotated[str, CodeOf("country_role")], ...],
        AnyCodes,
        Field(alias="from", description="origin or transit; transit only where an earlier leg ended."),
    ] = ()
    to: Annotated[
        tuple[Annotated[str, CodeOf("country_role")], ...],
        AnyCodes,
        Field(description="transit or destination; transit only where a later leg starts."),
    ] = ()


class Leg(BaseModel):
    """One stretch of the route, in order of travel."""

    model_config = FORM

    from_: Annotated[Endpoint, Field(alias="from", description="Where it starts.")]
    to: Annotated[Endpoint, Field(description="Where it ends.")]
    roles: Annotated[Maybe[LegRoles], Field(description="Roles beyond those that follow from the order of legs.")] = (
        None
    )
    crossing: Annotated[str, CodeOf("crossing"), Field(description="How the border is crossed.")] = "unknown"
    crossing_point: Annotated[Maybe[Place], Field(description="The border crossing point: UN/LOCODE or name.")] = None
    transport_mode: Annotated[
        str, CodeOf("transport_mode"), Field(description="UN/CEFACT Recommendation 19; on foot is not_applicable.")
    ] = "not_specified"
    conveyance: Annotated[str, CodeOf("conveyance"), Field(description="The kind of vehicle.")] = "unknown"
    document_fraud: Annotated[
        tuple[Annotated[str, CodeOf("document_fraud")], ...], AnyCodes, Field(description="Travel documents misused.")
    ] = ()
    confirmed: Annotated[bool, Field(description="true: confirmed; false: suspected.")]
    expected_from: Annotated[Maybe[UtcTime], Field(description="Start of the time when it is expected.")] = None
    expected_to: Annotated[Maybe[UtcTime], Field(description="End of that time.")] = None


class Organisers(BaseModel):
    """Who runs the route, as a group: no names."""

    model_config = FORM

    roles: Annotated[
        tuple[Annotated[str, CodeOf("organiser_role")], ...], AnyCodes, Field(description="Their roles (HTCDS 2.0).")
    ] = ()
    group_size: Annotated[str, CodeOf("count_band"), Field(description="How many they are.")] = "unknown"
    modus_operandi: Annotated[Maybe[LongText], Field(description="How they work.")] = None


class VictimGroup(BaseModel):
    """Victims alike in these respects, as a band: nobody can be told apart."""

    model_config = FORM

    age_band: Annotated[str, CodeOf("age_band"), Field(description="Age; presumed_child when in doubt.")] = "unknown"
    sex: Annotated[str, CodeOf("sex"), Field(description="Sex.")] = "unknown"
    count_band: Annotated[str, CodeOf("count_band"), Field(description="How many.")] = "unknown"
    accompaniment: Annotated[str, CodeOf("accompaniment"), Field(description="With whom they travel.")] = "unknown"
    nationalities: Annotated[tuple[Country, ...], AnyCodes, Field(description="Their nationalities.")] = ()


class RouteAlertBody(BodyHead):
    """An alert about a trafficking route."""

    severity: Annotated[str, CodeOf("severity"), Field(description="OASIS CAP 1.2.")] = "unknown"
    certainty: Annotated[str, CodeOf("certainty"), Field(description="OASIS CAP 1.2.")] = "unknown"
    source_reliability: Annotated[str, CodeOf("source_reliability"), Field(description="Europol 4x4.")] = "X"
    information_accuracy: Annotated[
        str, CodeOf("information_accuracy"), Field(description="Europol 4x4: how the source knows it; a text.")
    ] = "4"
    observed_from: Annotated[Maybe[UtcTime], Field(description="Start of the time when it was observed.")] = None
    observed_to: Annotated[Maybe[UtcTime], Field(description="End of that time.")] = None
    observed_precision: Annotated[
        str, CodeOf("observed_precision"), Field(description="How exact those two times are.")
    ] = "unknown"
    legs: Annotated[
        tuple[Leg, ...],
        Field(
            strict=False,
            min_length=1,
            max_length=MAX_LEGS,
            description="The route in order of travel; every leg but the first starts where an earlier one ended.",
        ),
    ]
    acts: Annotated[
        tuple[Annotated[str, CodeOf("act")], ...], AnyCodes, Field(description="Acts (Directive 2011/36/EU Art. 2).")
    ] = ()
    means: Annotated[
        tuple[Annotated[str, CodeOf("means")], ...],
        AnyCodes,
        Field(description="Means; at least one (unknown is one) unless a victim is a child."),
    ] = ()
    exploitation: Annotated[
        tuple[Annotated[str, CodeOf("exploitation")], ...], SomeCodes, Field(description="Forms of exploitation.")
    ]
    labour_sector: Annotated[
        tuple[Annotated[str, CodeOf("labour_sector")], ...],
        AnyCodes,
        Field(description="ISIC Rev. 4 sections; at least one (unknown is one) with forced_labour_or_services."),
    ] = ()
    recruitment: Annotated[
        tuple[Annotated[str, CodeOf("recruitment")], ...], AnyCodes, Field(description="How victims are recruited.")
    ] = ()
    recruiter_relation: Annotated[
        tuple[Annotated[str, CodeOf("recruiter_relation")], ...],
        AnyCodes,
        Field(description="Who the recruiter is to them."),
    ] = ()
    platforms: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=60, pattern=TEXT_PATTERN)], ...],
        Field(strict=False, max_length=20, description="Online platforms used."),
    ] = ()
    control: Annotated[
        tuple[Annotated[str, CodeOf("control")], ...],
        AnyCodes,
        Field(description="How victims are controlled (HTCDS 2.0)."),
    ] = ()
    organisers: Annotated[Maybe[Organisers], Field(description="Who runs the route.")] = None
    victims: Annotated[
        tuple[VictimGroup, ...], Field(strict=False, max_length=50, description="Victims, in groups.")
    ] = ()
    trend: Annotated[str, CodeOf("trend"), Field(description="How the route develops.")] = "unknown"
    displaced_from: Annotated[
        tuple[Country, ...], AnyCodes, Field(description="The corridor it moved away from, in order of travel.")
    ] = ()
    recommended_action: Annotated[
        str, CodeOf("recommended_action"), Field(description="What recipients are advised to do.")
    ] = "none"
    request: Annotated[Maybe[LongText], Field(description="What is asked of the recipient.")] = None
    narrative: Annotated[
        dict[Language, Annotated[str, Field(max_length=8000, pattern=TEXT_PATTERN)]],
        Field(
            default_factory=dict,
            max_length=12,
            description="Free text per language; no names, addresses or document numbers.",
        ),
    ]

    @property
    def child_involved(self) -> bool:
        """Whether any group of victims is of a child's age band, or presumed to be."""
        return any(group.age_band in CHILD_AGE_BANDS for group in self.victims)

    @property
    def labour_involved(self) -> bool:
        """Whether forced labour or services are among the forms of exploitation."""
        return LABOUR in self.exploitation


class AlertUpdateBody(RouteAlertBody):
    """A new version of an alert: the whole new body, and what changed."""

    change_summary: Annotated[
        str,
        Field(
            min_length=1, max_length=2000, pattern=TEXT_PATTERN, description="What changed, for who knows the former."
        ),
    ]
