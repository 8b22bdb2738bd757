"""Every code of the verification table, each reached in at least two ways, and nothing else in its place.

The cases stand in tests/forging. Step 14 refuses nothing and belongs to the store.
"""

from __future__ import annotations

from collections import Counter

import pytest
from forging import refusals_before_proof, refusals_of_bodies, refusals_of_the_proven
from forging.refusals_before_proof import Case
from forging.wire_forge import receive

from bridge.core.errors import VerificationError
from bridge.core.verification import HELD_CODES, AuthenticatedRefusal

CASES: list[Case] = [*refusals_before_proof.CASES, *refusals_of_the_proven.CASES, *refusals_of_bodies.CASES]

# The table of wire-format.md, row by row. E_RECEIPT stands in its text: what follows step 12 for control messages.
TABLE = {
    1: ["E_SIZE"],
    2: ["E_JSON"],
    3: ["E_ENVELOPE"],
    4: ["E_HEADER"],
    5: ["E_TRUST_STALE"],
    6: ["E_KEY_UNKNOWN", "E_KEY_REVOKED", "E_KEY_EXPIRED", "E_ALG"],
    7: ["E_SIG_POLICY", "E_SIGNATURE"],
    8: ["E_PAYLOAD", "E_SCHEMA", "E_NETWORK", "E_SEAL_DIGEST"],
    9: ["E_SENDER", "E_ROUTE_MISMATCH"],
    10: ["E_NOT_RECIPIENT"],
    11: ["E_NOT_AUTHORISED", "E_STATUS"],
    12: ["E_FUTURE", "E_KEY_EXPIRED", "E_EXPIRED", "E_LIFETIME", "E_ID"],
    13: ["E_EQUIVOCATION", "E_RECEIPT"],
    15: ["E_SEAL", "E_SEAL_BINDING", "E_RECIPIENTS", "E_NO_KEY", "E_DECRYPT"],
    16: ["E_COMMITMENT"],
    17: ["E_BODY", "E_BODY_SCHEMA", "E_NOT_ORIGINATOR"],
}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.step}-{case.code}-{case.name}" for case in CASES])
def test_a_forged_message_fails_at_its_step_with_its_code(case: Case) -> None:
    # given
    arrival = case.arrival()
    # when
    with pytest.raises(VerificationError) as refused:
        receive(arrival)
    # then
    assert (refused.value.step, refused.value.code) == (case.step, case.code), refused.value.message
    is_owed_an_answer = case.step >= 9 and case.code != "E_RECEIPT"
    assert isinstance(refused.value, AuthenticatedRefusal) is is_owed_an_answer


def test_every_code_of_the_table_is_reached_in_two_ways_or_more() -> None:
    # when
    reached = Counter((case.step, case.code) for case in CASES)
    # then
    assert set(reached) == {(step, code) for step, codes in TABLE.items() for code in codes}
    assert min(reached.values()) >= 2


def test_no_two_cases_have_the_same_name() -> None:
    assert len({(case.step, case.code, case.name) for case in CASES}) == len(CASES)


def test_three_codes_are_held() -> None:
    assert {"E_TRUST_STALE", "E_KEY_UNKNOWN", "E_FUTURE"} == HELD_CODES
