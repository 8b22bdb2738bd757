"""The wire vectors: each is judged as it says, there are enough of each step, and they can be read without our code."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from forging.vectors import FOLDER, arrivals, jwk_set, wire_of
from forging.wire_forge import Arrival, receive

from bridge.adapters.jose.jwk_files import read_jwk_set
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.trust.membership.exported import read_export
from bridge.cli.main import main_status
from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.verification import (
    HELD_CODES,
    Hints,
    Receiver,
    ReplayVerdict,
    SentDigests,
    TrustView,
    VerifiedMessage,
    authenticate,
    judge_replay,
)

FILES = sorted(FOLDER.glob("[0-9]*.json"))
PER_STEP = 3
STEPS = (*range(1, 14), 15, 16, 17)


def read(file: Path) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return vector


@cache
def network(name: str) -> Directory:
    return read_export(FOLDER / name)


def arrival(vector: dict[str, Any]) -> Arrival:
    """The vector as a receiver meets it, from its file alone."""
    properties, sent = vector["properties"], vector["sent"]
    hints = None
    if properties is not None:
        named = {name: properties[name] for name in ("correlation_id", "type", "app_id", "routing_key", "user_id")}
        hints = Hints(**named, copied=bool(properties["headers"]))
    return Arrival(
        wire_of(vector),
        directory=network(vector["network"]),
        highest_version=vector["highest_version"],
        receiver=Receiver(vector["country"], vector["recipient"]),
        now=datetime.fromisoformat(vector["at"]),
        hints=hints,
        known_digest=vector["known_payload_sha256"],
        held_kids=tuple(vector["opening_keys"]),
        originator=vector["originator"],
        sent=None if sent is None else SentDigests(**sent),
    )


def judged(vector: dict[str, Any]) -> tuple[str, int, str | None]:
    """Outcome, step and code."""
    given = arrival(vector)
    try:
        if given.known_digest is not None:
            message = authenticate(
                given.wire_bytes, trust=TrustView(given.directory, given.highest_version), receiver=given.receiver,
                now=given.now, hints=given.hints, is_signature=is_signature,
            )  # fmt: skip
            if judge_replay(message, known_digest=given.known_digest) is ReplayVerdict.DUPLICATE:
                return "duplicate", 13, None
        received = receive(given)
    except VerificationError as error:
        return "held" if error.code in HELD_CODES else "refused", error.step, error.code
    if isinstance(received, VerifiedMessage):
        assert hashlib.sha256(received.plaintext_bytes).hexdigest() == vector["body"]["sha256"]
        assert vector["body"].get("members", received.body.members) == received.body.members
    return "accepted", 17, None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_vector_is_judged_as_it_says(file: Path) -> None:
    vector = read(file)
    assert vector["name"] == file.stem
    assert judged(vector) == (vector["outcome"], vector["step"], vector["code"])


def test_every_step_has_three_and_every_code_of_the_table_one() -> None:
    vectors = [read(file) for file in FILES]
    steps = Counter(vector["step"] for vector in vectors if vector["outcome"] in {"refused", "held"})
    assert {step: count for step, count in steps.items() if count < PER_STEP} == {}
    assert set(steps) == set(STEPS)
    assert len([vector for vector in vectors if vector["outcome"] == "accepted"]) >= 12
    tried = {case["code"] for _, case, _ in arrivals()} - {None}
    assert tried - {vector["code"] for vector in vectors} == {"E_ALG"}  # no list names another algorithm


def test_the_keys_are_those_that_sign_and_are_marked_as_test_keys() -> None:
    assert json.loads((FOLDER / "keys.json").read_text("utf-8")) == jwk_set()
    assert set(read_jwk_set(FOLDER / "keys.json").kids()) >= {"at.ncp#enc-a", "rs.ncp#sig-a"}


# One of each step through the command line, as a reader of the page would try it.
FIRST = {read(file)["step"] if read(file)["code"] else 0: file for file in reversed(FILES) if read(file)["recipient"]}


@pytest.mark.parametrize("step", sorted(step for step in FIRST if step not in {13, 17}))
def test_the_command_says_the_same(step: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vector = read(FIRST[step])
    (tmp_path / "message").write_bytes(wire_of(vector))
    (tmp_path / "state").write_text(json.dumps({"highest_version": vector["highest_version"]}), "utf-8")
    options = [
        *("--network", FOLDER / vector["network"], "--recipient", vector["recipient"], "--at", vector["at"]),
        *("--keys", FOLDER / "keys.json", "--state", tmp_path / "state"),
    ]
    if vector["properties"] is not None:
        (tmp_path / "properties").write_text(json.dumps(vector["properties"]), "utf-8")
        options += ["--properties", tmp_path / "properties"]
    status = main_status(["message", "verify", str(tmp_path / "message"), *map(str, options), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["ok"], said["code"]) == (
        0 if vector["code"] is None else 3,
        vector["code"] is None,
        vector["code"],
    )
    assert vector["code"] is None or said["step"] == vector["step"]
