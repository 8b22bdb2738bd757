"""Steps 1 to 12: who sent this, may they, and is it for us. The numbers are those of the wire format's table.

Rules:
1. The first failure names step and code; nothing after it is looked at.
2. Signed content is opaque bytes until step 8. No field of it decides anything before.
3. Nothing from the unsigned hints is believed; they can only lead to a refusal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from bridge.core.broker_names import alert_key
from bridge.core.directory import ContactPoint, Directory, PublicKey
from bridge.core.errors import VerificationError
from bridge.core.ids import owner_of, prefix_of, time_of
from bridge.core.messages import is_known_schema
from bridge.core.verification.hints import Hints
from bridge.core.verification.ports import SignatureCheck
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.envelope import Envelope, parse_envelope
from bridge.core.wire.payload import CONTROL_KINDS, AnyPayload, SealedPayload, first_fault, read_payload

CLOCK_TOLERANCE: Final = timedelta(seconds=120)
MAX_LIFETIME: Final = timedelta(days=30)
# Compares the signer with the sender that is named: what got this far has a known signer, what got past it is from
# whom it says.
SENDER_STEP: Final = 9


@dataclass(frozen=True, slots=True)
class TrustView:
    """The membership list to judge by, and the highest version ever seen (rollback protection)."""

    directory: Directory
    highest_version: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """On whose behalf a message is verified.

    Attributes:
        prefix: the lower-case country or organisation prefix.
        contact_point: the recipient; `None` for a router, which acts for every contact point of its prefix.
    """

    prefix: str
    contact_point: str | None = None


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A message that passed steps 1 to 12: its sender is proven; a sealed body has not been opened."""

    payload: AnyPayload
    payload_sha256: str
    envelope: Envelope
    sender: ContactPoint
    key: PublicKey
    wire_bytes: bytes

    @property
    def key_of_message(self) -> tuple[str, str]:
        """(signer, `id`): what identifies a message. Not `from`, which step 9 may just have refused."""
        return self.sender.id, self.payload.id


class _Step:
    """Raises for one numbered step, so that each block below repeats its number once."""

    def __init__(self, number: int) -> None:
        self._number = number

    def refuse(self, code: str, detail: str) -> VerificationError:
        return VerificationError(self._number, code, detail)


def authenticate(
    wire_bytes: bytes,
    *,
    trust: TrustView,
    receiver: Receiver,
    now: datetime,
    hints: Hints | None,
    is_signature: SignatureCheck,
) -> Authenticated:
    """Steps 1 to 12.

    Args:
        wire_bytes: the message as it arrived.
        trust: the membership list to judge by.
        receiver: a contact point, or a router.
        now: the clock, aware UTC.
        hints: the unsigned properties; `None` where there are none (a file), then that part of step 9 is left out.
        is_signature: the signature primitive.

    Raises:
        VerificationError: with the step and code of the first failure; from step 9 on an `AuthenticatedRefusal`.
    """
    envelope = parse_envelope(wire_bytes)  # 1 to 4
    _check_list(trust, now)  # 5
    keys = [_signing_key(trust.directory, part.kid, part.alg, now) for part in envelope.signatures]  # 6
    owner = _check_signatures(trust.directory, envelope, keys, is_signature)  # 7
    payload = _read_payload(envelope, trust.directory.network)  # 8
    proven = Authenticated(
        payload=payload,
        payload_sha256=base64url.encode(hashlib.sha256(envelope.payload_bytes).digest()),
        envelope=envelope,
        sender=owner,
        key=keys[0],
        wire_bytes=wire_bytes,
    )
    try:
        _check_sender(proven, receiver, hints)  # 9
        _check_recipient(payload, receiver)  # 10
        _check_authority(proven, trust.directory, receiver)  # 11
        _check_times(payload, keys, now)  # 12
    except VerificationError as error:
        raise AuthenticatedRefusal(error, proven) from None
    return proven


class AuthenticatedRefusal(VerificationError):  # noqa: N818 - a refusal that is owed an answer, not a fault of ours
    """Refused at step 9 or later: the signer is proven and is owed a signed `rejected` (unless the code is held)."""

    def __init__(self, cause: VerificationError, proven: Authenticated) -> None:
        super().__init__(cause.step, cause.code, cause.message)
        self.proven = proven


