"""`message verify`: the numbered procedure over files, with as much as is known of the circumstances."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_commands import Nodes, say, wire_bytes_of
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bridge.core.ids import time_of
from bridge.core.times import format_time
from bridge.core.wire import base64url


@pytest.fixture
def wire(nodes: Nodes, sent: str, tmp_path: Path) -> Path:
    """The alert's bytes in a file."""
    file = tmp_path / "message.json"
    file.write_bytes(wire_bytes_of(nodes.rs, sent))
    return file


@pytest.fixture
def properties(sent: str, tmp_path: Path) -> Path:
    """The AMQP properties with which it travels to Austria."""
    members = {
        "correlation_id": sent,
        "type": "route_alert",
        "app_id": "rs.ncp",
        "routing_key": "rs.at.normal.route_alert",
    }
    return written(tmp_path / "properties.json", members)


def verify(nodes: Nodes, file: Path | str, *options: object, stdin_bytes: bytes = b"") -> tuple[int, dict[str, Any]]:
    said = say("message", "verify", file, "--network", nodes.network, *options, "--json", stdin_bytes=stdin_bytes)
    return said.status, said.json


def keys_of(config: Path, contact_point: str) -> tuple[object, ...]:
    return ("--recipient", contact_point, "--keys", config.parent / "keys" / contact_point)


def written(file: Path, members: object) -> Path:
    file.write_text(json.dumps(members), "utf-8")
    return file


def test_steps_that_nothing_is_known_for_are_named(nodes: Nodes, wire: Path) -> None:
    status, verdict = verify(nodes, wire)

    assert (status, verdict["ok"], verdict["step"], verdict["code"]) == (0, True, 12, None)
    assert verdict["skipped"] == [9, 13, 14, 15, 16, 17]


def test_with_everything_known_nothing_is_skipped(nodes: Nodes, wire: Path, properties: Path, tmp_path: Path) -> None:
    state = written(tmp_path / "state.json", {"highest_version": 1, "seen": [], "sent": [], "threads": []})

    status, verdict = verify(nodes, wire, *keys_of(nodes.at, "at.ncp"), "--properties", properties, "--state", state)

    assert (status, verdict["ok"], verdict["step"], verdict["skipped"]) == (0, True, 17, [])
    assert "route_alert from rs.ncp" in verdict["detail"]


def test_a_message_from_standard_input_is_judged_the_same(nodes: Nodes, wire: Path) -> None:
    assert verify(nodes, "-", stdin_bytes=wire.read_bytes()) == verify(nodes, wire)


def test_key_files_without_protection_open_it_too(nodes: Nodes, wire: Path, tmp_path: Path) -> None:
    # given the keys of another program, in a folder with no machine secret anywhere near
    secret_bytes = (nodes.at.parent / "secrets" / "machine.key").read_bytes()
    protected = nodes.at.parent / "keys" / "at.ncp" / "enc-2026a.pem"
    key = load_pem_private_key(protected.read_bytes(), secret_bytes)
    plain = tmp_path / "elsewhere" / "enc-2026a.pem"
    plain.parent.mkdir()
    plain.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    plain.chmod(0o600)

    # when
    status, verdict = verify(nodes, wire, "--recipient", "at.ncp", "--keys", plain.parent)

    # then
    assert (status, verdict["step"], verdict["skipped"]) == (0, 17, [9, 13, 14])


def test_a_machine_secret_that_lies_elsewhere_is_named(nodes: Nodes, wire: Path, tmp_path: Path) -> None:
    # given
    keys, secret = tmp_path / "keys-only", tmp_path / "the-secret"
    shutil.copytree(nodes.at.parent / "keys" / "at.ncp", keys)
    shutil.copy(nodes.at.parent / "secrets" / "machine.key", secret)
    options = ("--recipient", "at.ncp", "--keys", keys)

    # when
    without, with_it = verify(nodes, wire, *options), verify(nodes, wire, *options, "--machine-secret", secret)

    # then
    assert (without[0], without[1]["error"]["code"]) == (4, "E_KEY_FILE")
    assert with_it[0] == 0


