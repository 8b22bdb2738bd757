"""Wycheproof's vectors for ECDSA P-256 in JOSE form and for JWS, through the bridge's own signature check.

An algorithm that the wire format does not register is refused as such, whatever the vector says of its signature.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from wycheproof_vectors import needs_vectors, vectors_of

from bridge.adapters.jose.signatures import is_signature
from bridge.core.directory import PublicKey
from bridge.core.errors import VerificationError
from bridge.core.wire import base64url
from bridge.core.wire.envelope import parse_envelope

pytestmark = needs_vectors

FAR = datetime(2099, 1, 1, tzinfo=UTC)
P1363 = vectors_of("ecdsa_secp256r1_sha256_p1363_test")
JWS = vectors_of("json_web_signature_test") + vectors_of("json_web_key_test")


def key_of(point: bytes, *, alg: str = "ES256") -> PublicKey:
    return PublicKey("rs.ncp#sig-a", alg, point, FAR, FAR)


def point_of(jwk: dict[str, Any]) -> bytes:
    return b"\x04" + base64url.decode(jwk["x"]) + base64url.decode(jwk["y"])


def alg_of(test: dict[str, Any]) -> str | None:
    """The algorithm in the vector's header, if it has a readable one."""
    compact = test["jws"]
    if not isinstance(compact, str):
        return None
    try:
        header = json.loads(base64url.decode(compact.split(".")[0]))
    except ValueError:
        return None
    alg = header.get("alg") if isinstance(header, dict) else None
    return alg if isinstance(alg, str) else None


def listed(jwk: dict[str, Any]) -> PublicKey | None:
    """The key as a membership list holds it: P-256, pinned to the one algorithm of its use; else it is in no list."""
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        return None
    is_for_signing = jwk.get("use", "sig") == "sig" and "verify" in jwk.get("key_ops", ["verify"])
    return key_of(point_of(jwk), alg=jwk.get("alg", "ES256") if is_for_signing else "ECDH-ES+A256KW")


def es256_vectors() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The vectors of JWS and JWK with one public key that has a curve."""
    found = []
    for group, test in JWS:
        keys = group.get("public", {}).get("keys", [group.get("public", {})])
        found += [(jwk, test) for jwk in keys if jwk.get("crv") in ("P-256", "P-384")]
    return found


def as_envelope(compact: str, *, header: str | None = None) -> bytes:
    """The compact form in the members of our envelope; with as many parts as it has."""
    protected, payload, signature, *_ = [*compact.split("."), "", ""]
    signatures = [{"protected": protected if header is None else header, "signature": signature}]
    return json.dumps({"payload": payload, "signatures": signatures, "sealed": "{}"}).encode()


@pytest.mark.parametrize(("group", "test"), P1363, ids=[f"{test['tcId']}-{test['comment']}" for _, test in P1363])
def test_a_signature_is_judged_as_the_vector_says(group: dict[str, Any], test: dict[str, Any]) -> None:
    # given
    key = key_of(bytes.fromhex(group["publicKey"]["uncompressed"]))
    # when
    accepted = is_signature(key, signing_input=bytes.fromhex(test["msg"]), signature_bytes=bytes.fromhex(test["sig"]))
    # then
    assert accepted is (test["result"] == "valid")


@pytest.mark.parametrize(
    ("jwk", "test"), es256_vectors(), ids=[f"{test['tcId']}-{test['comment']}" for _, test in es256_vectors()]
)
def test_a_jws_under_es256_is_judged_as_the_vector_says(jwk: dict[str, Any], test: dict[str, Any]) -> None:
    # given
    key = listed(jwk)
    # when: three parts of canonical base64url, a header of nothing but what we know, and a key that is in the list
    try:
        protected, payload, signature = test["jws"].split(".")
        header = json.loads(base64url.decode(protected))
        signature_bytes = base64url.decode(signature)
        is_ours = key is not None and header == {"alg": "ES256", "kid": "kid-ec-sign"}
    except ValueError:
        is_ours = False
    accepted = is_ours and is_signature(
        key, signing_input=f"{protected}.{payload}".encode(), signature_bytes=signature_bytes
    )
    # then
    assert accepted is (test["result"] == "valid")


@pytest.mark.parametrize(
    "test",
    [test for _, test in JWS if isinstance(test["jws"], str)],
    ids=lambda test: f"{test['tcId']}-{test['comment']}",
)
def test_a_foreign_jws_is_never_an_envelope(test: dict[str, Any]) -> None:
    # when: valid or not, none of them has our protected header
    with pytest.raises(VerificationError) as refused:
        parse_envelope(as_envelope(test["jws"]))
    # then
    assert refused.value.code in {"E_ENVELOPE", "E_HEADER"}


def test_every_algorithm_of_the_vectors_but_one_is_refused_by_name() -> None:
    # given
    algorithms = {alg for _, test in JWS if (alg := alg_of(test))}
    # when
    refusals = {alg: refusal_of_algorithm(alg) for alg in algorithms}
    # then
    assert refusals.pop("ES256") is None
    assert set(refusals.values()) == {(4, "E_HEADER", "alg is not registered")}
    assert set(refusals) >= {"HS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "none"}


def refusal_of_algorithm(alg: str) -> tuple[int, str, str] | None:
    header = {"alg": alg, "kid": "rs.ncp#sig-a", "typ": "ncp-bridge+jws"}
    try:
        parse_envelope(as_envelope("e30.e30.AAAA", header=base64url.encode(json.dumps(header).encode())))
    except VerificationError as error:
        return error.step, error.code, error.message
    return None


@pytest.mark.parametrize("alg", ["ES521", "ES224", "HS256", "ECDH-ES+A256KW", "none", ""])
def test_a_good_signature_is_none_under_a_key_that_is_pinned_to_another_algorithm(alg: str) -> None:
    # given
    jwk, test = next((jwk, test) for jwk, test in es256_vectors() if test["result"] == "valid")
    protected, payload, signature = test["jws"].split(".")
    signed = {
        "signing_input": f"{protected}.{payload}".encode(),
        "signature_bytes": base64url.decode(signature),
    }
    # then
    assert is_signature(key_of(point_of(jwk)), **signed)
    assert not is_signature(key_of(point_of(jwk), alg=alg), **signed)


def test_the_vectors_are_all_there() -> None:
    assert Counter(test["result"] for _, test in P1363) == {"valid": 173, "invalid": 89}
    assert Counter(test["result"] for _, test in JWS) == {"valid": 51, "invalid": 376}
    assert Counter(test["result"] for _, test in es256_vectors())["valid"] == 2
