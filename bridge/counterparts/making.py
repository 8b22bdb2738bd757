"""An honest message of any kind, and the same with one thing changed and everything else made right again.

Whoever verifies it gets as far as the step that must stop it: digests, commitment, binding and signature are made over
what was changed, unless the change is about them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.sealing import seal
from bridge.adapters.system import RandomIds
from bridge.app.keys.choosing import signer_of
from bridge.core.broker_names import alert_key
from bridge.core.directory import Directory, PublicKey
from bridge.core.errors import RefusedError
from bridge.core.ids import prefix_of
from bridge.core.messages import schema_urn_of
from bridge.core.times import format_time
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.envelope import TYP_CONTROL, TYP_SEALED
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.core.wire.sealed import seal_binding, sealed_text
from bridge.ports.keys import Signer

Members = dict[str, Any]
Edit = Callable[[Members], object]

LIFETIME: Final = timedelta(days=1)
RETENTION: Final = timedelta(days=30)
_ANSWERED: Final = ("severity", "exploitation", "labour_sector", "means", "legs")


@dataclass(frozen=True, slots=True)
class Made:
    """A message, how it is published, and the digests that a receipt must name."""

    id: str
    kind: str
    sender: str
    wire_bytes: bytes
    routing_key: str
    payload_sha256: str = ""
    sealed_sha256: str = ""
    thread: str = ""
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    type: str | None = None
    app_id: str | None = None
    correlation_id: str | None = None
    persistent: bool = True

    @property
    def reference(self) -> Members:
        """How another message names this one."""
        return {"from": self.sender, "id": self.id, "payload_sha256": self.payload_sha256}


def _from_somewhere() -> Iterator[int]:
    return itertools.count(secrets.randbelow(2**31) + 1)


def unchanged(_: Members) -> None:
    """The change that is none."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes what one contact point sends to one other.

    Its sequence numbers begin at a random one in each lane and last as long as it does.
    """

    desk: KeyDesk
    directory: Directory
    epoch: int = 1
    numbers: Iterator[int] = field(default_factory=_from_somewhere)
    urgent_numbers: Iterator[int] = field(default_factory=_from_somewhere)

    @property
    def signer(self) -> Signer:
        """The key that signs now."""
        return signer_of(self.desk, self.directory, at=datetime.now(UTC))

    def counter(self, urgency: object) -> Iterator[int]:
        """The sequence numbers of the lane that an urgency goes by."""
        return self.urgent_numbers if urgency == "immediate" else self.numbers

    def payload(self, kind: str, *to: str, at: datetime | None = None, **changes: object) -> Members:
        """A good payload without its digests; a change is a member (`sender` stands for `from`)."""
        now = at or datetime.now(UTC)
        good: Members = {
            "v": 1,
            "id": RandomIds().new(now),
            "kind": kind,
            "schema": schema_urn_of(kind),
            "status": "actual",
            "urgency": "expected",
            "from": self.desk.id,
            "to": sorted(to),
            "sent": format_time(now),
            "expires": format_time(now + LIFETIME),
            "trust": {"network": self.directory.network, "version": self.directory.version},
        }
        if kind not in CONTROL_KINDS:
            numbers = self.counter(changes.get("urgency"))
            good["seq"] = {"epoch": self.epoch, "n": {each: next(numbers) for each in sorted(to)}}
        return good | {"from" if name == "sender" else name: value for name, value in changes.items()}

    def body(self, payload: Mapping[str, Any], **changes: object) -> Members:
        """A good body for a payload's kind, without its salt; what an update or answer refers to is a change."""
        origin, target = prefix_of(self.desk.id).upper(), prefix_of(payload["to"][0]).upper()
        body: Members = {
            "title": "Conformance: no real alert",
            "language": "en",
            "tlp": "AMBER",
            "handling": ["H0"],
            "purpose": "victim_protection",
            "legal_basis": "Palermo Protocol, art. 10",
            "retain_until": format_time(datetime.now(UTC) + RETENTION),
            "severity": "severe",
            "exploitation": ["forced_labour_or_services"],
            "labour_sector": ["A"],
            "means": ["deception"],
            "legs": [{"from": {"country": origin}, "to": {"country": target}, "confirmed": False}],
            "thread": payload["id"],
            "references": [],
        }
        if payload["kind"] in {"alert_cancel", "acknowledgement"}:
            body = {name: value for name, value in body.items() if name not in _ANSWERED}
        return body | changes

    def sealed(  # noqa: PLR0913 - one argument for each thing that can be changed
        self,
        payload: Members,
        body: Mapping[str, object] | None = None,
        *,
        plaintext: bytes | None = None,
        sealed_to: Sequence[str] | None = None,
        binding: str | None = None,
        edit_seal: Edit = unchanged,
        digests: Mapping[str, str] | None = None,
        edit: Edit = unchanged,
        header: Mapping[str, object] | None = None,
        typ: str = TYP_SEALED,
    ) -> Made:
        """A sealed message.

        Args:
            payload: without its digests.
            body: the plaintext's members; a `salt` is added unless it has one.
            plaintext: takes the body's place.
            sealed_to: contact points, where they are not those of `to`.
            binding: the `aad`, where it is not the payload's.
            edit_seal: changes the JWE before it is digested.
            digests: take the place of those that are made.
            edit: changes the finished envelope, which is not signed again.
            header: changes to the protected header, which are signed.
            typ: the header's type.
        """
        whole = dict(self.body(payload) if body is None else body)
        salt = base64url.encode(secrets.token_bytes(32))
        plaintext_bytes = strict_json.encode({"salt": salt} | whole) if plaintext is None else plaintext
        aad = binding or seal_binding(payload["id"], payload["from"], payload["to"])
        keys = [self._seal_key(each) for each in (payload["to"] if sealed_to is None else sealed_to)]
        jwe = json.loads(sealed_text(seal(plaintext_bytes, recipients=keys, aad=aad)))
        edit_seal(jwe)
        sealed = strict_json.encode(jwe).decode()
        committed = {"sealed_sha256": digest(sealed.encode()), "body_sha256": digest(plaintext_bytes)}
        payload_bytes = strict_json.encode(payload | committed | dict(digests or {}))
        envelope = self.signed(payload_bytes, typ=typ, header=header) | {"sealed": sealed}
        edit(envelope)
        return self.published(
            payload,
            strict_json.encode(envelope),
            payload_sha256=digest(payload_bytes),
            sealed_sha256=committed["sealed_sha256"],
            thread=str(whole.get("thread", "")),
        )

    def control(self, payload: Members, control: Mapping[str, object]) -> Made:
        """A control message."""
        payload_bytes = strict_json.encode(payload | {"control": dict(control)})
        envelope = self.signed(payload_bytes, typ=TYP_CONTROL)
        return self.published(payload, strict_json.encode(envelope), payload_sha256=digest(payload_bytes))

    def signed(
        self, payload_bytes: bytes, *, typ: str = TYP_SEALED, header: Mapping[str, object] | None = None
    ) -> Members:
        """An envelope without `sealed`; a `kid` of ours in `header` signs with that key."""
        signer = self.signer
        said = {"alg": signer.alg, "kid": signer.kid, "typ": typ} | dict(header or {})
        by = self.desk.signer(str(said["kid"])) or signer
        protected, payload = base64url.encode(strict_json.encode(said)), base64url.encode(payload_bytes)
        signature = base64url.encode(by.sign(f"{protected}.{payload}".encode("ascii")))
        return {"payload": payload, "signatures": [{"protected": protected, "signature": signature}]}

    def published(self, payload: Mapping[str, Any], wire_bytes: bytes, **more: Any) -> Made:  # noqa: ANN401 - fields of `Made`
        """The message as an honest relay publishes it, to the country of its first recipient."""
        lane = "urgent" if payload["urgency"] == "immediate" else "normal"
        origin, target = prefix_of(self.desk.id), prefix_of(payload["to"][0])
        key = alert_key(origin, target, lane=lane, kind=payload["kind"])
        return Made(payload["id"], payload["kind"], payload["from"], wire_bytes, key, **more)

    def _seal_key(self, contact_point: str) -> PublicKey:
        key = self.directory.seal_key(contact_point, datetime.now(UTC))
        if key is None:
            raise RefusedError("E_NO_RECIPIENT_KEY", f"no valid encryption key for {contact_point} in the list")
        return key


def digest(data: bytes) -> str:
    """The SHA-256 of bytes as base64url."""
    return base64url.encode(hashlib.sha256(data).digest())