def test_the_keys_of_somebody_else_do_not_open_it(nodes: Nodes, wire: Path) -> None:
    status, verdict = verify(nodes, wire, *keys_of(nodes.hu, "hu.ncp"))
    assert (status, verdict["step"]) == (0, 17)  # Hungary is a recipient

    status, verdict = verify(nodes, wire, *keys_of(nodes.rs, "rs.ncp"))
    assert (status, verdict["step"], verdict["code"]) == (3, 10, "E_NOT_RECIPIENT")

    status, verdict = verify(nodes, wire, "--recipient", "at.ncp", "--keys", nodes.hu.parent / "keys" / "hu.ncp")
    assert (status, verdict["step"], verdict["code"]) == (3, 15, "E_DECRYPT")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("correlation_id", "another"),
        ("type", "alert_update"),
        ("app_id", "hu.ncp"),
        ("routing_key", "rs.at.urgent.route_alert"),
        ("headers", {"CC": ["rs.hu.normal.route_alert"]}),
    ],
)
def test_properties_that_contradict_what_was_signed_are_refused(
    nodes: Nodes, wire: Path, properties: Path, member: str, value: object
) -> None:
    written(properties, {**json.loads(properties.read_text("utf-8")), member: value})

    status, verdict = verify(nodes, wire, "--recipient", "at.ncp", "--properties", properties)

    assert (status, verdict["ok"], verdict["step"], verdict["code"]) == (3, False, 9, "E_ROUTE_MISMATCH")
    assert verdict["skipped"] == []


def test_the_same_id_with_another_digest_is_equivocation(nodes: Nodes, wire: Path, sent: str, tmp_path: Path) -> None:
    seen = [{"from": "rs.ncp", "id": sent, "payload_sha256": base64url.encode(bytes(32))}]
    state = written(tmp_path / "state.json", {"seen": seen})

    status, verdict = verify(nodes, wire, "--state", state)

    assert (status, verdict["step"], verdict["code"]) == (3, 13, "E_EQUIVOCATION")


def test_the_same_message_again_is_a_duplicate_and_verifies(
    nodes: Nodes, wire: Path, sent: str, tmp_path: Path
) -> None:
    digest = say("inbox", "show", sent, "--config", nodes.at, "--json").json["signature"]["payload_sha256"]
    state = written(tmp_path / "state.json", {"seen": [{"from": "rs.ncp", "id": sent, "payload_sha256": digest}]})

    status, verdict = verify(nodes, wire, "--state", state)

    assert (status, verdict["ok"]) == (0, True)
    assert "duplicate" in verdict["detail"]


def test_an_older_membership_list_than_was_seen_is_not_used(nodes: Nodes, wire: Path, tmp_path: Path) -> None:
    state = written(tmp_path / "state.json", {"highest_version": 99})

    status, verdict = verify(nodes, wire, "--state", state)

    assert (status, verdict["step"], verdict["code"]) == (3, 5, "E_TRUST_STALE")


def test_an_update_of_a_thread_that_somebody_else_began_is_refused(nodes: Nodes, sent: str, tmp_path: Path) -> None:
    # given
    cancel = Path("examples/alerts/32-rs-me-hospitality-disrupted.json").resolve()
    cancelled = say("alert", "submit", cancel, "--supersedes", sent, "--config", nodes.rs, "--json").json["id"]
    wire = tmp_path / "cancel.json"
    wire.write_bytes(wire_bytes_of(nodes.rs, cancelled))
    keys = keys_of(nodes.at, "at.ncp")

    for began, expected in (("rs.ncp", (0, 17, None)), ("hu.ncp", (3, 17, "E_NOT_ORIGINATOR"))):
        # when
        state = written(tmp_path / "state.json", {"threads": [{"thread": sent, "from": began}]})
        status, verdict = verify(nodes, wire, *keys, "--state", state)

        # then
        assert (status, verdict["step"], verdict["code"]) == expected


