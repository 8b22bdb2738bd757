"""Forged and malformed messages, as a member's stolen relay account and keys could inject them, and what each earns.

Each is right in everything but one thing, so that it gets as far as the check that must stop it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.system import RandomIds
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of, time_of
from bridge.core.times import format_time
from bridge.core.verification import HELD_CODES
from bridge.core.wire import base64url, strict_json
from bridge.core.wire.envelope import MAX_MESSAGE_BYTES
from bridge.core.wire.sealed import seal_binding
from bridge.counterparts.making import Made, Maker, Members, digest

KIND: Final = "route_alert"
EPOCH: Final = 99


@dataclass(frozen=True, slots=True)
class Workshop:
    """A forger with a member's keys, who writes to `victim`, and to or as `other` where a second is needed.

    `body` is a good route alert's, `known` an alert that the victim has from the forger.
    """

    maker: Maker
    victim: str
    other: str
    body: Mapping[str, object]
    known: Made

    def payload(self, kind: str = KIND, **changes: Any) -> Members:  # noqa: ANN401 - those of `Maker.payload`
        """A good payload to the victim."""
        return self.maker.payload(kind, self.victim, **changes)

    def message(self, payload: Members | None = None, **one_thing: Any) -> Made:  # noqa: ANN401 - those of `sealed`
        """A message to the victim; the arguments are those of `Maker.sealed`."""
        said = self.payload() if payload is None else payload
        body = {"thread": said["id"], "references": []} | dict(self.body) | dict(one_thing.pop("body", None) or {})
        return self.maker.sealed(said, body, **one_thing)

    def revoked_kid(self) -> str | None:
        """A revoked signing key of the forger whose private part is here."""
        listed = self.maker.directory.signing_keys_of(self.maker.desk.id)
        here = self.maker.desk.keys.kids()
        return next((key.kid for key in listed if key.revoked_at is not None and key.kid in here), None)


@dataclass(frozen=True, slots=True)
class Forgery:
    """What is wrong, the step that must notice, the code it earns, and how it is made (`None`: it cannot be here)."""

    name: str
    step: int
    code: str
    what: str
    make: Callable[[Workshop], Made | None]

    @property
    def is_held(self) -> bool:
        """Whether it is neither accepted nor refused, but waits."""
        return self.code in HELD_CODES


@dataclass(frozen=True, slots=True)
class Forged:
    """One injected message."""

    forgery: Forgery
    made: Made


def forged_by(workshop: Workshop) -> list[Forged]:
    """Every forgery that is refused, made."""
    made = [(forgery, forgery.make(workshop)) for forgery in FORGERIES if not forgery.is_held]
    return [Forged(forgery, message) for forgery, message in made if message is not None]


def workshop_of(
    desk: KeyDesk, directory: Directory, *, victim: str, other: str, body: Mapping[str, object], known: tuple[str, str]
) -> Workshop:
    """A forger's workshop; `known` is (id, thread) of an alert of `desk` that the victim has."""
    maker = Maker(desk, directory, epoch=EPOCH)
    known_id, thread = known
    return Workshop(maker, victim, other, body, Made(known_id, KIND, desk.id, b"", "", digest(b""), thread=thread))


def _raw(change: Callable[[bytes], bytes]) -> Callable[[Workshop], Made]:
    def make(shop: Workshop) -> Made:
        good = shop.message()
        return replace(good, wire_bytes=change(good.wire_bytes))

    return make


def _said(**changes: Any) -> Callable[[Workshop], Made]:  # noqa: ANN401 - members of a payload
    """The payload says something else; a function is called for its value."""

    def make(shop: Workshop) -> Made:
        values = {name: value() if callable(value) else value for name, value in changes.items()}
        return shop.message(shop.payload(**values))

    return make


def _with(**one_thing: Any) -> Callable[[Workshop], Made]:  # noqa: ANN401 - those of `Maker.sealed`
    return lambda shop: shop.message(**one_thing)


def _published(**changes: str) -> Callable[[Workshop], Made]:
    return lambda shop: replace(shop.message(), **changes)  # type: ignore[arg-type] # texts all


def _in(**ahead: float) -> Callable[[], str]:
    return lambda: format_time(datetime.now(UTC) + timedelta(**ahead))


def _id_of_last_week() -> str:
    return RandomIds().new(datetime.now(UTC) - timedelta(days=7))


