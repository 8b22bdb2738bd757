"""schemas/rules.json is true: each rule is broken alone by a document here, and both judges say what the list says."""

import pytest
from message_samples import CONTROL, SEALED
from verdicts import FILE, problems, rules, schema_accepts, schema_faults
from violations import VIOLATIONS, Edit, original

CASES = [pytest.param(*case, id=f"{case[0]}-{case[1]}-{index}") for index, case in enumerate(VIOLATIONS)]
ORIGINALS = [*SEALED, *CONTROL, *(f"{FILE}:{kind}" for kind in SEALED[:3])]


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_documents_that_rules_are_broken_in_are_right(name: str) -> None:
    document = original(name)
    assert problems(name.partition(":")[0], document) == ()
    assert schema_faults(name.partition(":")[0], document) == []


@pytest.mark.parametrize(("rule", "name", "edit"), CASES)
def test_a_document_that_breaks_one_rule_is_refused_with_its_code_and_nothing_else(
    rule: str, name: str, edit: Edit
) -> None:
    found = problems(name.partition(":")[0], edit(original(name)))
    assert [problem.code for problem in found] == [rules()[rule]["code"]], found


@pytest.mark.parametrize(("rule", "name", "edit"), CASES)
def test_the_schema_finds_exactly_what_the_list_says_it_finds(rule: str, name: str, edit: Edit) -> None:
    accepts = schema_accepts(name.partition(":")[0], edit(original(name)))
    assert accepts != ("schema" in rules()[rule]["enforced_by"])


def test_every_rule_is_broken_in_every_document_that_it_applies_to() -> None:
    shown = {(rule, name.partition(":")[0]) for rule, name, _ in VIOLATIONS}
    listed = {(rule["id"], name) for rule in rules().values() for name in rule["applies_to"]}
    assert shown == listed


def test_every_rule_is_enforced_by_the_domain() -> None:
    assert all(set(rule["enforced_by"]) in ({"domain"}, {"schema", "domain"}) for rule in rules().values())


def test_rules_are_sentences_with_stable_codes() -> None:
    for rule in rules().values():
        assert rule["sentence"].endswith(".")
        assert rule["code"].startswith("E_")
