"""Sealing, signing, verifying and opening: CPU time beside that of the bare primitives on the same bytes.

Bare means calls into `cryptography` and nothing else: no JSON, no base64url, no membership list, no checks. Loading the
ephemeral key of a message and writing it out belong to it, for nobody can do without.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.cases import SIGNING_KID, Correspondents, make_correspondents, sample_alert
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import is_signature
from bridge.app.sending.make_message import MadeMessage, make_sealed
from bridge.core.verification import Receiver, TrustView, authenticate, open_message
from bridge.core.wire.envelope import parse_envelope
from bridge.core.wire.sealed import parse_sealed

RECIPIENTS: Final = (1, 5, 12)
KEY_BYTES: Final = 32
IV_BYTES: Final = 12
OTHER_INFO: Final = bytes(40)  # as long as the real one, which costs the same
ECDSA: Final = ec.ECDSA(SHA256())

Operation = Callable[[], object]


@dataclass(frozen=True, slots=True)
class CryptoFigure:
    """One operation: CPU microseconds per message, medians, the bridge's and the bare primitives'."""

    operation: str
    recipients: int
    bridge_us: float
    bare_us: float

    @property
    def ratio(self) -> float:
        """How many times the bare primitives the bridge takes."""
        return self.bridge_us / self.bare_us


def measure_crypto(*, rounds: int, repeats: int) -> list[CryptoFigure]:
    """Every operation for every number of recipients; `rounds` medians over `repeats` calls each."""
    figures = []
    correspondents = make_correspondents(max(RECIPIENTS))
    for count in RECIPIENTS:
        case = _Case(correspondents, count)
        for name, ours, bare in (
            ("seal and sign", case.make, case.bare_make),
            ("verify and open", case.verify_and_open, case.bare_verify_and_open),
            ("steps 1 to 17", case.all_steps, case.bare_verify_and_open),
        ):
            bridge_us, bare_us = _alternate([ours, bare], rounds=rounds, repeats=repeats)
            figures.append(CryptoFigure(name, count, bridge_us, bare_us))
    return figures


class _Case:
    """The sample alert to so many recipients; the first of them opens it."""

    def __init__(self, correspondents: Correspondents, count: int) -> None:
        self._all = correspondents
        self._addressing = correspondents.address(count)
        alert = sample_alert()
        retain_until = self._addressing.sent + timedelta(days=90)
        body = alert.body_members(retain_until_default=retain_until)
        self._body = {"thread": self._addressing.id, "references": [], **body}
        self._numbers = dict.fromkeys(self._addressing.to, 1000)
        self._made = self.make()
        self._reader = correspondents.recipients[self._addressing.to[0]]
        self._trust = TrustView(correspondents.directory, 1)
        self._receiver = Receiver(self._reader.id[:2], self._reader.id)
        self._now = datetime.now(UTC)
        envelope = parse_envelope(self._made.wire_bytes)
        self._signing_input = envelope.signing_input(envelope.signatures[0])
        self._signer_key = correspondents.directory.signing_keys[SIGNING_KID]
        self._public_signer = correspondents.sender_key.public_key()
        self._der_signature = correspondents.sender_key.sign(self._signing_input, ECDSA)
        self._sealed = parse_sealed(envelope.sealed or "")
        self._opening_key = correspondents.recipient_keys[self._reader.id]
        self._bare_recipients = [correspondents.recipient_keys[to].public_key() for to in self._addressing.to]
        self._bare_entry, self._bare_iv, self._bare_ciphertext = self._bare_sealed_to_reader()

    def make(self) -> MadeMessage:
        return make_sealed(
            self._addressing,
            body=self._body,
            numbers=self._numbers,
            epoch=1,
            directory=self._all.directory,
            signer=self._all.signer,
            seal=seal,
        )

    def bare_make(self) -> None:
        content_key = os.urandom(KEY_BYTES)
        AESGCM(content_key).encrypt(os.urandom(IV_BYTES), self._made.plaintext_bytes, self._additional)
        for public_key in self._bare_recipients:
            _wrap(public_key, content_key)
        self._all.sender_key.sign(self._signing_input, ECDSA)

    def verify_and_open(self) -> None:
        """The JOSE part alone: both forms parsed strictly, the signature checked, the body opened."""
        envelope = parse_envelope(self._made.wire_bytes)
        part = envelope.signatures[0]
        signed = is_signature(
            self._signer_key, signing_input=envelope.signing_input(part), signature_bytes=part.signature_bytes
        )
        body = parse_sealed(envelope.sealed or "")
        (entry,) = (entry for entry in body.entries if self._reader.opening_keys.holds(entry.kid))
        if not signed or self._reader.opening_keys.open(body, entry) != self._made.plaintext_bytes:
            raise RuntimeError("the message does not verify")

    def all_steps(self) -> None:
        """Steps 1 to 12 and 15 to 17; 13, 14 and 18 are the database's."""
        proven = authenticate(
            self._made.wire_bytes,
            trust=self._trust,
            receiver=self._receiver,
            now=self._now,
            hints=None,
            is_signature=is_signature,
        )
        open_message(proven, contact_point=self._reader.id, keys=self._reader.opening_keys)

    def bare_verify_and_open(self) -> None:
        self._public_signer.verify(self._der_signature, self._signing_input, ECDSA)
        point, wrapped = self._bare_entry
        ephemeral = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        content_key = aes_key_unwrap(_derive(self._opening_key.exchange(ec.ECDH(), ephemeral)), wrapped)
        AESGCM(content_key).decrypt(self._bare_iv, self._bare_ciphertext, self._additional)

    @property
    def _additional(self) -> bytes:
        return self._sealed.additional_data

    def _bare_sealed_to_reader(self) -> tuple[tuple[bytes, bytes], bytes, bytes]:
        content_key, iv = os.urandom(KEY_BYTES), os.urandom(IV_BYTES)
        ciphertext = AESGCM(content_key).encrypt(iv, self._made.plaintext_bytes, self._additional)
        return _wrap(self._opening_key.public_key(), content_key), iv, ciphertext


def _wrap(recipient: ec.EllipticCurvePublicKey, content_key: bytes) -> tuple[bytes, bytes]:
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    wrapping_key = _derive(ephemeral.exchange(ec.ECDH(), recipient))
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return point, aes_key_wrap(wrapping_key, content_key)


def _derive(shared_secret: bytes) -> bytes:
    return ConcatKDFHash(SHA256(), KEY_BYTES, OTHER_INFO).derive(shared_secret)


def _alternate(operations: Sequence[Operation], *, rounds: int, repeats: int) -> list[float]:
    """Medians of CPU microseconds per call; the operations take turns, so that a busy machine meets them alike."""
    for operation in operations:
        operation()
    taken: list[list[float]] = [[] for _ in operations]
    for _ in range(rounds):
        for operation, times in zip(operations, taken, strict=True):
            begun = time.process_time()
            for _ in range(repeats):
                operation()
            times.append((time.process_time() - begun) / repeats * 1e6)
    return [median(times) for times in taken]
