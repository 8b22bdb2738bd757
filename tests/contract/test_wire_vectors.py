"""The wire vectors: each is judged as it says, there are enough of each step, and they can be read without our code."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from forging.read_vectors import FILES, FOLDER, arrival_of, read_vector, wire_of
from forging.vectors import arrivals, jwk_set
from forging.wire_forge import Arrival, body_of, forge, receive

from bridge.adapters.jose.jwk_files import read_jwk_set
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.store import open_store
from bridge.adapters.store.schema import migrate
from bridge.cli.main import main_status
from bridge.core.errors import VerificationError
from bridge.core.verification import (
    HELD_CODES,
    ReplayVerdict,
    TrustView,
    VerifiedMessage,
    authenticate,
    judge_replay,
)
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.store.records import SequenceUse

PER_STEP = 3
SECONDS_AT_ONCE = 2.0  # a slow machine's; 0.05 s on two quiet cores
STEPS = (*range(1, 14), 15, 16, 17)


def judged(vector: dict[str, Any]) -> tuple[str, int, str | None]:
    """Outcome, step and code."""
    given = arrival_of(vector)
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
    vector = read_vector(file)
    assert vector["name"] == file.stem
    assert judged(vector) == (vector["outcome"], vector["step"], vector["code"])


def test_every_step_has_three_and_every_code_of_the_table_one() -> None:
    vectors = [read_vector(file) for file in FILES]
    steps = Counter(vector["step"] for vector in vectors if vector["outcome"] in {"refused", "held"})
    assert {step: count for step, count in steps.items() if count < PER_STEP} == {}
    assert set(steps) == set(STEPS)
    assert len([vector for vector in vectors if vector["outcome"] == "accepted"]) >= 12
    tried = {case["code"] for _, case, _ in arrivals()} - {None}
    assert tried - {vector["code"] for vector in vectors} == {"E_ALG"}  # no list names another algorithm


def test_the_keys_are_those_that_sign_and_are_marked_as_test_keys() -> None:
    assert json.loads((FOLDER / "keys.json").read_text("utf-8")) == jwk_set()
    assert set(read_jwk_set(FOLDER / "keys.json").kids()) >= {"at.ncp#enc-a", "rs.ncp#sig-a"}


def test_the_page_names_every_member_of_a_vector() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    named = {name for file in FILES for name in read_vector(file)}
    assert [name for name in sorted(named) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("file", [file for file in FILES if file.name.startswith("14-")], ids=lambda file: file.stem)
async def test_the_book_of_numbers_says_what_is_missing_or_used_again(file: Path, tmp_path: Path) -> None:
    # given
    vector = read_vector(file)
    payload = payload_of(vector)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    store = open_store(url)
    use = SequenceUse("at.ncp", payload["from"], payload["seq"]["epoch"], "urgent", payload["seq"]["n"]["at.ncp"], "")
    known = [
        replace(use, epoch=each["epoch"], number=each["n"], message_id=each["id"])
        for each in vector["numbers"]["known"]
    ]
    at = datetime.fromisoformat(vector["at"])
    # when
    try:
        async with store.writing() as unit:
            assert await unit.inbox.use_numbers(known, at) == []
            again = await unit.inbox.use_numbers([replace(use, message_id=payload["id"])], at)
        async with store.reading() as unit:
            missing = await unit.inbox.gaps(older_than=at + timedelta(minutes=10))
    finally:
        await store.close()
    # then
    assert bool(again) == vector["numbers"]["used_again"]
    assert [number for *_, number in missing] == vector["numbers"]["missing"]


# The longest lists that fit into 1 MiB: before anybody is known, and by a member that signs it.
LONG = {
    "on the wire": (3, "E_ENVELOPE", lambda: forge()[:-1] + b',"x":[' + b"0," * 520_000 + b"0]}"),
    "in the payload": (8, "E_SCHEMA", lambda: forge({"to": [0] * 390_000})),
}


@pytest.mark.parametrize("place", LONG)
def test_a_list_as_long_as_a_message_may_be_is_refused_at_once(place: str) -> None:
    # given
    step, code, made = LONG[place]
    wire_bytes = made()
    assert 1_000_000 < len(wire_bytes) <= 1024 * 1024
    # when
    begun = process_time()
    with pytest.raises(VerificationError) as refused:
        receive(Arrival(wire_bytes))
    # then
    assert process_time() - begun < SECONDS_AT_ONCE
    assert (refused.value.step, refused.value.code) == (step, code)


# One of each step through the command line, as a reader of the page would try it.
FIRST = {
    vector["step"] if vector["code"] else 0: vector
    for vector in map(read_vector, reversed(FILES))
    if vector["recipient"] is not None
}


def payload_of(vector: dict[str, Any]) -> dict[str, Any]:
    """The payload of a vector whose envelope can be read."""
    payload: dict[str, Any] = json.loads(parse_envelope(wire_of(vector)).payload_bytes)
    return payload


def options_of(vector: dict[str, Any], folder: Path) -> list[str]:
    """The command that judges a vector, with its files in `folder`."""
    state: dict[str, object] = {"highest_version": vector["highest_version"]}
    if vector["known_payload_sha256"] is not None:
        payload = payload_of(vector)
        known = {"from": payload["from"], "id": payload["id"], "payload_sha256": vector["known_payload_sha256"]}
        state["seen"] = [known]
    if vector["sent"] is not None:
        payload = payload_of(vector)
        state["sent"] = [{"id": payload["control"]["of"]["id"], "to": payload["from"], **vector["sent"]}]
    if vector["originator"] is not None:
        state["threads"] = [{"thread": body_of()["thread"], "from": vector["originator"]}]
    (folder / "message").write_bytes(wire_of(vector))
    (folder / "state").write_text(json.dumps(state), "utf-8")
    options = [
        *("message", "verify", folder / "message", "--network", FOLDER / vector["network"], "--at", vector["at"]),
        *("--recipient", vector["recipient"], "--keys", FOLDER / "keys.json", "--state", folder / "state", "--json"),
    ]
    if vector["properties"] is not None:
        (folder / "properties").write_text(json.dumps(vector["properties"]), "utf-8")
        options += ["--properties", folder / "properties"]
    return [str(option) for option in options]


def said_of(vector: dict[str, Any], status: int, answer: str) -> None:
    said = json.loads(answer)
    assert (status, said["ok"], said["code"]) == (
        0 if vector["code"] is None else 3,
        vector["code"] is None,
        vector["code"],
    )
    assert vector["code"] is None or said["step"] == vector["step"]


@pytest.mark.parametrize("step", sorted(FIRST))
def test_the_command_says_the_same(step: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vector = FIRST[step]
    status = main_status(options_of(vector, tmp_path))
    said_of(vector, status, capsys.readouterr().out)


@pytest.mark.parametrize(
    "name", ["13-receipt-for-another-payload", "17-not-originator-an-update-in-a-thread-that-another-began"]
)
def test_the_command_judges_by_what_was_sent_and_who_began_a_thread_vector(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vector = read_vector(FOLDER / f"{name}.json")
    status = main_status(options_of(vector, tmp_path))
    said_of(vector, status, capsys.readouterr().out)


@pytest.mark.parametrize("name", ["00-a-route-alert-to-two-countries", "07-signature-one-bit-of-the-signature"])
def test_the_program_says_the_same(name: str, tmp_path: Path) -> None:
    vector = read_vector(FOLDER / f"{name}.json")
    command = [sys.executable, "-m", "bridge", *options_of(vector, tmp_path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)  # noqa: S603 - ours
    said_of(vector, done.returncode, done.stdout)
