"""Steps 15 to 17: open the sealed body, hold it against what was signed, and read it.

Rules:
1. The one entry that is ours is chosen by its key id; other keys are never tried.
2. The plaintext is compared with the signed commitment before it is parsed.
3. `VerifiedMessage` comes out of here and from nowhere else.
4. A refusal says nothing that stands in the body, neither text nor a member's name that the format does not have.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from bridge.core.errors import VerificationError
from bridge.core.ids import owner_of
from bridge.core.messages import ReadBody, Reference, impersonal, read_body
from bridge.core.verification.authenticate import Authenticated, AuthenticatedRefusal
from bridge.core.verification.ports import OpeningError, OpeningKeys
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.payload import SealedPayload
from bridge.core.wire.sealed import SealedBody, SealedFormError, parse_sealed, seal_binding

_PROOF = object()
FROM_ORIGINATOR = frozenset({"alert_update", "alert_cancel"})


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A message that passed steps 1 to 17 for one contact point, with its opened body."""

    message: Authenticated
    payload: SealedPayload
    body: ReadBody = field(repr=False)
    plaintext_bytes: bytes = field(repr=False)
    proof: object = field(repr=False)

    def __post_init__(self) -> None:
        """Refuses to exist without having been verified."""
        if self.proof is not _PROOF:
            message = "a VerifiedMessage is made by open_message only"
            raise TypeError(message)

    @property
    def supersedes(self) -> Reference | None:
        """The earlier message that an update or a cancellation replaces."""
        return self.body.supersedes


def open_message(message: Authenticated, *, contact_point: str, keys: OpeningKeys) -> VerifiedMessage:
    """Steps 15 to 17 for the contact point whose opening keys are given.

    Raises:
        AuthenticatedRefusal: with the step and code of the first failure.
        TypeError: for a control message, which has no body.
    """
    payload, sealed = message.payload, message.envelope.sealed
    if not isinstance(payload, SealedPayload) or sealed is None:
        fault = f"{payload.kind} has no sealed body"
        raise TypeError(fault)
    try:
        plaintext_bytes = _open(payload, sealed, contact_point, keys)  # 15
        _check_commitment(payload, plaintext_bytes)  # 16
        body = _read(payload, plaintext_bytes)  # 17
    except VerificationError as error:
        raise AuthenticatedRefusal(error, message) from None
    return VerifiedMessage(message, payload, body, plaintext_bytes, _PROOF)


def check_originator(verified: VerifiedMessage, *, originator: str | None) -> None:
    """The last check of step 17: an update or cancel comes from whoever began the thread.

    Args:
        verified: an opened message.
        originator: who began the thread as far as this contact point knows, or `None`.

    Raises:
        AuthenticatedRefusal: `E_NOT_ORIGINATOR`.
    """
    if verified.payload.kind in FROM_ORIGINATOR and originator not in (None, verified.payload.sender):
        raise AuthenticatedRefusal(_not_originator(), verified.message)


def _open(payload: SealedPayload, sealed: str, contact_point: str, keys: OpeningKeys) -> bytes:
    try:
        body = parse_sealed(sealed)
    except SealedFormError as error:
        raise VerificationError(15, "E_SEAL", str(error)) from None
    if body.aad != seal_binding(payload.id, payload.sender, payload.to):
        raise VerificationError(15, "E_SEAL_BINDING", "the sealed body belongs to another message")
    return _decrypt(payload, body, contact_point, keys)


def _decrypt(payload: SealedPayload, body: SealedBody, contact_point: str, keys: OpeningKeys) -> bytes:
    if sorted(owner_of(entry.kid) for entry in body.entries) != list(payload.to):
        raise VerificationError(15, "E_RECIPIENTS", "sealed to others than the signed recipients")
    (entry,) = (entry for entry in body.entries if owner_of(entry.kid) == contact_point)
    if not keys.holds(entry.kid):
        raise VerificationError(15, "E_NO_KEY", f"sealed to {entry.kid}, which is not held here")
    try:
        return keys.open(body, entry)
    except OpeningError:
        raise VerificationError(15, "E_DECRYPT", "the sealed body does not open") from None


def _check_commitment(payload: SealedPayload, plaintext_bytes: bytes) -> None:
    if base64url.encode(hashlib.sha256(plaintext_bytes).digest()) != payload.body_sha256:
        raise VerificationError(16, "E_COMMITMENT", "the body is not the one that was signed")


def _read(payload: SealedPayload, plaintext_bytes: bytes) -> ReadBody:
    try:
        members = strict_json.parse_object(plaintext_bytes)
    except strict_json.StrictJsonError as error:
        raise VerificationError(17, "E_BODY", str(error)) from None
    body = read_body(payload.kind, payload.schema_urn, members, sent=payload.sent, status=payload.status)
    if isinstance(body, tuple):
        raise VerificationError(17, "E_BODY_SCHEMA", impersonal(body[0]))
    if payload.kind in FROM_ORIGINATOR and body.supersedes is not None and body.supersedes.sender != payload.sender:
        raise _not_originator()
    return body


def _not_originator() -> VerificationError:
    return VerificationError(17, "E_NOT_ORIGINATOR", "only the originator updates or cancels an alert")
