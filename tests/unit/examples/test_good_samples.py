"""The sample alerts: all valid, varied enough to show the region, routable, and free of personal data."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter

import pytest
from sample_files import ALERTS, COUNTRIES, EXAMPLES, NOW, Sample, manifest, national_desks, samples, texts

from bridge.core.messages import RouteAlertBody
from bridge.core.privacy import find_personal_data
from bridge.core.routing import RoutePlan, corridor_of, plan_route

SAMPLES = samples()
BODIES = [sample.alert.body for sample in SAMPLES if isinstance(sample.alert.body, RouteAlertBody)]
LEGS = [leg for body in BODIES for leg in body.legs]
EVERY_SAMPLE = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)

TIME_OR_ID = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PERSONAL = {
    "an e-mail address": re.compile(r"\S@\S"),
    "a telephone number": re.compile(r"(\+|\b00)\d|\d[\d /().-]{5,}\d"),
    "a document number or plate": re.compile(r"\b[^\W\d_]{1,3}[ -]?\d{3,}|\d{5,}|\b\d{2,4}[ -]?[A-Z]{2}\b"),
    "a title before a name": re.compile(
        r"\b(Mr|Mrs|Ms|Dr|Herr|Frau|gospodin|gospođa|domnul|doamna|signor[ae]?)\b\.? [A-ZČĆŠŽĐ]"
    ),
    "a link": re.compile(r"https?://|www\."),
}


def corridor_countries(body: RouteAlertBody) -> tuple[str, ...]:
    return (body.legs[0].from_.country, *(leg.to.country for leg in body.legs))


def plans() -> dict[str, RoutePlan]:
    """The plan of each sample, updates and cancellations after what they supersede."""
    directory, made = national_desks(), dict[str, RoutePlan]()
    for sample in SAMPLES:
        body = sample.alert.body
        before = made[sample.supersedes].recipients if sample.supersedes else ()
        made[sample.file] = plan_route(
            corridor_of(body if isinstance(body, RouteAlertBody) else None),
            directory,
            kind=sample.alert.kind,
            status=sample.alert.status,
            sender=sample.sender,
            at=NOW,
            earlier=[recipient.id for recipient in before],
        )
    return made


def test_the_manifest_names_every_file_once_and_in_order() -> None:
    named = [entry["file"] for entry in manifest()]
    assert named == sorted(path.name for path in ALERTS.glob("[0-9]*.json"))


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(sample.alert.kind for sample in SAMPLES)
    assert kinds["route_alert"] >= 26
    assert kinds["alert_update"] == 3
    assert kinds["alert_cancel"] == 2


@EVERY_SAMPLE
def test_an_update_or_cancellation_follows_what_it_supersedes_and_comes_from_its_sender(sample: Sample) -> None:
    earlier = {item.file: item.sender for item in SAMPLES if item.file < sample.file}
    if sample.alert.kind == "route_alert":
        assert sample.supersedes is None
    else:
        assert sample.supersedes is not None
        assert earlier[sample.supersedes] == sample.sender


@EVERY_SAMPLE
def test_a_sample_is_sent_by_a_desk_of_a_country_on_its_route(sample: Sample) -> None:
    country, _, desk = sample.sender.partition(".")
    assert (country.upper() in COUNTRIES, desk) == (True, "ncp")
    if isinstance(sample.alert.body, RouteAlertBody):
        assert country.upper() in corridor_countries(sample.alert.body)


def test_every_sender_is_a_contact_point_of_the_demo_network() -> None:
    network = tomllib.loads((EXAMPLES.parent / "config" / "demo-network.toml").read_text(encoding="utf-8"))
    assert sorted(network["countries"]) == sorted(COUNTRIES)
    assert {sample.sender for sample in SAMPLES} <= {point["id"] for point in network["contact_points"]}


@EVERY_SAMPLE
def test_a_sample_leaves_expiry_and_retention_to_the_moment_of_sending(sample: Sample) -> None:
    assert sample.alert.expires is None
    assert "retain_until" not in sample.alert.members


def test_the_corridors_are_many_and_cross_the_whole_region() -> None:
    corridors = {corridor_countries(body) for body in BODIES}
    assert len(corridors) >= 12
    assert len({leg.from_.country for leg in LEGS}) >= 8
    assert {country for corridor in corridors for country in corridor} == set(COUNTRIES)


def test_some_routes_return_to_where_they_began() -> None:
    loops = {corridor[0] for corridor in map(corridor_countries, BODIES) if corridor[0] in corridor[1:]}
    assert len(loops) >= 2


def test_every_way_of_travelling_is_there() -> None:
    modes = {leg.transport_mode for leg in LEGS}
    assert modes >= {"road", "rail", "air", "maritime", "inland_water", "not_applicable"}
    assert "on_foot" in {leg.conveyance for leg in LEGS}


def test_the_forms_of_exploitation_and_the_sectors_of_the_region_are_there() -> None:
    forms = {form for body in BODIES for form in body.exploitation}
    assert forms >= {"sexual", "forced_labour_or_services", "forced_begging", "forced_criminality", "servitude"}
    # agriculture, construction, hospitality, private households
    assert {sector for body in BODIES for sector in body.labour_sector} >= {"A", "F", "I", "T"}


def test_children_travel_alone_and_accompanied() -> None:
    ways = {
        group.accompaniment
        for body in BODIES
        for group in body.victims
        if group.age_band in {"0-8", "9-17", "presumed_child"}
    }
    assert ways >= {"unaccompanied", "separated", "with_family", "with_other_adult"}


def test_languages_urgencies_and_statuses_vary() -> None:
    assert len({sample.alert.body.language for sample in SAMPLES}) >= 5
    assert len({language for body in BODIES for language in body.narrative}) >= 5
    urgencies = Counter(sample.alert.urgency for sample in SAMPLES)
    assert urgencies["immediate"] >= 4
    assert urgencies.keys() >= {"immediate", "expected", "future", "past"}
    statuses = Counter(sample.alert.status for sample in SAMPLES)
    assert statuses["exercise"] == 2
    assert statuses.keys() == {"actual", "exercise"}


def test_every_concerned_country_is_reached_over_national_desks() -> None:
    # given, when
    made = plans()
    # then
    assert {file: plan.unreachable for file, plan in made.items() if plan.unreachable} == {}
    assert [file for file, plan in made.items() if not plan.recipients] == []
    assert sum(len(plan.recipients) for plan in made.values()) >= 60


def test_who_received_an_alert_receives_its_update_and_its_cancellation() -> None:
    made = plans()
    for sample in SAMPLES:
        if sample.supersedes is not None:
            before = {recipient.id for recipient in made[sample.supersedes].recipients}
            assert before <= {recipient.id for recipient in made[sample.file].recipients}, sample.file


@EVERY_SAMPLE
def test_nothing_in_a_sample_looks_like_personal_data(sample: Sample) -> None:
    # given
    document = json.loads((ALERTS / sample.file).read_bytes())
    # when
    found = [
        (path, what)
        for path, text in texts(document)
        if TIME_OR_ID.fullmatch(text) is None
        for what, shape in PERSONAL.items()
        # the articles, numbers and years of laws are nobody's
        if path != "$.body.legal_basis" and shape.search(text)
    ]
    # then
    assert found == []
    assert find_personal_data(sample.alert.members) == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("call +381 11 555 01 23", "a telephone number"),
        ("call 011/555-0123", "a telephone number"),
        ("desk@police.example", "an e-mail address"),
        ("passport 012345678", "a document number or plate"),
        ("a white van BG 123-AB", "a document number or plate"),
        ("пътува с РА 1234 ВТ", "a document number or plate"),  # noqa: RUF001 - a plate in Cyrillic
        ("Herr Müller", "a title before a name"),
    ],
)
def test_the_scan_of_the_samples_finds_what_it_looks_for(text: str, what: str) -> None:
    assert PERSONAL[what].search(text) is not None
