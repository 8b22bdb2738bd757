"""Step 7 with two algorithms, as it will be when a second one is registered (wire-format: reserved for later).

Only ES256 is registered today, so the second name is registered for the test alone and its primitive is stood in for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from forging.wire_forge import DIRECTORY, NOW, contact_point, forge, listed_key, protected_of, signature_of

from bridge.adapters.jose.signatures import is_signature
from bridge.core.errors import VerificationError
from bridge.core.verification import Authenticated, Receiver, TrustView, authenticate
from bridge.core.wire import base64url, envelope

if TYPE_CHECKING:
    from forging.wire_forge import Members

    from bridge.core.directory import PublicKey

LATER = "ML-DSA-65"
LISTED = replace(
    DIRECTORY,
    signing_keys={
        "rs.ncp#sig-a": listed_key("rs.ncp#sig-a"),
        "rs.ncp#sig-b": listed_key("rs.ncp#sig-b", alg=LATER),
        "hu.ncp#sig-a": listed_key("hu.ncp#sig-a", alg=LATER),
    },
)
BOTH_WANTED = replace(
    LISTED,
    contact_points={
        **DIRECTORY.contact_points,
        "rs.ncp": contact_point("rs.ncp", signature_policy=("ES256", LATER)),
    },
)


@pytest.fixture(autouse=True)
def _second_algorithm_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "SIGNATURE_ALGORITHMS", frozenset({"ES256", LATER}))


def check(key: PublicKey, *, signing_input: bytes, signature_bytes: bytes) -> bool:
    """ES256 for either name: what matters here is which signatures are asked for, and under which key."""
    return is_signature(replace(key, alg="ES256"), signing_input=signing_input, signature_bytes=signature_bytes)


def signed_also_by(kid: str, *, private: str | None = None) -> bytes:
    def add(members: Members) -> None:
        protected = protected_of(kid, typ="ncp-bridge+jws", changes={"alg": LATER})
        payload_bytes = base64url.decode(members["payload"])
        members["signatures"].append(signature_of(protected, payload_bytes, private=private or kid))

    return forge(edit=add)


def verdict_on(wire_bytes: bytes, *, directory: object = BOTH_WANTED) -> Authenticated | tuple[int, str, str]:
    try:
        return authenticate(
            wire_bytes, trust=TrustView(directory, 42), receiver=Receiver("at", "at.ncp"), now=NOW, hints=None,
            is_signature=check,
        )  # fmt: skip
    except VerificationError as error:
        return error.step, error.code, error.message


@pytest.mark.parametrize("directory", [LISTED, BOTH_WANTED], ids=["one-wanted", "both-wanted"])
def test_two_good_signatures_of_one_owner_are_accepted(directory: object) -> None:
    assert isinstance(verdict_on(signed_also_by("rs.ncp#sig-b"), directory=directory), Authenticated)


@pytest.mark.parametrize("directory", [LISTED, BOTH_WANTED], ids=["one-wanted", "both-wanted"])
def test_one_bad_signature_beside_a_good_one_is_refused_whether_it_is_wanted_or_not(directory: object) -> None:
    # when
    verdict = verdict_on(signed_also_by("rs.ncp#sig-b", private="rs.ncp#sig-other"), directory=directory)
    # then
    assert verdict == (7, "E_SIGNATURE", "the signature of rs.ncp#sig-b does not verify")


def test_two_good_signatures_of_two_owners_are_refused() -> None:
    assert verdict_on(signed_also_by("hu.ncp#sig-a"), directory=LISTED) == (
        7, "E_SIG_POLICY", "signatures of several owners",
    )  # fmt: skip


def test_a_message_without_the_second_algorithm_is_refused_once_the_owner_must_use_it() -> None:
    assert verdict_on(forge()) == (7, "E_SIG_POLICY", "rs.ncp signs with ES256 and ML-DSA-65")


def test_a_key_is_used_under_its_own_algorithm_only() -> None:
    assert verdict_on(signed_also_by("rs.ncp#sig-a"))[:2] == (6, "E_ALG")