def _changed_payload(envelope: Members) -> None:
    said = json.loads(base64url.decode(envelope["payload"]))
    said["urgency"] = "immediate"
    envelope["payload"] = base64url.encode(strict_json.encode(said))


def _flip(name: str) -> Callable[[Members], None]:
    def flip(members: Members) -> None:
        value = bytearray(base64url.decode(members[name]))
        value[-1] ^= 1
        members[name] = base64url.encode(bytes(value))

    return flip


def _signature(change: Callable[[Members], object]) -> Callable[[Members], object]:
    return lambda envelope: change(envelope["signatures"][0])


def _twice_signed(envelope: Members) -> None:
    envelope["signatures"] = envelope["signatures"] * 2


def _off_the_curve(jwe: Members) -> None:
    jwe["recipients"][0]["header"]["epk"]["x"] = "A" * 43


def _unknown_opening_key(jwe: Members) -> None:
    header = jwe["recipients"][0]["header"]
    header["kid"] = header["kid"].partition("#")[0] + "#enc-nobody-has"


def _revoked(shop: Workshop) -> Made | None:
    kid = shop.revoked_kid()
    return None if kid is None else shop.message(header={"kid": kid})


def _unlisted(shop: Workshop) -> Made:
    return shop.message(header={"kid": f"{shop.maker.desk.id}#sig-nobody-knows"})


def _payload_bytes(change: Callable[[bytes], bytes]) -> Callable[[Workshop], Made]:
    """Other payload bytes, truly signed."""

    def make(shop: Workshop) -> Made:
        good = shop.message()
        envelope = json.loads(good.wire_bytes)
        signed = shop.maker.signed(change(base64url.decode(envelope["payload"])))
        return replace(good, wire_bytes=strict_json.encode(envelope | signed))

    return make


def _plaintext(change: Callable[[bytes], bytes]) -> Callable[[Workshop], Made]:
    def make(shop: Workshop) -> Made:
        payload = shop.payload()
        body = {"salt": base64url.encode(bytes(32)), "thread": payload["id"], "references": []} | dict(shop.body)
        return shop.message(payload, plaintext=change(strict_json.encode(body)))

    return make


def _major(shop: Workshop) -> Made:
    return shop.message(shop.payload(schema=f"urn:ncp-bridge:{KIND}:2.0"))


def _other_network(shop: Workshop) -> Made:
    return shop.message(shop.payload(trust={"network": "other", "version": 1}))


def _another_sealed(shop: Workshop) -> Made:
    other = json.loads(shop.message().wire_bytes)["sealed"]
    return shop.message(edit=lambda envelope: envelope.update(sealed=other))


def _in_anothers_name(shop: Workshop) -> Made:
    return shop.message(shop.payload(sender=shop.other))


def _wrong_lane(shop: Workshop) -> Made:
    good = shop.message()
    return replace(good, routing_key=good.routing_key.replace(".normal.", ".urgent."))


def _copied(shop: Workshop) -> Made:
    origin = prefix_of(shop.maker.desk.id)
    return replace(shop.message(), headers={"CC": [f"{origin}.{prefix_of(shop.other)}.normal.{KIND}"]})


def _for_another(shop: Workshop) -> Made:
    numbers = {"epoch": EPOCH, "n": {shop.other: 7}}
    good = shop.message(shop.payload(to=[shop.other], seq=numbers))
    return replace(good, routing_key=_key_to(shop))


def _unsorted(shop: Workshop) -> Made:
    payload = shop.maker.payload(KIND, shop.victim, shop.other)
    payload["to"] = sorted(payload["to"], reverse=True)
    return replace(shop.message(payload), routing_key=_key_to(shop))


def _key_to(shop: Workshop) -> str:
    return f"{prefix_of(shop.maker.desk.id)}.{prefix_of(shop.victim)}.normal.{KIND}"


def _tomorrow(shop: Workshop) -> Made:
    return shop.message(shop.payload(at=datetime.now(UTC) + timedelta(days=1)))


def _known_id(shop: Workshop) -> Made:
    sent = format_time(time_of(shop.known.id))
    return shop.message(shop.payload(id=shop.known.id, sent=sent))


def _other_binding(shop: Workshop) -> Made:
    binding = seal_binding(_id_of_last_week(), shop.maker.desk.id, [shop.victim])
    return shop.message(binding=binding)


