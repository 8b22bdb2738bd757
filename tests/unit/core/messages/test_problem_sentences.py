"""What is wrong is said so that a person can mend it: where, what stood there, what was expected, what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from message_samples import full_body, read, small_body

from bridge.core.errors import Problem


def only_problem(change: dict[str, Any], kind: str = "route_alert", *, full: bool = False) -> Problem:
    answer = read(kind, (full_body if full else small_body)(kind) | change)
    assert isinstance(answer, tuple)
    assert len(answer) == 1, answer
    return answer[0]


@pytest.mark.parametrize(
    ("change", "suggestion"),
    [
        ({"tlp": "amber"}, "AMBER"),
        ({"tlp": "AMBER STRICT"}, "AMBER+STRICT"),
        ({"purpose": "victim-protection"}, "victim_protection"),
        ({"severity": "sever"}, "severe"),
        ({"exploitation": ["forced_labor_or_services"]}, "forced_labour_or_services"),
        ({"acts": ["harboring"]}, "harbouring"),
        ({"means": ["Deception"]}, "deception"),
        ({"control": ["debt bondage"]}, "debt_bondage"),
        ({"handling": ["h2"]}, "H2"),
        ({"information_accuracy": 2}, "2"),
        ({"recommended_action": "reports"}, "report"),
        ({"displaced_from": ["Serbia"]}, "RS"),
        ({"displaced_from": ["UK"]}, "GB"),
    ],
)
def test_the_nearest_value_is_suggested(change: dict[str, Any], suggestion: str) -> None:
    problem = only_problem(change)
    assert problem.suggestion == suggestion
    assert problem.sentence().endswith(f"; did you mean {suggestion}?")


@pytest.mark.parametrize(
    "change", [{"severity": "grave"}, {"severity": "now"}, {"acts": [True]}, {"severity": None}, {"tlp": "X" * 100_000}]
)
def test_nothing_is_suggested_where_nothing_is_near(change: dict[str, Any]) -> None:
    assert only_problem(change).suggestion is None


def test_every_value_of_the_list_is_named() -> None:
    problem = only_problem({"severity": "grave"})
    assert problem.sentence() == (
        '$.severity: found "grave", expected one of extreme, severe, moderate, minor, unknown'
    )


def test_a_mistyped_member_is_told_from_an_unknown_one() -> None:
    problem = only_problem({"naratives": {}})
    assert (problem.path, problem.code, problem.suggestion) == ("$.naratives", "E_UNKNOWN_MEMBER", "narrative")
    assert only_problem({"weather": "fog"}).suggestion is None


@pytest.mark.parametrize(("name", "source"), [("child_involved", "victims"), ("labour_involved", "exploitation")])
def test_a_derived_member_is_refused_with_what_it_follows_from(name: str, source: str) -> None:
    problem = only_problem({name: True})
    assert (problem.code, problem.expected) == ("E_UNKNOWN_MEMBER", f"no such member: it follows from {source}")


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (lambda body: body["legs"][0]["from"].update(country="Kosovo"), "$.legs[0].from.country"),
        (lambda body: body["legs"][1].pop("to"), "$.legs[1].to"),
        (lambda body: body["victims"][0]["nationalities"].append("albania"), "$.victims[0].nationalities[2]"),
        (lambda body: body["narrative"].update({"en": 1}), "$.narrative.en"),
        (lambda body: body["narrative"].update({"sr-Latn": 1}), '$.narrative["sr-Latn"]'),
        (lambda body: body["narrative"].update({"English": "x"}), "$.narrative.English"),
        (lambda body: body.update({"two words": 1}), '$["two words"]'),
        (lambda body: body["organisers"]["roles"].insert(0, "boss"), "$.organisers.roles[0]"),
        (lambda body: body["legs"][0]["roles"]["to"].append("transit"), "$.legs[0].roles.to[1]"),
    ],
)
def test_the_path_leads_to_the_fault(edit: Any, path: str) -> None:  # noqa: ANN401 - a change of a document
    body = full_body("route_alert")
    edit(body)
    answer = read("route_alert", body)
    assert isinstance(answer, tuple)
    assert [problem.path for problem in answer] == [path]


@pytest.mark.parametrize(
    ("change", "found", "expected", "code"),
    [
        ({"title": None}, "null", "text", "E_TYPE"),
        ({"title": ["a"]}, "a list of 1", "text", "E_TYPE"),
        ({"title": ""}, '""', "text of 1 or more characters", "E_FORMAT"),
        ({"title": "a" * 201}, f'"{"a" * 60}…" (201 characters)', "text of at most 200 characters", "E_LIMIT"),
        ({"legs": []}, "an empty list", "1 or more of them", "E_LIMIT"),
        ({"organisers": "x"}, '"x"', "an object", "E_TYPE"),
        ({"platforms": {}}, "an object", "a list", "E_TYPE"),
        ({"language": "Serbian"}, '"Serbian"', "a language like cnr or sr-Latn", "E_FORMAT"),
        ({"retain_until": 5}, "5", "a UTC time like 2026-11-23T18:40:01Z", "E_TYPE"),
        ({"retain_until": "1 May"}, '"1 May"', "a UTC time like 2026-11-23T18:40:01Z", "E_FORMAT"),
        ({"thread": "7"}, '"7"', "a message id (a lower-case UUIDv7)", "E_FORMAT"),
        ({"salt": "7"}, '"7"', "32 bytes as canonical base64url (43 characters)", "E_FORMAT"),
        ({"classification": "secret"}, '"secret"', "unclassified: nothing else travels here", "E_CLASSIFICATION"),
    ],
)
def test_found_and_expected_are_short_and_plain(change: dict[str, Any], found: str, expected: str, code: str) -> None:
    problem = only_problem(change)
    assert (problem.found, problem.expected, problem.code) == (found, expected, code)


def test_a_free_text_is_never_repeated_whole() -> None:
    problem = only_problem({"request": "A name and a telephone number. " * 100})
    assert len(problem.found) < 100


def test_an_acknowledgements_level_is_suggested_and_its_redirection_explained() -> None:
    answer = read("acknowledgement", full_body("acknowledgement") | {"level": "acepted"})
    assert isinstance(answer, tuple)
    assert [(problem.code, problem.suggestion) for problem in answer] == [("E_CODE", "accepted"), ("E_REDIRECT", None)]
    assert answer[1].expected == "nothing: only level not_competent names who is"
