"""The checked-in schemas are what the models say now, and are schemas an integrator can rely on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bridge.core.vocabulary import CODE_LISTS, KINDS

ROOT = Path(__file__).resolve().parents[3]
NAMES = (*KINDS, "alert-file")
CLOSED_BY_THE_RULES = "body"  # the alert file's body: each kind's own form closes it


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "schemas" / name / "1.0.json").read_text())
    return loaded


def objects(value: object, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of an object in a schema, with the member it stands under; conditions of rules left out."""
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield name, value
        for key, item in value.items():
            if key != "allOf":
                yield from objects(item, key)


def run_generator(*options: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(ROOT / "scripts" / "schemas.py"), *options], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_generating_again_changes_nothing() -> None:
    assert run_generator("--check") == (0, "")


def test_a_schema_that_was_edited_by_hand_is_noticed_and_written_anew(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    edited = tmp_path / "schemas" / "receipt" / "1.0.json"
    edited.write_text(edited.read_text().replace("rejected", "refused", 1))

    assert run_generator("--check", "--into", str(tmp_path)) == (1, "schemas/receipt/1.0.json: out of date\n")
    assert run_generator("--into", str(tmp_path)) == (0, "schemas/receipt/1.0.json: written\n")
    assert edited.read_bytes() == (ROOT / "schemas" / "receipt" / "1.0.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_names_itself(name: str) -> None:
    document = schema(name)
    jsonschema_rs.meta.validate(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"urn:ncp-bridge:{name}:1.0"
    assert document["title"]
    assert document["description"]


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_closed_and_every_member_described(name: str) -> None:
    for member, value in objects(schema(name)):
        if member != CLOSED_BY_THE_RULES:
            assert value["additionalProperties"] is False, member
        for described, inner in value.get("properties", {}).items():
            assert inner.get("description"), f"{member}.{described}"


@pytest.mark.parametrize("name", NAMES)
def test_code_lists_stand_in_full(name: str) -> None:
    lists = {key: value["enum"] for key, value in schema(name)["$defs"].items() if "enum" in value}
    assert lists == {key: list(CODE_LISTS[key]) for key in lists}
    assert lists or name in ("receipt", "heartbeat", "resend_request")


def test_there_is_no_schema_but_those() -> None:
    by_hand = {"envelope", "payload", "sealed", "membership-export"}  # over these, of the wire and of `network export`
    beside = {"rules.json", "released.json", "asyncapi.yaml", "openapi.json", "samples", "vectors"}
    assert {path.name for path in (ROOT / "schemas").iterdir()} == {*NAMES, *by_hand, *beside}
