"""Two judges, one verdict: over generated documents, the published schema and the models agree.

Where only the domain enforces a rule, the schema may accept what the models refuse, and the refusal's code says so.
"""

from __future__ import annotations

from collections import Counter

from bent_documents import documents
from hypothesis import HealthCheck, given, settings
from message_samples import Document
from verdicts import problems, rules, schema_accepts, schema_faults

DOMAIN_ONLY = {
    (name, rule["code"])
    for rule in rules().values()
    if rule["enforced_by"] == ["domain"]
    for name in rule["applies_to"]
}
DOCUMENTS = 600


def test_models_and_schemas_agree_on_six_hundred_documents_more_than_half_of_them_bad() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=DOCUMENTS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(documents())
    def judge(case: tuple[str, Document]) -> None:
        name, document = case
        found, accepted = problems(name, document), schema_accepts(name, document)
        codes = {(name, problem.code) for problem in found}
        if accepted:
            assert codes <= DOMAIN_ONLY, [problem.sentence() for problem in found]
        else:
            assert codes, schema_faults(name, document)
        seen["bad" if found else "good"] += 1
        seen[f"{name} {'bad' if found else 'good'}"] += 1
        seen["domain only"] += bool(accepted and found)

    judge()

    assert seen["good"] + seen["bad"] >= DOCUMENTS
    assert seen["bad"] * 2 >= DOCUMENTS
    assert seen["good"] * 10 >= DOCUMENTS
    assert seen["domain only"] >= 6
    assert len([key for key in seen if " good" in key or " bad" in key]) == 18, seen
