"""From a form to a draft's document and back: nothing typed is changed or lost, nothing typed breaks anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.app.desk.checking import Checked
from bridge.console.language import words_of
from bridge.console.writing.documents import MOST_OF_A_LIST, document_of, member_at, shown_value
from bridge.console.writing.faults import faults_of
from bridge.console.writing.fields import FIELDS, Takes, field_id, kind_of, shown_field
from bridge.console.writing.form import Form
from bridge.core.errors import Problem
from bridge.core.messages import AlertCancelBody, AlertUpdateBody, read_alert_file
from bridge.core.wire import strict_json

EXAMPLES = Path(__file__).parents[3] / "examples"
WORDS = words_of("en")
HEAD = {"kind": "route_alert"}
PATHS = st.from_regex(r"(status|body)(\.[a-z_]{1,12}(\[[0-9]{1,3}\])?){0,5}", fullmatch=True)


def sent_by_browser(document: dict[str, object]) -> list[tuple[str, str]]:
    """The fields of the form that shows a document."""

    def walk(value: object, name: str) -> list[tuple[str, str]]:
        if isinstance(value, dict):
            return [pair for key, item in value.items() for pair in walk(item, f"{name}.{key}" if name else key)]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [pair for index, item in enumerate(value) for pair in walk(item, f"{name}[{index}]")]
        if isinstance(value, list) and FIELDS[kind_of(name)].takes is Takes.CODES:
            return [(name, str(item)) for item in value]
        return [(name, shown_value(value))]

    return walk({name: value for name, value in document.items() if name not in {"kind", "supersedes"}}, "")


def without_empty(value: object) -> object:
    """A document without its empty lists: they say what a missing member says."""
    if isinstance(value, dict):
        return {name: without_empty(item) for name, item in value.items() if item != []}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", sorted((EXAMPLES / "alerts").glob("[0-9]*.json")), ids=lambda path: path.stem[:2])
def test_a_good_alert_goes_through_the_form_and_is_the_same(path: Path) -> None:
    document = json.loads(path.read_text())
    head = {name: document[name] for name in ("kind", "supersedes") if name in document}

    assert document_of(sent_by_browser(document), head) == without_empty(document)


def test_every_member_of_an_alert_has_a_field() -> None:
    """Whoever adds a member to the format adds its field, or nobody can write it."""
    never_typed = {
        "body.classification",
        "thread",
    }  # nothing but unclassified travels; a thread follows from its update

    def members(model: type[BaseModel], at: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            path = f"{at}{field.alias or name}"
            inner = next((one for one in _models(field.annotation)), None)
            is_list = "tuple" in str(field.annotation)
            yield from members(inner, f"{path}{'[]' if is_list else ''}.") if inner else (path,)

    found = {path for body in (AlertUpdateBody, AlertCancelBody) for path in members(body, "body.")}
    assert found - never_typed - set(FIELDS) == set()
    assert set(FIELDS) - found <= {"status", "urgency", "expires", "body.legs", "body.organisers", "body.victims"}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def test_times_lists_and_line_ends_are_read_as_people_type_them() -> None:
    document = document_of(
        [
            ("body.observed_from", " 2026-11-19 21:40 "),
            ("body.observed_to", "2026-11-19T21:40:10Z"),
            ("expires", "2026-02-30 10:00"),
            ("body.platforms", "one\r\n\r\n two \r\n"),
            ("body.request", "first\r\nsecond"),
            ("body.means", ""),
            ("body.legs[0].confirmed", "true"),
            ("body.legs[1].to.country", ""),
            ("body.organisers.group_size", ""),
            ("csrf", "x"),
            ("body.unheard_of", "x"),
        ],
        HEAD,
    )
    assert document == {
        "kind": "route_alert",
        "expires": "2026-02-30 10:00",
        "body": {
            "observed_from": "2026-11-19T21:40:00Z",
            "observed_to": "2026-11-19T21:40:10Z",
            "platforms": ["one", "two"],
            "request": "first\nsecond",
            "legs": [{"confirmed": True}, {"to": {}}],
        },
    }


@given(st.lists(st.tuples(PATHS | st.sampled_from(sorted(FIELDS)), st.text(max_size=20)), max_size=30))
def test_no_field_that_anybody_sends_breaks_the_form(fields: list[tuple[str, str]]) -> None:
    # when anything is sent
    document = document_of(fields, HEAD)

    # then it can be stored, checked and shown again
    data = strict_json.encode(document)
    problems = read_alert_file(data)
    assert isinstance(problems, tuple)
    form = Form(document, WORDS, faults_of(Checked(problems=problems), WORDS))
    for name, field in FIELDS.items():
        at = name.replace("[]", "[0]")
        assert isinstance(form.value(at), str)
        assert form.fault(at) is not None
        assert not field.code_list or form.choices(at)
    assert len(form.places("body.legs")) <= MOST_OF_A_LIST


def test_a_list_grows_no_further_than_a_form_shows() -> None:
    document = document_of([("body.legs[99].confirmed", "true"), ("body.legs[3].confirmed", "true")], HEAD)
    assert member_at(document, "body.legs") == [{}, {}, {}, {"confirmed": True}]


def test_a_fault_leads_to_the_field_in_which_it_is_mended() -> None:
    expected = {
        "$.body.title": "body.title",
        "$.body.legs[1].from": "body.legs",
        "$.body.legs[1].from.country": "body.legs[1].from.country",
        "$.body.acts[2]": "body.acts",
        '$.body.narrative["sr-Latn"]': "body.narrative.sr-Latn",
        "$.body.victims[0].nationalities[1]": "body.victims[0].nationalities",
        "$.body.unheard_of": None,
        "$": None,
    }
    assert {path: shown_field(path) for path in expected} == expected
    assert field_id("body.legs[1].from.country") == "f-body-legs-1-from-country"


@pytest.mark.parametrize("path", sorted((EXAMPLES / "bad").glob("[0-9]*.json")), ids=lambda path: path.stem[:2])
def test_every_fault_of_the_bad_examples_is_said_in_words(path: Path) -> None:
    problems = read_alert_file(path.read_bytes())
    assert isinstance(problems, tuple)
    for fault in faults_of(Checked(problems=problems), WORDS):
        assert fault.said[-1] in ".?!" or fault.field is None
        assert fault.field is None or fault.label


def test_a_limit_is_said_with_both_numbers() -> None:
    problem = Problem("$.body.title", '"AAA…" (10000 characters)', "text of at most 200 characters", "E_LIMIT")
    (fault,) = faults_of(Checked(problems=(problem,)), WORDS)
    assert fault.said == "What is happening? Write at most 200 characters; there are 10000."
