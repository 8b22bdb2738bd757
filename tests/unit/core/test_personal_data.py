"""What looks like personal data is found where it stands, and ordinary alerts are left in peace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.core.privacy import find_personal_data

SAMPLES = sorted((Path(__file__).parents[3] / "examples" / "alerts").glob("[0-9]*.json"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to ana.k@example.org", "an e-mail address"),
        ("call +381 64 123 4567 after dark", "a telephone number"),
        ("0040 721 123 456", "a telephone number"),
        ("his number is 064 123 4567", "a telephone number"),
        ("a white van, NS 123-AB", "a vehicle plate"),
        ("BG1234AC at the border", "a vehicle plate"),
        ("passport AB1234567", "a document number"),
        ("ID 0123456789012", "a document number"),
        ("six men aged 20 to 35, since 2026-11-01", "no finding"),
        ("corridor E75, exit 12", "no finding"),
    ],
)
def test_a_text_with_a_telling_shape_is_found(text: str, what: str) -> None:
    # given a body with one free text
    body = {"title": "route", "narrative": {"en": text}}

    # when it is searched
    findings = find_personal_data(body)

    # then the finding names the place, and does not repeat the text
    if what == "no finding":
        assert findings == ()
    else:
        assert [(finding.path, finding.what) for finding in findings] == [("$.body.narrative.en", what)]
        assert text not in findings[0].sentence()


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("Ulica Kneza Miloša 12", True),
        ("Rruga e Kavajës", True),
        ("Hauptstraße 5a", True),
        ("Subotica", False),
        ("RSSUB", False),
        ("HR2PL", False),
        ("Novi Sad", False),
    ],
)
def test_a_street_address_in_a_place_is_found_and_a_town_is_not(*, place: str, found: bool) -> None:
    # given a leg that names a place
    body = {"legs": [{"from": {"country": "RS", "place": place}, "to": {"country": "HU"}}]}

    # when it is searched
    findings = find_personal_data(body)

    # then only an address is asked about
    assert [finding.path for finding in findings] == (["$.body.legs[0].from.place"] if found else [])


def test_every_free_text_of_a_body_is_searched() -> None:
    # given the same address in each free text, and in codes, which are no free text
    mark = "x@example.org"
    body = {
        "title": mark,
        "language": mark,
        "handling_note": mark,
        "platforms": ["chat", mark],
        "organisers": {"roles": [mark], "modus_operandi": mark},
        "request": mark,
        "narrative": {"en": mark, "sq": mark},
        "change_summary": mark,
        "note": mark,
    }

    # when it is searched
    paths = {finding.path for finding in find_personal_data(body)}

    # then each text is named, and no code
    assert paths == {
        "$.body.title",
        "$.body.handling_note",
        "$.body.platforms[1]",
        "$.body.organisers.modus_operandi",
        "$.body.request",
        "$.body.narrative.en",
        "$.body.narrative.sq",
        "$.body.change_summary",
        "$.body.note",
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_realistic_alerts_raise_no_question(sample: Path) -> None:
    # given a sample, free of personal data; when it is searched, then nothing is found
    assert find_personal_data(json.loads(sample.read_text("utf-8"))["body"]) == ()
