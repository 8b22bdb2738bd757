"""What reads a stranger's bytes, one target each, as the fuzzer and the kept corpus call it.

The first byte of an input names its target. Every target promises the same: it answers, or it refuses with the error of
its kind; any other exception is a finding, and so is a document that a common parser reads differently. Signatures are
taken for good, so that what lies behind them is reached.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from forging.wire_forge import (
    DIRECTORY,
    NOW,
    RECEIVER,
    body_of,
    contact_point,
    digest,
    payload_of,
    protected_of,
    reference,
    to_json,
)

from bridge.adapters.certificates.requests import common_name, read_requests
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import StoredOpeningKeys, seal
from bridge.adapters.trust.governance.publication import read_publication
from bridge.adapters.trust.membership.documents import contact_point_document, keys_document, network_document
from bridge.adapters.trust.membership.forms import (
    NOTHING_REVOKED,
    ContactPointDocument,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    read_document,
    write_document,
)
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, VerificationError
from bridge.core.messages import read_alert_file, read_body, read_control
from bridge.core.messages.directory_notice import unpack_files
from bridge.core.verification import OpeningError, TrustView, authenticate, control_of, open_message
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.sealed import SealedFormError, parse_sealed, sealed_text
from bridge.founding.joining import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

KID: Final = "at.ncp#enc-a"
KEYS: Final = StoredOpeningKeys(PrivateKeys({KID: ec.derive_private_key(7, ec.SECP256R1())}))  # the same in every run
BODY_KINDS: Final = ("route_alert", "alert_update", "alert_cancel", "acknowledgement", "directory_notice")
CONTROL_KINDS: Final = ("receipt", "heartbeat", "resend_request")
FORMS: Final = (NetworkDocument, ContactPointDocument, KeysDocument, RevocationsDocument)


def wire(data: bytes) -> None:
    """A message as it comes out of a queue."""
    with contextlib.suppress(VerificationError):
        _receive(data)
        _read_alike(data)


def payload(data: bytes) -> None:
    """What a member signs as a message."""
    _signed(data, typ="ncp-bridge+jws")


def control(data: bytes) -> None:
    """What a member signs as a control message."""
    _signed(data, typ="ncp-bridge-control+jws")


def sealed(data: bytes) -> None:
    """What a member seals, digested and signed as it should be."""
    with contextlib.suppress(SealedFormError, OpeningError):
        body = parse_sealed(data.decode("utf-8", "replace"))
        for entry in body.entries:
            if KEYS.holds(entry.kid):
                KEYS.open(body, entry)


def body(data: bytes) -> None:
    """What stands under a seal, and what a control message says; the first byte names the kind."""
    kind, plaintext = BODY_KINDS[data[0] % len(BODY_KINDS)], data[1:]
    control_kind = CONTROL_KINDS[data[0] % len(CONTROL_KINDS)]
    with contextlib.suppress(strict_json.StrictJsonError):
        members = strict_json.parse_object(plaintext)
        read_body(kind, f"urn:ncp-bridge:{kind}:1.0", members, sent=NOW, status="actual")
        read_body(kind, f"urn:ncp-bridge:{kind}:1.9", members, sent=NOW, status="exercise")
        read_control(control_kind, f"urn:ncp-bridge:{control_kind}:1.0", members)
        _read_alike(plaintext)


def trust_document(data: bytes) -> None:
    """A document of the membership list, as a role signs it; the first byte names its form."""
    with contextlib.suppress(BadInputError):
        document = read_document(FORMS[data[0] % len(FORMS)], data[1:])
        if read_document(type(document), write_document(document)) != document:
            message = "a document is read differently once it was written"
            raise AssertionError(message)


def publication(data: bytes) -> None:
    """A change of the membership list, as it goes from hand to hand."""
    with contextlib.suppress(BadInputError):
        read_publication(data)


def list_notice(data: bytes) -> None:
    """The files of a membership list that came through the bridge, packed as they should be or not."""
    for packed in (zlib.compress(data), data):
        with contextlib.suppress(ValueError):
            unpack_files(base64url.encode(packed))


def join_request(data: bytes) -> None:
    """What somebody sends who wants to be admitted."""
    with contextlib.suppress(BadInputError):
        request_of(data)


def certificate_request(data: bytes) -> None:
    """What a member sends to get a certificate."""
    with contextlib.suppress(BadInputError):
        read_requests(data)


def alert_file(data: bytes) -> None:
    """An alert as an officer or another program wrote it."""
    read_alert_file(data)


TARGETS: Final[dict[bytes, Callable[[bytes], None]]] = {
    b"W": wire,
    b"P": payload,
    b"C": control,
    b"S": sealed,
    b"B": body,
    b"T": trust_document,
    b"U": publication,
    b"A": alert_file,
    b"N": list_notice,
    b"J": join_request,
    b"R": certificate_request,
}


def try_input(data: bytes) -> None:
    """Calls the target that the input names; an input that names none or says nothing more is left alone."""
    target = TARGETS.get(data[:1])
    if target is not None and len(data) > 1:
        target(data[1:])


def seeds() -> list[bytes]:
    """One good input or more for each target, to begin with."""
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_numbers()
    point_bytes = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    key = PublicKey(KID, "ECDH-ES+A256KW", point_bytes, use_until=NOW, verify_until=NOW.replace(year=NOW.year + 1))
    plaintext = to_json({"salt": "A" * 43} | body_of())
    of = {"id": payload_of()["id"], "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}
    lane = {"first": 1, "last": 9}
    controls = [
        ("receipt", {"state": "rejected", "code": "E_DECRYPT", "of": of}),
        ("heartbeat", {"epoch": 1, "urgent": lane, "normal": lane, "void": []}),
        ("resend_request", {"epoch": 1, "lane": "urgent", "numbers": [1, 2]}),
    ]
    good = to_json(payload_of() | {"sealed_sha256": digest(b"{}"), "body_sha256": "A" * 43})
    update = body_of() | {"salt": "A" * 43, "supersedes": reference("rs.ncp"), "change_summary": "x"}
    accounts = {"relay": "at-relay", "router": "at-router", "inbox": "at-inbox-ncp"}
    documents = [
        network_document("see", {"RS", "AT"}, ["at.ncp", "rs.ncp"]),
        contact_point_document(contact_point("at.ncp", accounts=accounts)),
        keys_document("at", [key]),
        NOTHING_REVOKED,
    ]
    return [
        b"W" + _envelope(good, typ="ncp-bridge+jws"),
        b"P" + good,
        *(b"C" + to_json(_control_payload(kind, said)) for kind, said in controls),
        b"S" + sealed_text(seal(b"a body", recipients=[key], aad="AAAA")).encode(),
        *(b"B" + bytes([number]) + to_json(one) for number, one in enumerate((json.loads(plaintext), update))),
        *(b"T" + bytes([FORMS.index(type(one))]) + write_document(one) for one in documents),
        b"U" + to_json({"v": 1, "network": "see", "metadata": {"root": "{}"}, "documents": {"network.json": "{}"}}),
        b"N" + to_json({"metadata/timestamp.json": "{}"}),
        b"J" + to_json(_join_request()),
        b"R" + _certificate_request(),
        b"A" + to_json({"kind": "route_alert", "status": "actual", "urgency": "expected", "body": body_of()}),
    ]


def _signed(payload_bytes: bytes, *, typ: str) -> None:
    with contextlib.suppress(VerificationError):
        _receive(_envelope(payload_bytes, typ=typ))
        _read_alike(payload_bytes)


def _envelope(payload_bytes: bytes, *, typ: str) -> bytes:
    part = {"protected": protected_of("rs.ncp#sig-a", typ=typ, changes={}), "signature": "A" * 86}
    envelope: dict[str, object] = {"payload": base64url.encode(payload_bytes), "signatures": [part]}
    return to_json(envelope if "control" in typ else envelope | {"sealed": "{}"})


def _control_payload(kind: str, said: object) -> dict[str, object]:
    members = {name: value for name, value in payload_of(kind, to=["at.ncp"]).items() if name != "seq"}
    return members | {"control": said}


def _join_request() -> dict[str, object]:
    key = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00" * 32}}
    change = to_json({"v": 1, "network": "see", "metadata": {"member-rs": "{}"}, "documents": {}}).decode()
    said = {"v": 1, "network": "see", "member": "rs", "contact_points": {"rs.ncp": "Desk"}, "member_key": key}
    return said | {"publication": change, "proofs": {"rs.ncp#sig-a": "A" * 86}, "certificates": {}}


def _certificate_request() -> bytes:
    request = x509.CertificateSigningRequestBuilder().subject_name(common_name("rs-relay"))
    return request.sign(ec.derive_private_key(7, ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)


def _receive(wire_bytes: bytes) -> None:
    message = authenticate(
        wire_bytes,
        trust=TrustView(DIRECTORY, DIRECTORY.version),
        receiver=RECEIVER,
        now=NOW,
        hints=None,
        is_signature=lambda *_, **__: True,
    )
    if message.envelope.is_control:
        control_of(message)
    else:
        open_message(message, contact_point="at.ncp", keys=KEYS)


def _read_alike(data: bytes) -> None:
    """What the strict parser takes, a common one reads as the same value."""
    if strict_json.parse(data) != json.loads(data):
        message = "two parsers read different values"
        raise AssertionError(message)
