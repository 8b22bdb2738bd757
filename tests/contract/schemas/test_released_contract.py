"""What was released never changes; a minor version only adds; samples are judged alike by schema, models and ajv."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from compatible import breaks
from samples import EXPECTED, NAMES, SAMPLES, VERSION, bad_samples, good_samples
from servers.node_packages import ensure_node_modules, find_node
from verdicts import problems

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "schemas"
NODE = ROOT / "tests" / "contract" / "node"
GOOD = sorted(SAMPLES.glob("*/*/good/*.json"))
BAD = sorted(path for path in SAMPLES.glob("*/*/bad/*.json") if path.name != EXPECTED)
RAW = "strict-json"  # no value at all for whoever parses leniently


def contract(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "contract.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@cache
def validator(name: str, version: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((SCHEMAS / name / f"{version}.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def place(path: Path) -> tuple[str, str]:
    """A sample's kind and version."""
    return path.parts[-4], path.parts[-3]


def expected(path: Path) -> dict[str, Any]:
    judged: dict[str, Any] = json.loads((path.parent / EXPECTED).read_text("utf-8"))[path.name]
    return judged


def minors(name: str) -> list[str]:
    return sorted(
        (path.stem for path in (SCHEMAS / name).glob("*.json")), key=lambda stem: tuple(map(int, stem.split(".")))
    )


# Frozen


def test_nothing_that_was_released_has_changed_and_nothing_waits() -> None:
    assert contract("check") == (0, "")


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_a_change_of_a_released_file_is_noticed_and_not_released(change: str, tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    file = tmp_path / "schemas" / "receipt" / "1.0.json"
    file.write_text(file.read_text("utf-8") + " ", "utf-8") if change == "edit" else file.unlink()
    status, said = contract("release", "--schemas", tmp_path / "schemas")
    assert status == 1
    assert "receipt/1.0.json: it was released" in said


def test_a_new_version_waits_until_it_is_released(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    shutil.copy(tmp_path / "schemas" / "receipt" / "1.0.json", tmp_path / "schemas" / "receipt" / "1.1.json")
    assert contract("check", "--schemas", tmp_path / "schemas") == (1, "receipt/1.1.json: not released\n")
    assert contract("release", "--schemas", tmp_path / "schemas") == (0, "released 1 files\n")
    assert contract("check", "--schemas", tmp_path / "schemas") == (0, "")


def test_a_bundle_is_the_same_wherever_it_is_made_and_sums_hold(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    made = [
        contract("bundle", tmp_path / "one.zip"),
        contract("bundle", tmp_path / "two.zip", "--schemas", tmp_path / "schemas"),
    ]
    assert made[0] == made[1]
    shutil.unpack_archive(tmp_path / "one.zip", tmp_path / "unpacked")
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"],  # noqa: S607 - of the system
        cwd=tmp_path / "unpacked" / "ncp-bridge-schemas", check=False, capture_output=True,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout) == (0, b"")


# Samples


def test_samples_are_those_of_the_rules_and_at_least_five_of_each_kind_are_bad() -> None:
    for name in NAMES:
        good, bad = (SAMPLES / name / VERSION / verdict for verdict in ("good", "bad"))
        assert dict(good_samples(name)) == {path.name: path.read_bytes() for path in good.glob("*")}
        assert {path.name for path in bad.glob("*")} == {EXPECTED, *(file for file, _, _ in bad_samples(name))}
        assert len(list(bad.glob("*"))) > 5


@pytest.mark.parametrize("path", GOOD, ids=lambda path: "/".join(path.parts[-4:]))
def test_a_good_sample_is_right_in_its_version_and_every_newer_minor(path: Path) -> None:
    name, version = place(path)
    assert problems(name, path.read_bytes() if name == "alert-file" else json.loads(path.read_bytes())) == ()
    for newer in minors(name)[minors(name).index(version) :]:
        assert validator(name, newer).is_valid(json.loads(path.read_bytes()))


def test_a_bad_sample_is_refused_as_it_is_said_in_its_version_and_every_newer_minor() -> None:
    for path in BAD:
        name, version = place(path)
        judged, data = expected(path), path.read_bytes()
        if judged["rule"] != RAW:
            document = json.loads(data)
            (problem,) = problems(name, data if name == "alert-file" else document)
            assert (problem.code, problem.path) == (judged["code"], judged["path"]), path
            for newer in minors(name)[minors(name).index(version) :]:
                assert validator(name, newer).is_valid(document) != ("schema" in judged["found_by"]), path
        else:
            (problem,) = problems(name, data)
            assert problem.code == judged["code"]


# Versions


def test_every_minor_version_only_adds_to_the_one_before() -> None:
    names = [folder.name for folder in SCHEMAS.iterdir() if (folder / "1.0.json").exists()]
    assert len(names) >= len(NAMES)
    for name in names:
        versions = [json.loads((SCHEMAS / name / f"{minor}.json").read_text("utf-8")) for minor in minors(name)]
        for old, new in itertools.pairwise(versions):
            assert breaks(old, new) == []


def route_alert() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / "route_alert" / "1.0.json").read_text("utf-8"))
    return schema


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].update(corridor={"type": "string"}),
        lambda schema: schema["$defs"]["severity"]["enum"].append("grave"),
        lambda schema: schema["$defs"].update(corridor={"enum": ["west"]}),
        lambda schema: schema["properties"]["legs"].update(maxItems=1000),
        lambda schema: schema.update(description="in other words"),
    ],
)
def test_what_only_adds_breaks_nothing(change: Callable[[dict[str, Any]], object]) -> None:
    new = route_alert()
    change(new)
    assert breaks(route_alert(), new) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda schema: schema["properties"].pop("trend"), "trend: gone"),
        (lambda schema: schema["required"].append("trend"), "trend is asked for"),
        (lambda schema: schema["required"].remove("title"), "title may be left out"),
        (lambda schema: schema["$defs"]["severity"]["enum"].remove("minor"), "minor is gone"),
        (lambda schema: schema["properties"]["legs"].update(maxItems=1), "narrower"),
        (lambda schema: schema["properties"]["legs"].update(minItems=2), "narrower"),
        (lambda schema: schema["properties"]["title"].update(type="integer"), "changed"),
        (lambda schema: schema["properties"]["title"].update(pattern="^A"), "changed"),
        (lambda schema: schema["properties"]["legs"].update(uniqueItems=True), "new"),
        (lambda schema: schema.update(additionalProperties=True), "changed"),
        (lambda schema: schema["allOf"].pop(), "changed"),
        (lambda schema: schema["$defs"].pop("severity"), "gone"),
    ],
)
def test_what_does_more_than_add_is_named(change: Callable[[dict[str, Any]], object], named: str) -> None:
    new = copy.deepcopy(route_alert())
    change(new)
    found = breaks(route_alert(), new)
    assert len(found) == 1
    assert named in found[0]


