"""Who is in a sandbox, how each behaves, and whose folder it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bridge.app.network_file import read_network_file
from bridge.cli.main import main_status
from bridge.core.errors import BadInputError, RefusedError
from bridge.counterparts.scripts import SCRIPTS, Late
from bridge.founding.network import account_names
from bridge.sandbox.folder import admit_request, look
from bridge.sandbox.plan import EXPECT, expectation, plan_of, script_of


def test_every_script_is_there_once_and_one_country_has_two_contact_points() -> None:
    plan = plan_of("RS", [])
    names = [script.partition(":")[0] for one, script in plan.scripts.items() if one.endswith(".ncp")]
    assert names == list(SCRIPTS) == list(EXPECT)
    assert plan.countries["at"] == ["at.ncp", "at.labour"]
    assert plan.own == "rs.ncp"


@pytest.mark.parametrize("you", ["RS", "at", "DE", "XK"])
def test_any_country_can_be_yours_and_the_network_file_is_one(you: str) -> None:
    plan = plan_of(you, [])
    network = read_network_file(plan.network_file().encode(), accounts=account_names)
    assert len(plan.countries) == 8
    assert you.lower() not in plan.countries
    assert len(network.contact_points) == 10
    assert tomllib.loads(plan.network_file())["defaults"]["statuses"] == ["exercise", "system"]


def test_a_script_that_was_given_takes_the_place_of_the_usual_one() -> None:
    plan = plan_of("RS", ["at.ncp=never", "hr.ncp=late:3", "at.ncp=gap"])
    assert (plan.scripts["at.ncp"], plan.scripts["hr.ncp"]) == ("gap", "late:3")
    late = script_of("late:3")
    assert isinstance(late, Late)
    assert late.seconds == 3
    assert expectation("late:3") == expectation("late")


@pytest.mark.parametrize(
    ("you", "script", "named"),
    [
        ("RS", "at.ncp=sometimes", "bad-signature"),
        ("RS", "at.ncp=late:soon", "late:20"),
        ("RS", "at.ncp", "expected answers"),
        ("RS", "de.ncp=never", "at.ncp"),
        ("RS", "rs.ncp=never", "at.ncp"),
        ("Serbia", "at.ncp=never", "--you"),
    ],
)
def test_what_is_not_there_is_refused_with_the_list(you: str, script: str, named: str) -> None:
    with pytest.raises(BadInputError) as refused:
        plan_of(you, [script])
    assert refused.value.code == "E_USAGE"
    assert named in refused.value.message


def test_a_folder_that_no_sandbox_made_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given a network that is meant
    (tmp_path / "network").mkdir()
    (tmp_path / "sandbox.json").write_text("[]")

    # then neither is it run nor does anybody get into it
    with pytest.raises(RefusedError, match="no sandbox's folder"):
        look(tmp_path)
    with pytest.raises(RefusedError, match="no sandbox's folder"):
        admit_request(tmp_path, tmp_path / "request.json")
    assert main_status(["sandbox", str(tmp_path), "--json"]) == 3
    assert "E_SANDBOX_FOLDER" in capsys.readouterr().out
    assert look(tmp_path / "new") is None


def test_another_country_is_not_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sandbox.json").write_text('{"sandbox":1,"you":"RS","mine":"node","scripts":{}}')
    assert main_status(["sandbox", str(tmp_path), "--you", "AT", "--json"]) == 3
    assert "a sandbox for RS with a node" in capsys.readouterr().out
