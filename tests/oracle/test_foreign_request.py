"""A request to join that another implementation makes from docs/integrate/join.md alone: standard library and P-256."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.founding.joining import request_of

P256 = ec.SECP256R1()


def canonical(value: object) -> bytes:
    """Sorted members, no blanks, and nothing escaped but quotation mark and backslash (here there is neither)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def public_key(kid: str, alg: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    times = {"use_until": "2027-11-27T12:00:00.000Z", "verify_until": "2027-12-28T12:00:00.000Z"}
    return {"kid": kid, "alg": alg, "point": base64url(point), **times, "revoked_at": None}


def jose_signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> str:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def foreign_request() -> bytes:
    member, signing, sealing = (ec.generate_private_key(P256) for _ in range(3))
    pem = member.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    member_key = {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": pem}}
    # the PEM's line feeds stand in the canonical form as they are, unescaped
    keyid = sha256(canonical(member_key).replace(b"\\n", b"\n"))
    keys = [public_key("rs.ncp#sig-1", "ES256", signing), public_key("rs.ncp#enc-1", "ECDH-ES+A256KW", sealing)]
    document = json.dumps({"v": 2, "member": "rs", "contact_points": {"rs.ncp": keys}})
    digest = sha256(document.encode())
    signed = {
        "_type": "targets",
        "version": 1,
        "spec_version": "1.0.31",
        "expires": "2028-11-26T12:00:00Z",
        "targets": {"keys/rs.json": {"length": len(document.encode()), "hashes": {"sha256": digest}}},
    }
    signature = member.sign(canonical(signed), ec.ECDSA(SHA256())).hex()
    metadata = json.dumps({"signed": signed, "signatures": [{"keyid": keyid, "sig": signature}]})
    publication = {
        "v": 1,
        "network": "see",
        "metadata": {"member-rs": metadata},
        "documents": {"keys/rs.json": document},
    }
    proof = f"ncp-bridge-join-1\nsee\nrs.ncp#sig-1\n{keyid}\n{digest}".encode()
    request = {
        "v": 1,
        "network": "see",
        "member": "rs",
        "contact_points": {"rs.ncp": "National contact point, Serbia"},
        "member_key": member_key,
        "publication": json.dumps(publication),
        "proofs": {"rs.ncp#sig-1": jose_signature(signing, proof)},
    }
    return json.dumps(request, indent=1).encode()


def test_a_request_made_from_the_description_alone_is_read() -> None:
    data = foreign_request()

    request = request_of(data)

    assert request.sha256 == sha256(data)
    assert [key.kid for key in request.keys] == ["rs.ncp#sig-1", "rs.ncp#enc-1"]
    assert request.keys[0].use_until == datetime(2027, 11, 27, 12, tzinfo=UTC)
