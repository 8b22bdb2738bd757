"""The description of the HTTP interface is current, and a fuzzer that reads it finds nothing, at a real process."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from cli_commands import ALERT, ROOT, ask
from http_world import serving
from schemathesis.checks import CHECKS

from bridge.api.examples import ALERT as EXAMPLE
from bridge.api.inbox import MOST_SECONDS
from bridge.app.integrating.tokens import Scope
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.wire import strict_json

if TYPE_CHECKING:
    from conftest import Shift

# What an alert must be, the description leaves to the schemas of messages: it says "an object", and most are refused.
NOT_ASKED = {"positive_data_acceptance"}
ALLOWED_WAITS = {str(seconds) for seconds in range(MOST_SECONDS + 1)}


def test_the_description_is_current() -> None:
    checked = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "openapi.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_every_operation_shows_requests_and_answers_that_have_its_form() -> None:
    described = json.loads((ROOT / "schemas" / "openapi.json").read_text("utf-8"))
    shown = 0
    for path in described["paths"].values():
        for operation in path.values():
            assert operation["security"][0]["HTTPBearer"] != []
            assert {"401", "403", "429", "503", "default"} <= set(operation["responses"])
            for answer in operation["responses"].values():
                assert answer["description"] != "Successful Response"
                for content in answer.get("content", {}).values():
                    form = {**content["schema"], "components": described["components"]}
                    if "example" in content:
                        jsonschema_rs.validate(form, content["example"])
                        shown += 1
    assert shown >= 2 * len(described["paths"]) - 1  # its answer, but for an opened message, and a failure


def test_the_alert_that_is_shown_is_one() -> None:
    assert isinstance(read_alert_file(strict_json.encode(dict(EXAMPLE))), AlertFile)


@pytest.fixture(scope="module")
def served(shift: Shift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where a node serves the interface in a process of its own, and a token for everything."""
    folder = tmp_path_factory.mktemp("served") / "rs"
    shutil.copytree(shift.folder / "rs", folder, symlinks=True)
    config = folder / "node.toml"
    scopes = [word for scope in Scope for word in ("--scope", scope.value)]
    token = ask("tokens", "add", "fuzzer", *scopes, "--config", config)["token"]
    with serving(config, "requests_per_minute = 1000000") as port:
        yield f"http://127.0.0.1:{port}", token


schema = schemathesis.openapi.from_path(ROOT / "schemas" / "openapi.json")


@schema.parametrize()
@hypothesis.settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_a_fuzzer_finds_nothing(case: schemathesis.Case, served: tuple[str, str]) -> None:
    if str((case.query or {}).get("wait")) in ALLOWED_WAITS:  # what is no such number stays as it is, to be refused
        case.query["wait"] = 0
    case.call_and_validate(
        base_url=served[0],
        headers={"Authorization": f"Bearer {served[1]}"},
        excluded_checks=[check for check in CHECKS.get_all() if check.__name__ in NOT_ASKED],
    )


def test_the_commands_of_the_documentation_run(served: tuple[str, str], tmp_path: Path) -> None:
    # given the page's requests, at this node with this token, and the files that they name
    page = (ROOT / "docs" / "integrate" / "http.md").read_text("utf-8")
    commands = [line for block in page.split("```")[1::2] for line in block.splitlines() if line.startswith("curl ")]
    alert = json.loads(ALERT.read_text("utf-8"))
    (tmp_path / "alert.json").write_text(json.dumps(alert), "utf-8")
    (tmp_path / "submission.json").write_text(json.dumps({"officer": "D. Petrović", "alert": alert}), "utf-8")

    # then each is answered
    answers = []
    for command in commands:
        here = (
            command.replace("$TOKEN", served[1])
            .replace("http://127.0.0.1:8450", served[0])
            .replace("wait=20", "wait=0")
        )
        said = subprocess.run(  # noqa: S603 - our own page
            [*shlex.split(here), "--silent", "--fail"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        answers.append(json.loads(said.stdout))
    checked, submitted, page_of_inbox = answers
    assert checked["ok"]
    assert submitted["recipients"]
    assert page_of_inbox["items"] == []


def test_every_route_and_scope_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "integrate" / "http.md").read_text("utf-8")
    described = json.loads((ROOT / "schemas" / "openapi.json").read_text("utf-8"))
    for path, operations in described["paths"].items():
        short = path.removeprefix("/api/v1").replace("{message_id}", "{id}").replace("{sender}", "{from}")
        assert all(f"`{method.upper()} {short}" in page for method in operations)
    assert all(f"--scope {scope.value}" in page for scope in Scope)
