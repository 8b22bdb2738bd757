"""The bad samples: one fault each, and exactly that fault is reported, where it is."""

from __future__ import annotations

import json

import pytest
from sample_files import BAD

from bridge.core.messages import AlertFile, read_alert_file

EXPECTED: dict[str, dict[str, str]] = json.loads((BAD / "expected.json").read_bytes())


def test_every_bad_sample_has_its_expected_fault_and_there_are_many_of_many_sorts() -> None:
    assert list(EXPECTED) == sorted(path.name for path in BAD.glob("[0-9]*.json"))
    assert len(EXPECTED) >= 18
    assert len({fault["code"] for fault in EXPECTED.values()}) >= 15


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bad_sample_is_refused_for_its_one_fault(name: str) -> None:
    # given
    data = (BAD / name).read_bytes()
    # when
    problems = read_alert_file(data)
    # then
    assert not isinstance(problems, AlertFile)
    assert [{"code": problem.code, "path": problem.path} for problem in problems] == [EXPECTED[name]]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("01-near-miss-exploitation.json", "forced_labour_or_services"),
        ("02-near-miss-transport-mode.json", "road"),
        ("08-accuracy-as-number.json", "2"),
        ("11-unknown-member.json", "exploitation"),
        ("26-country-by-name.json", "HU"),
        ("27-country-uk.json", "GB"),
        ("40-unknown-kind.json", "route_alert"),
    ],
)
def test_a_near_miss_is_answered_with_the_value_that_was_meant(name: str, suggestion: str) -> None:
    problems = read_alert_file((BAD / name).read_bytes())
    assert not isinstance(problems, AlertFile)
    assert problems[0].suggestion == suggestion