def test_at_judges_as_of_another_time(nodes: Nodes, wire: Path, sent: str) -> None:
    before, soon, later = (time_of(sent) + timedelta(minutes=minutes) for minutes in (-3, 1, 60 * 24 * 8))

    assert verify(nodes, wire, "--at", format_time(soon))[0] == 0
    assert verify(nodes, wire, "--at", format_time(before))[1]["code"] == "E_FUTURE"
    assert verify(nodes, wire, "--at", format_time(later))[1]["code"] == "E_EXPIRED"
    assert verify(nodes, wire, "--at", soon.isoformat())[0] == 0


def test_a_receipt_is_held_against_what_was_sent(nodes: Nodes, sent: str, tmp_path: Path) -> None:
    # given Austria's receipt for the alert, and what Serbia knows of the alert
    with closing(sqlite3.connect(nodes.at.parent / "node.db")) as database:
        (receipt_bytes,) = database.execute(
            "SELECT w.wire_bytes FROM outbox o JOIN wire w ON w.sha256 = o.wire_sha256 WHERE o.kind = 'receipt'"
        ).fetchone()
    wire = tmp_path / "receipt.json"
    wire.write_bytes(receipt_bytes)
    payload = json.loads(base64url.decode(json.loads(receipt_bytes)["payload"]))
    of = payload["control"]["of"]
    digests = {name: of[name] for name in ("payload_sha256", "sealed_sha256")}
    ours = written(tmp_path / "ours.json", {"sent": [{"id": sent, "to": "at.ncp", **digests}]})
    nobodys = written(tmp_path / "nobodys.json", {"sent": []})

    # then
    assert verify(nodes, wire)[1]["skipped"] == [9, 13]
    assert verify(nodes, wire, "--state", ours)[1] == {
        "ok": True,
        "step": 13,
        "code": None,
        "skipped": [9],
        "detail": "receipt from at.ncp, verified for rs.ncp",
    }
    status, verdict = verify(nodes, wire, "--state", nobodys)
    assert (status, verdict["code"]) == (3, "E_RECEIPT")


@pytest.mark.parametrize(
    ("wire_bytes", "step", "code"),
    [(b"", 2, "E_JSON"), (b"{}", 3, "E_ENVELOPE"), (b"[" * 2000, 2, "E_JSON"), (b" " * (1 << 20) + b"{}", 1, "E_SIZE")],
)
def test_what_is_no_message_is_refused_at_its_step(nodes: Nodes, wire_bytes: bytes, step: int, code: str) -> None:
    status, verdict = verify(nodes, "-", stdin_bytes=wire_bytes)

    assert (status, verdict["step"], verdict["code"]) == (3, step, code)


@pytest.mark.parametrize(
    ("option", "members"),
    [
        ("--properties", {"routing": "x"}),
        ("--properties", {"type": 1}),
        ("--state", {"seen": {}}),
        ("--state", {"seen": [{"from": "rs.ncp"}]}),
        ("--state", {"highest_version": "1"}),
        ("--state", {"highest_version": True}),
        ("--state", {"threads": ["x"]}),
        ("--state", {"known": []}),
    ],
)
def test_circumstances_of_another_form_are_bad_input(
    nodes: Nodes, wire: Path, tmp_path: Path, option: str, members: object
) -> None:
    status, answer = verify(nodes, wire, option, written(tmp_path / "given.json", members))

    assert (status, answer["error"]["code"]) == (2, "E_USAGE")
    assert answer["error"]["message"].startswith(option)


def test_for_people_it_is_one_line(nodes: Nodes, wire: Path) -> None:
    said = say("message", "verify", wire, "--network", nodes.network)
    refused = say("message", "verify", wire, "--network", nodes.network, "--recipient", "rs.ncp")

    assert said.out == "ok: route_alert from rs.ncp, verified for at.ncp; steps not judged: 9, 13, 14, 15, 16, 17\n"
    assert refused.status == 3
    assert refused.out.startswith("refused at step 10: E_NOT_RECIPIENT: ")
