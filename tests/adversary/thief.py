"""A member's keys in the wrong hands: whatever it makes is right in everything but the one thing that it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from forging.two_plaintexts import sealed_twice
from forging.wire_forge import ABSENT, Ring, body_of, forge, forge_control, merged, payload_of, text_of, to_json

from bridge.adapters.jose import sealing
from bridge.adapters.jose.signatures import sign
from bridge.adapters.system import RandomIds
from bridge.core.directory import Directory
from bridge.core.verification import Hints
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.sealed import SealedBody, protected_text, seal_binding, sealed_text

if TYPE_CHECKING:
    from forging.wire_forge import Members

Sign = Callable[[bytes], bytes]

STRANGER = ec.generate_private_key(ec.SECP256R1())  # in nobody's list
STRANGERS = "a stranger's key"


@dataclass(frozen=True)
class Thief:
    """Holds the keys of `own`, and knows the membership list as everybody does.

    Attributes:
        signers: key id -> signs with it.
        to: the victims, sorted.
    """

    own: str
    signers: Mapping[str, Sign]
    directory: Directory
    to: tuple[str, ...]
    now: Callable[[], datetime]

    @property
    def kid(self) -> str:
        """The key id it signs under unless told otherwise."""
        return next(iter(self.signers))

    def payload(self, kind: str = "route_alert", *, to: Sequence[str] | None = None, **changes: object) -> Members:
        """A good payload without its digests; `from_` and `schema_` stand for what Python cannot spell."""
        now, to = self.now(), self.to if to is None else to
        good = payload_of(kind, sent=now, to=to) | {
            "id": RandomIds().new(now),
            "from": self.own,
            "trust": {"network": self.directory.network, "version": self.directory.version},
            "expires": text_of(now + timedelta(days=7)),
            "seq": {"epoch": 99, "n": dict.fromkeys(to, next(_numbers))},
        }
        return merged(good, {name.rstrip("_"): value for name, value in changes.items()})

    def message(
        self,
        payload: Members | None = None,
        *,
        body: Members | bytes | None = None,
        sealed_to: Sequence[str] | None = None,
        digests: Members | None = None,
        **one_thing: Any,  # noqa: ANN401 - what `forge` takes
    ) -> bytes:
        """A sealed message; the arguments are those of `forge`, and contact points in place of their sealing keys.

        `digests` take the place of those that are made of what is sealed.
        """
        base = self.payload() if payload is None else payload
        if not isinstance(body, bytes):
            retained = text_of(self.now() + timedelta(days=30))
            body = {"thread": base["id"], "retain_until": retained} | (body or {})
        return forge(
            digests,
            base=base,
            body=body,
            sealed_to=[self.seal_kid(each) for each in (base["to"] if sealed_to is None else sealed_to)],
            ring=self.ring,
            **{"signed_by": (self.kid,)} | one_thing,
        )

    def control(self, kind: str, control: object, *, to: str | None = None, **changes: object) -> bytes:
        """A control message to the first victim."""
        base = self.payload(kind, to=[to or self.to[0]], status="system", reply_within_s=ABSENT, **changes)
        return forge_control(control, base=base, signed_by=(self.kid,), ring=self.ring)

    def update_of(self, earlier: Mapping[str, object]) -> bytes:
        """An update that says it replaces `earlier` ({from, id, payload_sha256}) in its thread."""
        body = {"change_summary": "By another road", "supersedes": dict(earlier), "thread": earlier["id"]}
        return self.message(self.payload("alert_update"), body=body)

    def plaintext(self, payload: Members, **changes: object) -> Members:
        """A good body as it would stand under a seal."""
        retained = text_of(self.now() + timedelta(days=30))
        return {"salt": "A" * 43} | body_of(thread=payload["id"]) | {"retain_until": retained} | changes

    def seal_kid(self, contact_point: str) -> str:
        """The key id that is sealed to for a contact point; a key id stays what it is."""
        key = self.directory.seal_key(contact_point, self.now())
        return contact_point if key is None else key.kid

    @property
    def ring(self) -> Ring:
        """For the forger."""

        def signed(kid: str, data: bytes) -> bytes:
            return sign(STRANGER, data) if kid == STRANGERS else self.signers[kid](data)

        return Ring(signed, self.directory.encryption_keys)


def with_two_plaintexts(thief: Thief, payload: Members) -> tuple[str, bytes]:
    """A sealed text for two that opens to another body for each, and the body of the second."""
    aad = seal_binding(payload["id"], payload["from"], payload["to"])
    protected = protected_text()
    forged = sealed_twice(to_json(thief.plaintext(payload)), f"{protected}.{aad}".encode())
    keys = [thief.directory.encryption_keys[thief.seal_kid(to)] for to in payload["to"]]
    # `seal` makes the content key itself, as it should: no public door lets two in
    entries = tuple(sealing._entry(key, own) for key, own in zip(keys, reversed(forged.keys), strict=True))
    body = SealedBody(protected, aad, entries, forged.iv, forged.ciphertext, forged.tag)
    return sealed_text(body), forged.plaintexts[0]


def payload_in(wire_bytes: bytes) -> Members:
    """What a message says of itself; nothing where it is none."""
    try:
        envelope = strict_json.parse_object(wire_bytes)
        return strict_json.parse_object(base64url.decode(str(envelope.get("payload"))))
    except ValueError:
        return {}


def hints_of(wire_bytes: bytes) -> Hints:
    """Properties that agree with the message, as any attacker would set them."""
    said = payload_in(wire_bytes)
    texts = [said.get(name) for name in ("id", "kind", "from")]
    return Hints(*(text if isinstance(text, str) else None for text in texts))


_numbers = iter(range(1000, 10**6))