def _check_list(trust: TrustView, now: datetime) -> None:
    step = _Step(5)
    if trust.directory.version < trust.highest_version:
        detail = f"membership list {trust.directory.version} is older than {trust.highest_version}, seen before"
        raise step.refuse("E_TRUST_STALE", detail)
    if now >= trust.directory.expires:
        raise step.refuse("E_TRUST_STALE", "the membership list was last confirmed more than 45 days ago")


def _signing_key(directory: Directory, kid: str, alg: str, now: datetime) -> PublicKey:
    step = _Step(6)
    key = directory.signing_keys.get(kid)
    if key is None or owner_of(kid) not in directory.contact_points:
        raise step.refuse("E_KEY_UNKNOWN", f"no signing key {kid} in membership list {directory.version}")
    if key.revoked_at is not None:
        raise step.refuse("E_KEY_REVOKED", f"{kid} was revoked")
    if now >= key.verify_until:
        raise step.refuse("E_KEY_EXPIRED", f"{kid} is past its verify_until")
    if alg != key.alg:
        raise step.refuse("E_ALG", f"{kid} is pinned to {key.alg}")
    return key


def _check_signatures(
    directory: Directory, envelope: Envelope, keys: list[PublicKey], is_signature: SignatureCheck
) -> ContactPoint:
    step = _Step(7)
    owners = {owner_of(key.kid) for key in keys}
    if len(owners) != 1:
        raise step.refuse("E_SIG_POLICY", "signatures of several owners")
    owner = directory.contact_points[owners.pop()]
    algorithms = [key.alg for key in keys]
    if len(set(algorithms)) != len(algorithms):
        raise step.refuse("E_SIG_POLICY", "an algorithm stands twice")
    if not set(owner.signature_policy) <= set(algorithms):
        raise step.refuse("E_SIG_POLICY", f"{owner.id} signs with {' and '.join(owner.signature_policy)}")
    for part, key in zip(envelope.signatures, keys, strict=True):
        if not is_signature(key, signing_input=envelope.signing_input(part), signature_bytes=part.signature_bytes):
            raise step.refuse("E_SIGNATURE", f"the signature of {key.kid} does not verify")
    return owner


def _read_payload(envelope: Envelope, network: str) -> AnyPayload:
    step = _Step(8)
    try:
        members = strict_json.parse_object(envelope.payload_bytes)
    except strict_json.StrictJsonError as error:
        raise step.refuse("E_PAYLOAD", str(error)) from None
    try:
        payload = read_payload(members)
    except ValidationError as error:
        raise step.refuse("E_SCHEMA", first_fault(error)) from None
    if not is_known_schema(payload.kind, payload.schema_urn):
        raise step.refuse("E_SCHEMA", f"{payload.schema_urn} for {payload.kind} is not read here")
    if payload.trust.network != network:
        raise step.refuse("E_NETWORK", "the message belongs to another network")
    if isinstance(payload, SealedPayload) and envelope.sealed is not None:
        digest = base64url.encode(hashlib.sha256(envelope.sealed.encode("utf-8")).digest())
        if digest != payload.sealed_sha256:
            raise step.refuse("E_SEAL_DIGEST", "the sealed body is not the one that was signed")
    return payload


def _check_sender(proven: Authenticated, receiver: Receiver, hints: Hints | None) -> None:
    step, payload = _Step(SENDER_STEP), proven.payload
    if payload.sender != proven.sender.id:
        raise step.refuse("E_SENDER", f"signed by {proven.sender.id}, said to be from {payload.sender}")
    if hints is not None:
        for name, hinted, signed in (
            ("correlation_id", hints.correlation_id, payload.id),
            ("type", hints.type, payload.kind),
            ("app_id", hints.app_id, payload.sender),
        ):
            if hinted != signed:
                raise step.refuse("E_ROUTE_MISMATCH", f"{name} differs from the signed value")
        _check_route(step, proven, receiver, hints)
    if proven.envelope.is_control != (payload.kind in CONTROL_KINDS):
        raise step.refuse("E_ROUTE_MISMATCH", "typ and kind do not agree")


