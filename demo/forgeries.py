"""Forged and malformed messages, as a member's stolen relay account and keys could inject them.

Each is right in everything but one thing, so that it gets as far as the check that must stop it. They are made with the
bridge's own parts where those allow it, and with the wire module's pieces where they do not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.sealing import seal
from bridge.adapters.system import RandomIds
from bridge.app.keys.choosing import signer_of
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.core.times import format_time
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.envelope import MAX_MESSAGE_BYTES, TYP_CONTROL, TYP_SEALED, build_envelope, protected_header
from bridge.core.wire.sealed import seal_binding, sealed_text
from bridge.ports.keys import Signer

Members = dict[str, object]
Change = Callable[[Members], None]

KIND: Final = "route_alert"


@dataclass(frozen=True, slots=True)
class Forgery:
    """One injected message: what is wrong with it, and how it is published."""

    what: str
    wire_bytes: bytes
    routing_key: str
    correlation_id: str
    sender: str
    kind: str = KIND
    headers: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A forger who holds the keys of `desk` and writes to `victim`, and to `other` where a second one is needed."""

    desk: KeyDesk
    directory: Directory
    victim: str
    other: str
    body: Mapping[str, object]

    @property
    def _signer(self) -> Signer:
        return signer_of(self.desk, self.directory, at=datetime.now(UTC))

    def forgeries(self, *, known: tuple[str, str, str]) -> list[Forgery]:
        """All of them. `known` is (id, from, thread) of an alert that the victim has received from `desk`."""
        known_id, _, _ = known
        return [
            *self._malformed(),
            *self._wrongly_signed(),
            *self._wrongly_addressed(),
            *self._wrongly_sealed(),
            self._forgery(
                "an id used before for another alert", lambda p: p.update(id=known_id, sent=self._time_of(known_id))
            ),
            self._foreign_update(known),
            self._unasked_receipt(),
        ]

    def _malformed(self) -> list[Forgery]:
        good = json.loads(self._wire())
        unsigned = {name: value for name, value in good.items() if name != "signatures"}
        pointing = protected_header(alg="ES256", kid=self._signer.kid, typ=TYP_SEALED)
        header = {**json.loads(base64url.decode(pointing)), "jku": "https://keys.example/jwks"}
        tempting = {
            **good,
            "signatures": [{**good["signatures"][0], "protected": base64url.encode(strict_json.encode(header))}],
        }
        return [
            self._raw("no JSON at all", b"\x00\xffnothing that could be read"),
            self._raw("a member twice", self._wire().replace(b'{"payload"', b'{"sealed":"","payload"', 1)),
            self._raw("more than 1 MiB", b" " * (MAX_MESSAGE_BYTES + 1)),
            self._raw("no signatures", strict_json.encode(unsigned)),
            self._raw("a header that points to its own key", strict_json.encode(tempting)),
        ]

    def _wrongly_signed(self) -> list[Forgery]:
        good = json.loads(self._wire())
        changed = json.loads(base64url.decode(good["payload"]))
        changed["urgency"] = "immediate"
        altered = {**good, "payload": base64url.encode(strict_json.encode(changed))}
        swapped = {**good, "sealed": json.loads(self._wire())["sealed"]}
        return [
            self._raw("changed after it was signed", strict_json.encode(altered)),
            self._raw("another sealed body put in", strict_json.encode(swapped)),
            self._forgery("from another network", lambda p: p.update(trust={"network": "other", "version": 1})),
            self._forgery("in another member's name", lambda p: p.update({"from": self.other})),
        ]

    def _wrongly_addressed(self) -> list[Forgery]:
        now = datetime.now(UTC)
        origin, here = prefix_of(self.desk.id), prefix_of(self.victim)
        numbers = {self.other: 7}
        return [
            self._forgery("in the urgent lane, signed as routine", key=f"{origin}.{here}.urgent.{KIND}"),
            self._forgery(
                "with a copy to another country", headers={"CC": [f"{origin}.{prefix_of(self.other)}.normal.{KIND}"]}
            ),
            self._forgery("for another country", lambda p: p.update(to=[self.other], seq={"epoch": 1, "n": numbers})),
            self._forgery("test traffic for a live contact point", lambda p: p.update(status="test")),
            self._forgery("expired", lambda p: p.update(expires=format_time(now - timedelta(seconds=1)))),
            self._forgery("valid for a year", lambda p: p.update(expires=format_time(now + timedelta(days=365)))),
            self._forgery("with an id from last week", lambda p: p.update(id=RandomIds().new(now - timedelta(days=7)))),
        ]

    def _wrongly_sealed(self) -> list[Forgery]:
        return [
            self._forgery("sealed to somebody else", sealed_to=self.other),
            self._forgery("sealed for another message", binding=RandomIds().new(datetime.now(UTC))),
            self._forgery("committed to another body", lambda p: p.update(body_sha256=_digest(b"another body"))),
            self._forgery("a body that breaks the rules", body={**self.body, "exploitation": []}),
        ]

    def _foreign_update(self, known: tuple[str, str, str]) -> Forgery:
        known_id, _, thread = known
        reference = {"from": self.other, "id": known_id, "payload_sha256": _digest(b"")}
        body = {**self.body, "thread": thread, "change_summary": "not ours to change", "supersedes": reference}
        return self._forgery("an update of somebody else's alert", body=body, kind="alert_update")

    def _unasked_receipt(self) -> Forgery:
        payload = self._payload("receipt")
        nothing = {"id": payload["id"], "payload_sha256": _digest(b""), "sealed_sha256": _digest(b"")}
        control = {**payload, "control": {"state": "delivered", "of": nothing}}
        wire_bytes = self._signed(control, None, TYP_CONTROL)
        return self._published("a receipt for what was never sent", wire_bytes, str(payload["id"]), kind="receipt")

    def _forgery(  # noqa: PLR0913 - each is one way of being wrong
        self,
        what: str,
        change: Change = lambda _: None,
        *,
        key: str | None = None,
        headers: Mapping[str, list[str]] | None = None,
        body: Mapping[str, object] | None = None,
        sealed_to: str | None = None,
        binding: str | None = None,
        kind: str = KIND,
    ) -> Forgery:
        payload = self._payload(kind)
        change(payload)
        plaintext_bytes = strict_json.encode(
            {"salt": base64url.encode(bytes(32)), "thread": payload["id"], "references": [], **(body or self.body)}
        )
        sealing_key = self.directory.seal_key(sealed_to or self.victim, datetime.now(UTC))
        if sealing_key is None:
            raise ValueError(sealed_to or self.victim)
        aad = seal_binding(
            binding or str(payload["id"]), str(payload["from"]), [str(to) for to in _listed(payload["to"])]
        )
        sealed = sealed_text(seal(plaintext_bytes, recipients=[sealing_key], aad=aad))
        payload["sealed_sha256"] = _digest(sealed.encode())
        payload.setdefault("body_sha256", _digest(plaintext_bytes))
        wire_bytes = self._signed(payload, sealed, TYP_SEALED)
        return self._published(
            what,
            wire_bytes,
            str(payload["id"]),
            kind=kind,
            key=key,
            headers=headers,
            sender=str(payload["from"]),
        )

    def _wire(self) -> bytes:
        return self._forgery("a good one to begin with").wire_bytes

    def _payload(self, kind: str) -> Members:
        now = datetime.now(UTC)
        sealed = {} if kind == "receipt" else {"seq": {"epoch": 99, "n": {self.victim: 1}}}
        return {
            "v": 1,
            "id": RandomIds().new(now),
            "kind": kind,
            "schema": f"urn:ncp-bridge:{kind}:1.0",
            "status": "actual",
            "urgency": "expected",
            "from": self.desk.id,
            "to": [self.victim],
            "sent": format_time(now),
            "expires": format_time(now + timedelta(days=1)),
            "trust": {"network": self.directory.network, "version": self.directory.version},
            **sealed,
        }

    def _signed(self, payload: Members, sealed: str | None, typ: str) -> bytes:
        payload_bytes = strict_json.encode(payload)
        protected = protected_header(alg="ES256", kid=self._signer.kid, typ=typ)
        signature = self._signer.sign(f"{protected}.{base64url.encode(payload_bytes)}".encode("ascii"))
        return build_envelope(payload_bytes, [(protected, signature)], sealed)

    def _raw(self, what: str, wire_bytes: bytes) -> Forgery:
        return self._published(what, wire_bytes, RandomIds().new(datetime.now(UTC)))

    def _published(
        self,
        what: str,
        wire_bytes: bytes,
        message_id: str,
        *,
        kind: str = KIND,
        key: str | None = None,
        headers: Mapping[str, list[str]] | None = None,
        sender: str | None = None,
    ) -> Forgery:
        routing_key = key or f"{prefix_of(self.desk.id)}.{prefix_of(self.victim)}.normal.{kind}"
        return Forgery(what, wire_bytes, routing_key, message_id, sender or self.desk.id, kind, headers or {})

    @staticmethod
    def _time_of(message_id: str) -> str:
        milliseconds = int(message_id.replace("-", "")[:12], 16)
        return format_time(datetime.fromtimestamp(milliseconds / 1000, UTC))


def _digest(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