# As integrators' tools see it


@cache
def seen_by_node() -> list[dict[str, Any]]:
    ensure_node_modules(NODE)
    samples = [
        json.dumps({"schema": "/".join(place(path)) + ".json", "value": json.loads(path.read_bytes())})
        for path in (*GOOD, *(path for path in BAD if expected(path)["rule"] != RAW))
    ]
    done = subprocess.run(  # noqa: S603 - our own script
        [find_node().program, NODE / "contract.mjs", SCHEMAS],
        input="\n".join(samples), capture_output=True, encoding="utf-8", check=True, timeout=120,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.node
def test_every_schema_is_valid_for_ajv_in_strict_mode() -> None:
    compiled = [line for line in seen_by_node() if "ok" in line]
    assert [line for line in compiled if not line["ok"]] == []
    assert {line["schema"] for line in compiled} == {
        f"{path.parent.name}/{path.name}" for path in SCHEMAS.glob("*/1.*.json")
    }


@pytest.mark.node
def test_ajv_judges_every_sample_as_it_is_said() -> None:
    verdicts = [line["valid"] for line in seen_by_node() if "sample" in line]
    bad = [path for path in BAD if expected(path)["rule"] != RAW]
    assert verdicts[: len(GOOD)] == [True] * len(GOOD)
    assert verdicts[len(GOOD) :] == ["schema" not in expected(path)["found_by"] for path in bad]


@pytest.mark.node
def test_the_asyncapi_document_is_valid() -> None:
    lines = seen_by_node()
    assert [line for line in lines if "diagnostic" in line] == []
    (read,) = [line for line in lines if "asyncapi" in line]
    assert read["asyncapi"] == "3.1.0"
    assert len(read["operations"]) >= 7
