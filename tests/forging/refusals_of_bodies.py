"""Steps 15 to 17 of the verification table, written from wire-format.md: the sealed body and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forging.refusals_before_proof import Case
from forging.wire_forge import ABSENT, OTHER_ID, Arrival, body_of, digest, forge, payload_of, reference, to_json

from bridge.core.wire import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from forging.wire_forge import Edit, Members


def sealed(edit: Edit) -> Arrival:
    """A JWE that was changed before it was digested and signed."""
    return Arrival(forge(edit_seal=edit))


def bound(binding: str) -> Arrival:
    return Arrival(forge(aad=base64url.encode(binding.encode())))


def sealed_to(*kids: str) -> Arrival:
    return Arrival(forge(sealed_to=kids))


def written(**changes: object) -> Arrival:
    """A body with other members: committed to, sealed and signed as it should be."""
    return Arrival(forge(body=changes))


def plain(plaintext: bytes) -> Arrival:
    return Arrival(forge(body=plaintext))


def superseding(kind: str, *, from_: str = "hu.ncp", originator: str | None = None, **more: object) -> Arrival:
    supersedes = {"supersedes": reference(from_)}
    return Arrival(forge(kind=kind, body=supersedes | more), originator=originator)


def flipped(name: str) -> Edit:
    def flip(jwe: Members) -> None:
        value = bytearray(base64url.decode(jwe[name]))
        value[-1] ^= 1
        jwe[name] = base64url.encode(bytes(value))

    return flip


def of_ours(change: Callable[[Members], object]) -> Edit:
    return lambda jwe: change(jwe["recipients"][0])


def wrapped_key_exchanged(jwe: Members) -> None:
    first, second = jwe["recipients"]
    first["encrypted_key"], second["encrypted_key"] = second["encrypted_key"], first["encrypted_key"]


def kids_exchanged(jwe: Members) -> None:
    first, second = (entry["header"] for entry in jwe["recipients"])
    first["kid"], second["kid"] = second["kid"], first["kid"]


BINDING = f"ncp-bridge-seal-1\n{payload_of()['id']}\nrs.ncp\nat.ncp,hu.ncp"
LEG = {"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": True}
ALERTED = ("severity", "exploitation", "labour_sector", "means", "legs")
CANCEL: Members = dict.fromkeys(ALERTED, ABSENT) | {"reason": "disrupted"}

CASES = [
    Case(15, "E_SEAL", "no JSON", lambda: Arrival(forge(sealed="AAAA.AAAA.AAAA.AAAA.AAAA"))),
    Case(15, "E_SEAL", "a member more", lambda: sealed(lambda jwe: jwe.update(unprotected={}))),
    Case(15, "E_SEAL", "the flattened form", lambda: sealed(lambda jwe: jwe.update(jwe.pop("recipients")[0]))),
    Case(15, "E_SEAL", "zip", lambda: sealed(
        lambda jwe: jwe.update(protected=base64url.encode(b'{"enc":"A256GCM","zip":"DEF"}')))),
    Case(15, "E_SEAL", "another key algorithm",
         lambda: sealed(of_ours(lambda each: each["header"].update(alg="ECDH-ES")))),
    Case(15, "E_SEAL", "a tag cut short", lambda: sealed(lambda jwe: jwe.update(tag=jwe["tag"][:16]))),
    Case(15, "E_SEAL", "padding", lambda: sealed(lambda jwe: jwe.update(tag=jwe["tag"] + "=="))),
    Case(15, "E_SEAL", "bits left over in base64url", lambda: sealed(
        lambda jwe: jwe.update(tag=jwe["tag"][:-1] + "B"))),
    Case(15, "E_SEAL", "a member twice", lambda: Arrival(forge(sealed='{"aad":"","aad":""}'))),
    Case(15, "E_SEAL_BINDING", "another message", lambda: bound(BINDING.replace(payload_of()["id"], OTHER_ID))),
    Case(15, "E_SEAL_BINDING", "another sender", lambda: bound(BINDING.replace("rs.ncp", "mk.ncp"))),
    Case(15, "E_SEAL_BINDING", "fewer recipients", lambda: bound(BINDING.replace(",hu.ncp", ""))),
    Case(15, "E_SEAL_BINDING", "a line more", lambda: bound(BINDING + "\n")),
    Case(15, "E_SEAL_BINDING", "nothing", lambda: sealed(lambda jwe: jwe.update(aad=""))),
    Case(15, "E_RECIPIENTS", "one entry fewer than addressed", lambda: sealed_to("at.ncp#enc-a")),
    Case(15, "E_RECIPIENTS", "a stranger in the place of one", lambda: sealed_to("at.ncp#enc-a", "mk.test#enc-a")),
    Case(15, "E_RECIPIENTS", "a stranger beside them",
         lambda: sealed_to("at.ncp#enc-a", "hu.ncp#enc-a", "mk.test#enc-a")),
    Case(15, "E_RECIPIENTS", "two entries for us", lambda: sealed_to("at.ncp#enc-a", "at.ncp#enc-old", "hu.ncp#enc-a")),
    Case(15, "E_RECIPIENTS", "the same entry twice", lambda: sealed_to("at.ncp#enc-a", "at.ncp#enc-a", "hu.ncp#enc-a")),
    Case(15, "E_NO_KEY", "a key that was destroyed", lambda: Arrival(forge(), held_kids=("at.ncp#enc-old",))),
    Case(15, "E_NO_KEY", "a name that no key of ours has", lambda: sealed(
        of_ours(lambda each: each["header"].update(kid="at.ncp#enc-z")))),
    Case(15, "E_DECRYPT", "one bit of the ciphertext", lambda: sealed(flipped("ciphertext"))),
    Case(15, "E_DECRYPT", "one bit of the tag", lambda: sealed(flipped("tag"))),
    Case(15, "E_DECRYPT", "one bit of the iv", lambda: sealed(flipped("iv"))),
    Case(15, "E_DECRYPT", "the wrapped key of another", lambda: sealed(wrapped_key_exchanged)),
    Case(15, "E_DECRYPT", "entries under each other's name", lambda: sealed(kids_exchanged)),
    Case(15, "E_DECRYPT", "sealed to another key of ours than it says", lambda: Arrival(
        forge(sealed_to=("at.ncp#enc-old", "hu.ncp#enc-a"),
              edit_seal=of_ours(lambda each: each["header"].update(kid="at.ncp#enc-a"))))),
    Case(15, "E_DECRYPT", "a point that is not on the curve", lambda: sealed(
        of_ours(lambda each: each["header"]["epk"].update(x="A" * 43)))),
    Case(15, "E_DECRYPT", "a protected header spaced afterwards", lambda: sealed(
        lambda jwe: jwe.update(protected=base64url.encode(b'{ "enc":"A256GCM"}')))),
    Case(16, "E_COMMITMENT", "a commitment to another body",
         lambda: Arrival(forge({"body_sha256": digest(to_json({"salt": "B" * 42 + "A"} | body_of()))}))),
    Case(16, "E_COMMITMENT", "a commitment to no body", lambda: Arrival(forge({"body_sha256": digest(b"")}))),
    Case(17, "E_BODY", "no JSON", lambda: plain(b"{'salt': 1}")),
    Case(17, "E_BODY", "a list", lambda: plain(b"[]")),
    Case(17, "E_BODY", "a member twice", lambda: plain(to_json(body_of())[:-1] + b',"title":"x"}')),
    Case(17, "E_BODY", "a float", lambda: plain(to_json(body_of() | {"retain_until": 1.5}))),
    Case(17, "E_BODY", "a lone surrogate", lambda: plain(to_json(body_of())[:-1] + b',"x":"\\ud800"}')),
    Case(17, "E_BODY", "a byte order mark", lambda: plain(b"\xef\xbb\xbf" + to_json(body_of()))),
    Case(17, "E_BODY_SCHEMA", "no salt", lambda: written(salt=ABSENT)),
    Case(17, "E_BODY_SCHEMA", "a salt of 128 bits", lambda: written(salt="A" * 22)),
    Case(17, "E_BODY_SCHEMA", "no thread", lambda: written(thread=ABSENT)),
    Case(17, "E_BODY_SCHEMA", "a thread that is a reference", lambda: written(thread=reference("rs.ncp"))),
    Case(17, "E_BODY_SCHEMA", "a member that no body has", lambda: written(child_involved=True)),
    Case(17, "E_BODY_SCHEMA", "a code that is in no list", lambda: written(exploitation=["cheap_labour"])),
    Case(17, "E_BODY_SCHEMA", "legs that do not join", lambda: written(
        legs=[LEG, LEG | {"from": {"country": "IT"}, "to": {"country": "FR"}}])),
    Case(17, "E_BODY_SCHEMA", "forced labour without a sector", lambda: written(labour_sector=[])),
    Case(17, "E_BODY_SCHEMA", "kept longer than 180 days", lambda: written(retain_until="2027-11-23T18:40:01Z")),
    Case(17, "E_BODY_SCHEMA", "an update that names nothing",
         lambda: Arrival(forge(kind="alert_update", body={"change_summary": "x"}))),
    Case(17, "E_NOT_ORIGINATOR", "an update of another's alert",
         lambda: superseding("alert_update", change_summary="Now by night.")),
    Case(17, "E_NOT_ORIGINATOR", "a cancellation of another's alert", lambda: superseding("alert_cancel", **CANCEL)),
    Case(17, "E_NOT_ORIGINATOR", "an update in a thread that another began", lambda: superseding(
        "alert_update", from_="rs.ncp", originator="hu.ncp", change_summary="Now by night.")),
    Case(17, "E_NOT_ORIGINATOR", "a cancellation in a thread that another began", lambda: superseding(
        "alert_cancel", from_="rs.ncp", originator="hu.ncp", **CANCEL)),
]  # fmt: skip