def _sealed_to_other(shop: Workshop) -> Made:
    return shop.message(sealed_to=[shop.other])


def _hidden_recipient(shop: Workshop) -> Made:
    return shop.message(sealed_to=[shop.victim, shop.other])


def _foreign_update(shop: Workshop) -> Made:
    reference = {"from": shop.other, "id": shop.known.id, "payload_sha256": digest(b"")}
    body = {"thread": shop.known.thread, "change_summary": "not ours to change", "supersedes": reference}
    return shop.message(shop.payload("alert_update"), body=body)


def _unasked_receipt(shop: Workshop) -> Made:
    payload = shop.payload("receipt")
    nothing = {"id": payload["id"], "payload_sha256": digest(b""), "sealed_sha256": digest(b"")}
    return shop.maker.control(payload, {"state": "delivered", "of": nothing})


# In the order of the steps of the verification (wire-format).
FORGERIES: Final = (
    Forgery("size", 1, "E_SIZE", "more than 1 MiB", _raw(lambda good: good + b" " * MAX_MESSAGE_BYTES)),
    Forgery("json-none", 2, "E_JSON", "no JSON at all", _raw(lambda _: b"\x00\xff" + secrets.token_bytes(64))),
    Forgery("json-twice", 2, "E_JSON", "a member twice", _raw(lambda good: good[:-1] + b',"seal\\u0065d":"{}"}')),
    Forgery("json-nan", 2, "E_JSON", "NaN", _raw(lambda good: good[:-1] + b',"x":NaN}')),
    Forgery("json-surrogate", 2, "E_JSON", "half a surrogate pair", _raw(lambda good: good[:-1] + b',"x":"\\ud800"}')),
    Forgery("json-deep", 2, "E_JSON", "a thousand levels",
            _raw(lambda good: good[:-1] + b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}")),
    Forgery("envelope-unsigned", 3, "E_ENVELOPE", "no signatures", _with(edit=lambda e: e.pop("signatures"))),
    Forgery("envelope-empty", 3, "E_ENVELOPE", "an empty list of signatures",
            _with(edit=lambda e: e.update(signatures=[]))),
    Forgery("envelope-more", 3, "E_ENVELOPE", "a member more", _with(edit=lambda e: e.update(note="x"))),
    Forgery("envelope-unprotected", 3, "E_ENVELOPE", "an unprotected header",
            _with(edit=_signature(lambda s: s.update(header={"kid": "x"})))),
    Forgery("envelope-padding", 3, "E_ENVELOPE", "base64url with padding",
            _with(edit=_signature(lambda s: s.update(signature=s["signature"] + "==")))),
    Forgery("envelope-unsealed", 3, "E_ENVELOPE", "no sealed body", _with(edit=lambda e: e.pop("sealed"))),
    Forgery("header-none", 4, "E_HEADER", "the algorithm none", _with(header={"alg": "none"})),
    Forgery("header-jku", 4, "E_HEADER", "a header that points to its own key",
            _with(header={"jku": "https://keys.example/jwks"})),
    Forgery("header-crit", 4, "E_HEADER", "crit", _with(header={"crit": ["exp"]})),
    Forgery("header-typ", 4, "E_HEADER", "another type", _with(header={"typ": "JWT"})),
    Forgery("key-unknown", 6, "E_KEY_UNKNOWN", "a key that is in no list", _unlisted),
    Forgery("key-revoked", 6, "E_KEY_REVOKED", "signed with a key that was revoked", _revoked),
    Forgery("signature-payload", 7, "E_SIGNATURE", "changed after it was signed", _with(edit=_changed_payload)),
    Forgery("signature-bit", 7, "E_SIGNATURE", "one bit of the signature", _with(edit=_signature(_flip("signature")))),
    Forgery("signature-zeros", 7, "E_SIGNATURE", "a signature of zeros",
            _with(edit=_signature(lambda s: s.update(signature=base64url.encode(bytes(64)))))),
    Forgery("signature-twice", 7, "E_SIG_POLICY", "one signature twice", _with(edit=_twice_signed)),
    Forgery("payload-twice", 8, "E_PAYLOAD", "a signed payload with a member twice",
            _payload_bytes(lambda good: good[:-1] + b',"v":1}')),
    Forgery("payload-float", 8, "E_PAYLOAD", "a signed payload with a float",
            _payload_bytes(lambda good: good[:-1] + b',"x":1.5}')),
    Forgery("schema-major", 8, "E_SCHEMA", "another major version", _major),
    Forgery("schema-member", 8, "E_SCHEMA", "the thread in the payload", _said(thread=_id_of_last_week)),
    Forgery("schema-draft", 8, "E_SCHEMA", "a draft", _said(status="draft")),
    Forgery("network", 8, "E_NETWORK", "from another network", _other_network),
    Forgery("seal-digest", 8, "E_SEAL_DIGEST", "another sealed body put in", _another_sealed),
    Forgery("sender", 9, "E_SENDER", "in another member's name", _in_anothers_name),
    Forgery("hint-id", 9, "E_ROUTE_MISMATCH", "a property that names another message",
            _published(correlation_id="0193b0a0-89ab-7000-8000-0123456789ab")),
    Forgery("hint-type", 9, "E_ROUTE_MISMATCH", "a property that names another kind",
            _published(type="alert_cancel")),
    Forgery("hint-sender", 9, "E_ROUTE_MISMATCH", "a property that names another sender",
            _published(app_id="xx.nobody")),
    Forgery("lane", 9, "E_ROUTE_MISMATCH", "in the urgent lane, signed as routine", _wrong_lane),
    Forgery("copied", 9, "E_ROUTE_MISMATCH", "with a copy to another country", _copied),
    Forgery("not-recipient", 10, "E_NOT_RECIPIENT", "for another country", _for_another),
    Forgery("unsorted", 10, "E_NOT_RECIPIENT", "to two, not in order", _unsorted),
    Forgery("status-test", 11, "E_STATUS", "test traffic for a live contact point", _said(status="test")),
    Forgery("future", 12, "E_FUTURE", "of tomorrow", _tomorrow),
    Forgery("expired", 12, "E_EXPIRED", "expired", _said(expires=_in(seconds=-1))),
    Forgery("lifetime", 12, "E_LIFETIME", "valid for a year", _said(expires=_in(days=365))),
    Forgery("id-time", 12, "E_ID", "with an id from last week", _said(id=_id_of_last_week)),
    Forgery("equivocation", 13, "E_EQUIVOCATION", "an id used before for another alert", _known_id),
    Forgery("receipt-unasked", 13, "E_RECEIPT", "a receipt for what was never sent", _unasked_receipt),
    Forgery("seal-zip", 15, "E_SEAL", "a body that is to be decompressed", _with(edit_seal=lambda jwe: jwe.update(
        protected=base64url.encode(b'{"enc":"A256GCM","zip":"DEF"}')))),
    Forgery("seal-flattened", 15, "E_SEAL", "the flattened form",
            _with(edit_seal=lambda jwe: jwe.update(jwe.pop("recipients")[0]))),
    Forgery("seal-binding", 15, "E_SEAL_BINDING", "sealed for another message", _other_binding),
    Forgery("recipients-other", 15, "E_RECIPIENTS", "sealed to somebody else", _sealed_to_other),
    Forgery("recipients-hidden", 15, "E_RECIPIENTS", "sealed to one more than it says", _hidden_recipient),
    Forgery("no-key", 15, "E_NO_KEY", "sealed to a key that is nobody's", _with(edit_seal=_unknown_opening_key)),
    Forgery("decrypt-bit", 15, "E_DECRYPT", "one bit of the ciphertext", _with(edit_seal=_flip("ciphertext"))),
    Forgery("decrypt-curve", 15, "E_DECRYPT", "a point off the curve", _with(edit_seal=_off_the_curve)),
    Forgery("commitment", 16, "E_COMMITMENT", "committed to another body",
            _with(digests={"body_sha256": digest(b"another body")})),
    Forgery("body-none", 17, "E_BODY", "a body that is no JSON", _plaintext(lambda _: b"{'title': 1}")),
    Forgery("body-twice", 17, "E_BODY", "a body with a member twice",
            _plaintext(lambda good: good[:-1] + b',"title":"x"}')),
    Forgery("body-rules", 17, "E_BODY_SCHEMA", "a body that breaks the rules", _with(body={"exploitation": []})),
    Forgery("body-member", 17, "E_BODY_SCHEMA", "a member that no body has", _with(body={"child_involved": True})),
    Forgery("not-originator", 17, "E_NOT_ORIGINATOR", "an update of somebody else's alert", _foreign_update),
)  # fmt: skip
