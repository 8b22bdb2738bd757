"""The wire vectors, judged by two foreign implementations as far as those go: what they refuse has the vector's code.

The peers have no clock, no membership list, no store and no rules of bodies: what only those decide they take.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jwcrypto_peer
import node_peer
import pytest
from forging.read_vectors import FILES, FOLDER, Vector, read_vector, wire_of
from refused import RefusedError

if TYPE_CHECKING:
    from jwcrypto_peer import Jwk

pytestmark = pytest.mark.node

# What the peers judge, by code; of the codes below in part only, and what they take of those is named.
JUDGED = {
    "E_SIZE", "E_JSON", "E_ENVELOPE", "E_HEADER", "E_KEY_UNKNOWN", "E_SIGNATURE", "E_PAYLOAD", "E_SEAL_DIGEST",
    "E_SENDER", "E_SEAL", "E_SEAL_BINDING", "E_RECIPIENTS", "E_DECRYPT", "E_COMMITMENT", "E_BODY",
}  # fmt: skip
IN_PART = {"E_SIG_POLICY", "E_SCHEMA", "E_ROUTE_MISMATCH", "E_NOT_RECIPIENT", "E_NO_KEY", "E_BODY_SCHEMA"}
# A receipt's members are read with the payload there, and after step 12 here: both refuse, the step is another.
SOONER = {
    "13-receipt-a-member-more", "13-receipt-a-state-that-is-none", "13-receipt-delivered-with-a-code",
    "13-receipt-rejected-without-a-code",
}  # fmt: skip
KEYS: dict[str, Jwk] = {each.pop("kid"): each for each in json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"]}
# The lists differ in the times of keys and in nothing that the peers read.
SIGNING: dict[str, Jwk] = {
    key["kid"]: key["jwk"]
    for network in FOLDER.glob("network-*.json")
    for point in json.loads(network.read_text("utf-8"))["contact_points"]
    for key in point["keys"]
    if key["alg"] == "ES256"
}
AT = "at.ncp"


def opening_key(vector: Vector) -> tuple[str, Jwk] | None:
    """The recipient's key that the message is sealed to; none where nothing is opened."""
    wire_bytes = wire_of(vector)
    if vector["recipient"] != AT or b'"sealed":' not in wire_bytes.replace(b'" :', b'":'):
        return None
    kid = "at.ncp#enc-old" if vector["name"] == "00-sealed-to-the-old-key" else "at.ncp#enc-a"
    return kid, KEYS[kid]


def is_right(vector: Vector, code: str | None) -> bool:
    """Whether a peer's verdict agrees with the vector as far as the peer goes."""
    expected = vector["code"]
    if expected in JUDGED or expected is None:
        return code == expected
    if vector["name"] in SOONER:
        return code == "E_SCHEMA"
    return code in ({expected, None} if expected in IN_PART else {None})


def by_jwcrypto(vector: Vector) -> str | None:
    wire_bytes, opening = wire_of(vector), opening_key(vector)
    try:
        if opening is None:
            jwcrypto_peer.verify(wire_bytes, signing_public=SIGNING)
        else:
            jwcrypto_peer.read_message(wire_bytes, signing_public=SIGNING, opening=opening)
    except RefusedError as refused:
        return refused.code
    return None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_jwcrypto_judges_a_vector_as_it_says(file: Path) -> None:
    vector = read_vector(file)
    assert is_right(vector, by_jwcrypto(vector))


def test_node_judges_the_vectors_as_they_say() -> None:
    # given: one process for each key that opens
    groups: dict[str | None, list[Vector]] = {}
    for vector in map(read_vector, FILES):
        opening = opening_key(vector)
        groups.setdefault(opening and opening[0], []).append(vector)
    wrong = []
    # when
    for kid, vectors in groups.items():
        opening = None if kid is None else (kid, KEYS[kid])
        answers = node_peer.read_each(list(map(wire_of, vectors)), signing_public=SIGNING, opening=opening)
        codes = (answer.code if isinstance(answer, RefusedError) else None for answer in answers)
        wrong += [
            (vector["name"], code) for vector, code in zip(vectors, codes, strict=True) if not is_right(vector, code)
        ]
    # then
    assert wrong == []


def test_the_peers_refuse_most_of_what_is_refused() -> None:
    refused = [vector for vector in map(read_vector, FILES) if vector["outcome"] in {"refused", "held"}]
    assert sum(by_jwcrypto(vector) is not None for vector in refused) > len(refused) // 2