def _check_route(step: _Step, proven: Authenticated, receiver: Receiver, hints: Hints) -> None:
    payload = proven.payload
    if hints.copied:
        raise step.refuse("E_ROUTE_MISMATCH", "the message carries CC or BCC")
    if hints.routing_key is not None:
        sender_prefix = prefix_of(payload.sender)
        expected = alert_key(sender_prefix, receiver.prefix, lane=payload.lane, kind=payload.kind)
        if hints.routing_key != expected:
            raise step.refuse("E_ROUTE_MISMATCH", "the routing key differs from the signed values")
        account = proven.sender.accounts.get("relay")
        if hints.user_id is not None and hints.user_id != account:
            raise step.refuse("E_ROUTE_MISMATCH", "published by another member's account")


def _check_recipient(payload: AnyPayload, receiver: Receiver) -> None:
    step = _Step(10)
    if list(payload.to) != sorted(set(payload.to)):
        raise step.refuse("E_NOT_RECIPIENT", "to is not sorted and unique")
    if not _own_recipients(payload, receiver):
        raise step.refuse("E_NOT_RECIPIENT", f"not addressed to {receiver.contact_point or receiver.prefix}")


def _own_recipients(payload: AnyPayload, receiver: Receiver) -> list[str]:
    if receiver.contact_point is not None:
        return [receiver.contact_point] if receiver.contact_point in payload.to else []
    return [to for to in payload.to if prefix_of(to) == receiver.prefix]


def _check_authority(proven: Authenticated, directory: Directory, receiver: Receiver) -> None:
    """A router lets pass what one of its contact points may receive; each contact point judges for itself again."""
    refusals = []
    for recipient in _own_recipients(proven.payload, receiver):
        refusal = _authority_refusal(proven, directory.contact_points.get(recipient))
        if refusal is None:
            return
        refusals.append(refusal)
    raise refusals[0]


def _authority_refusal(proven: Authenticated, recipient: ContactPoint | None) -> VerificationError | None:
    step, payload, sender = _Step(11), proven.payload, proven.sender
    if recipient is None:
        return step.refuse("E_NOT_AUTHORISED", "this recipient is not in the membership list")
    if sender.suspended is not None or recipient.suspended is not None:
        return step.refuse("E_NOT_AUTHORISED", "sender or recipient is suspended")
    if payload.kind not in sender.sends or payload.kind not in recipient.receives:
        return step.refuse("E_NOT_AUTHORISED", f"{sender.id} may not send {payload.kind} to {recipient.id}")
    # What is from machine to machine has the status of what it answers: that was its sender's to choose.
    has_own_status = payload.kind not in CONTROL_KINDS
    if has_own_status and payload.status not in sender.statuses:
        return step.refuse("E_NOT_AUTHORISED", f"{sender.id} may not send with status {payload.status}")
    if recipient.mode == "live" and ((has_own_status and payload.status == "test") or sender.mode == "test"):
        return step.refuse("E_STATUS", "a live contact point refuses test traffic")
    return None


def _check_times(payload: AnyPayload, keys: list[PublicKey], now: datetime) -> None:
    step = _Step(12)
    if payload.sent > now + CLOCK_TOLERANCE:
        raise step.refuse("E_FUTURE", "sent lies more than 120 s ahead of this clock")
    for key in keys:
        if payload.sent >= key.use_until:
            raise step.refuse("E_KEY_EXPIRED", f"{key.kid} was no longer to be signed with when this was sent")
    if now >= payload.expires:
        raise step.refuse("E_EXPIRED", "the message has expired")
    if not timedelta(0) < payload.expires - payload.sent <= MAX_LIFETIME:
        raise step.refuse("E_LIFETIME", "the lifetime is not within 30 days")
    if not _is_near(payload.id, payload.sent):
        raise step.refuse("E_ID", "the id's time is not near sent")


def _is_near(message_id: str, sent: datetime) -> bool:
    try:
        return abs(time_of(message_id) - sent) <= CLOCK_TOLERANCE
    except ValueError:  # an id can name a time up to the year 10889, a datetime cannot
        return False
