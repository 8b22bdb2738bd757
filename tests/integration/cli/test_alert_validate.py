"""`alert validate`: every sample, good or bad, as a file and from standard input."""

from __future__ import annotations

import json

import pytest
from cli_commands import ALERTS, BAD, say

GOOD = sorted(entry["file"] for entry in json.loads((ALERTS / "manifest.json").read_text("utf-8")))
FAULTY = json.loads((BAD / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("file", GOOD)
def test_a_good_sample_is_valid(file: str) -> None:
    from_file = say("alert", "validate", ALERTS / file, "--json")
    from_input = say("alert", "validate", "-", "--json", stdin_bytes=(ALERTS / file).read_bytes())

    assert from_file.status == from_input.status == 0
    assert (from_file.json["ok"], from_file.json["errors"]) == (True, [])
    assert from_input.json == from_file.json
    assert from_file.err == ""


@pytest.mark.parametrize("file", FAULTY)
def test_a_bad_sample_is_said_to_be_bad_where_it_is(file: str) -> None:
    # when
    for_machines, for_people = say("alert", "validate", BAD / file, "--json"), say("alert", "validate", BAD / file)

    # then
    assert for_machines.status == for_people.status == 2
    assert for_machines.json["ok"] is False
    problems = for_machines.json["errors"]
    assert (FAULTY[file]["code"], FAULTY[file]["path"]) in [(problem["code"], problem["path"]) for problem in problems]
    for problem in problems:
        assert {"path", "found", "expected", "code"} <= problem.keys()
        assert problem["path"].startswith("$")
        assert problem["found"]
        assert problem["expected"]
        assert f"{problem['path']}: found {problem['found']}, expected {problem['expected']}" in for_people.out
        assert f"did you mean {problem.get('suggestion')}?" in for_people.out or "suggestion" not in problem


def test_a_near_miss_is_met_with_the_right_word() -> None:
    said = say("alert", "validate", BAD / "01-near-miss-exploitation.json", "--json")

    assert [problem["suggestion"] for problem in said.json["errors"]] == ["forced_labour_or_services"]


def test_what_looks_like_personal_data_is_pointed_at_but_does_not_make_it_invalid() -> None:
    # given
    alert = json.loads((ALERTS / GOOD[0]).read_text("utf-8"))
    alert["body"]["request"] = "Call +381 11 123 4567"

    # when
    said = say("alert", "validate", "-", "--json", stdin_bytes=json.dumps(alert).encode())

    # then
    assert said.status == 0
    assert ["$.body.request" in warning for warning in said.json["warnings"]] == [True]
    assert "123 4567" not in said.out


def test_an_empty_input_is_bad_input() -> None:
    said = say("alert", "validate", "-", "--json")

    assert said.status == 2
    assert [problem["code"] for problem in said.json["errors"]] == ["E_JSON"]
