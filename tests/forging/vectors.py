"""The wire vectors in schemas/vectors: `PYTHONPATH=tests:. python tests/forging/vectors.py` writes what is not there.

They are the forged and good messages of the tests, each with everything that it is judged by, as files that anybody can
read. A vector that is there is never written again: ciphertexts and signatures are random, and vectors are frozen.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from forging import refusals_before_proof, refusals_of_bodies, refusals_of_the_proven
from forging.accepted import DUPLICATES, GOOD, NUMBERED
from forging.read_vectors import FOLDER
from forging.refusals_before_proof import Case
from forging.wire_forge import (
    DAY,
    DIRECTORY,
    NOW,
    PRIVATE,
    Arrival,
    body_of,
    digest,
    forge,
    receive,
    text_of,
    to_json,
    with_key,
)

from bridge.adapters.trust.membership.exported import directory_of, export_of
from bridge.core.errors import BadInputError
from bridge.core.verification import HELD_CODES, VerifiedMessage
from bridge.core.wire import base64url, strict_json

# Beside the cases of the tests, so that each step has three with a list that can be exported.
MORE = (
    Case(1, "E_SIZE", "a good message with 1 MiB of blanks behind it", lambda: Arrival(forge() + b" " * 1024 * 1024)),
    Case(1, "E_SIZE", "1 MiB and a byte of one bracket", lambda: Arrival(b"{" * (1024 * 1024 + 1))),
    Case(5, "E_TRUST_STALE", "a list confirmed a year ago", lambda: Arrival(
        forge(), directory=replace(DIRECTORY, signed_at=NOW - 365 * DAY))),
    Case(5, "E_TRUST_STALE", "a list two versions below one that was seen", lambda: Arrival(
        forge(), highest_version=44)),
    Case(6, "E_KEY_EXPIRED", "a clock at verify_until", lambda: Arrival(
        forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW - 40 * DAY, verify_until=NOW))),
    Case(6, "E_KEY_EXPIRED", "a clock a day past verify_until", lambda: Arrival(
        forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW - 40 * DAY, verify_until=NOW - DAY))),
    Case(16, "E_COMMITMENT", "a commitment to the body without its salt", lambda: Arrival(
        forge({"body_sha256": digest(to_json(body_of()))}))),
)  # fmt: skip
CASES = (*refusals_before_proof.CASES, *refusals_of_the_proven.CASES, *refusals_of_bodies.CASES, *MORE)
LONG_RUN = 1000
LARGEST = 400_000  # characters of a vector's bytes, so that the folder stays small


def named(step: int, text: str) -> str:
    """`07-changed-after-it-was-signed`."""
    return f"{step:02d}-" + re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def arrivals() -> Iterator[tuple[str, dict[str, Any], Arrival]]:
    """File name, verdict, and what arrives."""
    for name, made in GOOD.items():
        yield named(0, name), {"step": 17, "code": None, "outcome": "accepted", "why": name}, made()
    for name, made in DUPLICATES.items():
        yield named(13, name), {"step": 13, "code": None, "outcome": "duplicate", "why": name}, made()
    for name, numbered in NUMBERED.items():
        book = {
            "known": [{"epoch": epoch, "n": number, "id": by} for epoch, number, by in numbered.known],
            "missing": list(numbered.missing),
            "used_again": numbered.used_again,
        }
        verdict = {"step": 17, "code": None, "outcome": "accepted", "why": name, "numbers": book}
        yield named(14, name), verdict, Arrival(forge())
    for case in CASES:
        outcome = "held" if case.code in HELD_CODES else "refused"
        verdict = {"step": case.step, "code": case.code, "outcome": outcome, "why": case.name}
        yield named(case.step, f"{case.code[2:]} {case.name}"), verdict, case.arrival()


def vector(name: str, verdict: dict[str, Any], arrival: Arrival, network: str) -> dict[str, Any]:
    """One vector as it is written."""
    receiver, hints = arrival.receiver, arrival.hints
    properties = None
    if hints is not None:
        properties = {
            "correlation_id": hints.correlation_id, "type": hints.type, "app_id": hints.app_id,
            "routing_key": hints.routing_key, "user_id": hints.user_id,
            "headers": {"CC": ["rs.hu.urgent.route_alert"]} if hints.copied else {},
        }  # fmt: skip
    sent = arrival.sent
    return {
        "name": name,
        **verdict,
        "network": network,
        "at": text_of(arrival.now),
        "country": receiver.prefix,
        "recipient": receiver.contact_point,
        "opening_keys": list(arrival.held_kids),
        "highest_version": arrival.highest_version,
        "properties": properties,
        "known_payload_sha256": arrival.known_digest,
        "sent": None if sent is None else {"payload_sha256": sent.payload_sha256, "sealed_sha256": sent.sealed_sha256},
        "originator": arrival.originator,
        **_wire(arrival.wire_bytes),
        "body": _body(verdict, arrival),
    }


def _wire(wire_bytes: bytes) -> dict[str, Any]:
    """The bytes; a long run of one byte at their end is told by its length."""
    last = wire_bytes[-1:]
    bare = wire_bytes.rstrip(last)
    run = len(wire_bytes) - len(bare)
    if run < LONG_RUN:
        return {"wire_base64url": base64url.encode(wire_bytes)}
    return {"wire_base64url": base64url.encode(bare), "then": {"byte": last[0], "times": run}}


def _body(verdict: dict[str, Any], arrival: Arrival) -> object:
    """What an accepting receiver must have opened."""
    if verdict["outcome"] != "accepted":
        return None
    received = receive(arrival)
    if not isinstance(received, VerifiedMessage):
        return None
    if len(received.plaintext_bytes) > 100_000:
        return {"sha256": hashlib.sha256(received.plaintext_bytes).hexdigest()}
    return {"sha256": hashlib.sha256(received.plaintext_bytes).hexdigest(), "members": received.body.members}


def networks(folder: Path) -> dict[str, str]:
    """The lists that are there: their content -> file name."""
    return {file.read_text("utf-8"): file.name for file in folder.glob("network-*.json")}


def write(folder: Path = FOLDER) -> tuple[int, list[str]]:
    """Writes what is not there; answers how many vectors, and which are left out.

    Those are too large, or no list that could be exported is like theirs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "keys.json").exists():
        (folder / "keys.json").write_text(json.dumps(jwk_set(), indent=1) + "\n", "utf-8")
    known, written, left_out = networks(folder), 0, []
    for name, verdict, arrival in arrivals():
        file = folder / f"{name}.json"
        try:
            exported = strict_json.encode(dict(export_of(arrival.directory)))
            can_be = directory_of(exported).signing_keys == arrival.directory.signing_keys
        except BadInputError:
            can_be = False
        if not can_be or len(_wire(arrival.wire_bytes)["wire_base64url"]) > LARGEST:
            left_out.append(name)
            continue
        text = json.dumps(json.loads(exported), indent=1, ensure_ascii=False) + "\n"
        if text not in known:
            known[text] = f"network-{len(known) + 1:02d}.json"
            (folder / known[text]).write_text(text, "utf-8")
        if not file.exists():
            made = vector(name, verdict, arrival, known[text])
            file.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
            written += 1
    return written, left_out


def jwk_set() -> dict[str, object]:
    """The private keys of everybody, which are for tests."""
    return {"test": True, "keys": [_jwk(kid, key) for kid, key in sorted(PRIVATE.items())]}


def _jwk(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    private = key.private_numbers()
    public = private.public_numbers
    numbers = {"x": public.x, "y": public.y, "d": private.private_value}
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        **{n: base64url.encode(v.to_bytes(32)) for n, v in numbers.items()},
    }


if __name__ == "__main__":
    made, without = write()
    print(f"{made} written; left out: {', '.join(without)}")  # noqa: T201 - a command
    sys.exit(0)
