"""A node whose keys are in files moves to a token: `keys roll` makes the new ones there, the old ones stay in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.main import main_status
from bridge.compose.node import load_desks
from bridge.settings import load_settings
from broker.soft_tokens import SoftToken

NETWORK = """
network = "one"
countries = ["AT"]

[[contact_points]]
id = "at.ncp"
name = "Austria"
national_desk = true
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The settings of a node with its keys in files."""
    (tmp_path / "network.toml").write_text(NETWORK, "utf-8")
    network, node = tmp_path / "network", tmp_path / "at"
    assert main_status(["network", "init", str(network), "--config", str(tmp_path / "network.toml")]) == 0
    assert main_status(["node", "init", str(node), "--country", "AT", "--network", str(network)]) == 0
    return node / "node.toml"


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    status = main_status([*map(str, arguments), "--json"])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == 0, said
    return said


def name_token(config: Path, token: SoftToken) -> None:
    """As an operator does: one line more for the contact point."""
    place = token.place
    line = f'token = {{ module = "{place.module}", label = "{place.label}", pin_file = "{place.pin_file}" }}'
    keys = 'keys = "keys/at.ncp"'
    config.write_text(config.read_text("utf-8").replace(keys, f"{keys}\n{line}"), "utf-8")


def test_new_keys_are_made_on_the_token_and_old_ones_are_still_here(
    config: Path, token: SoftToken, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    files = sorted(path.name for path in (config.parent / "keys" / "at.ncp").iterdir())
    name_token(config, token)
    # when
    network = config.parent.parent / "network"
    rolled = answer(capsys, "keys", "roll", "--config", config, "--contact-point", "at.ncp", "--network", network)
    # then
    assert rolled["version"] == 3
    assert sorted(path.name for path in (config.parent / "keys" / "at.ncp").iterdir()) == files
    desks, _ = load_desks(load_settings(config))
    keys = desks["at.ncp"].keys
    old, new = {kid for kid in keys.kids() if kid.endswith("a")}, {kid for kid in keys.kids() if kid.endswith("b")}
    assert (len(old), len(new)) == (2, 2)
    assert {len(keys.sign(kid, b"x")) for kid in keys.kids() if "#sig-" in kid} == {64}
    # when
    token.folder.rename(config.parent / "away")
    # then: a process starts, and says what it lacks when it needs it
    desks, _ = load_desks(load_settings(config))
    assert main_status(["keys", "list", "--config", str(config)]) == 4
    assert "E_TOKEN" in capsys.readouterr().err
