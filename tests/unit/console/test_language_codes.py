import re

import pytest

from bridge.app.accounts.roles import Role
from bridge.console.language.codes import LABELS
from bridge.core.vocabulary import CODE_LISTS, KINDS

LISTS = {name: codes for name, codes in CODE_LISTS.items() if name != "country"} | {
    "kind": KINDS,
    "role": tuple(Role),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_code_has_a_label(name: str) -> None:
    unlabelled = set(LISTS[name]) - set(LABELS[name])

    assert all(re.fullmatch(r"[\d-]+", code) for code in unlabelled), unlabelled
    assert set(LABELS[name]) <= set(LISTS[name])


@pytest.mark.parametrize("name", LABELS)
def test_no_two_codes_of_a_list_look_the_same(name: str) -> None:
    labels = list(LABELS[name].values())

    assert len(set(labels)) == len(labels)


def test_a_label_begins_with_a_capital_letter_and_has_no_full_stop() -> None:
    labels = [label for labels in LABELS.values() for label in labels.values()]

    assert [label for label in labels if label[0].islower() or label.endswith(".")] == []
