"""`doctor` looks at the signing key that is in use, not at any that the membership list knows."""

from __future__ import annotations

import json
import shutil

import pytest
from cli_commands import Nodes

from bridge.cli.main import main_status


def keys_check(nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    main_status(["doctor", "--json", "--config", str(nodes.rs)])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return next(check for check in checks if check["name"] == "keys")


def test_keys_that_the_list_knows_are_named(nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> None:
    # given a node as it was set up; when it is examined
    check = keys_check(nodes, capsys)

    # then its signing key is named
    assert check["ok"]
    assert "rs.ncp#sig-" in str(check["detail"])


def test_a_key_that_no_list_has_yet_is_not_used(nodes: Nodes, capsys: pytest.CaptureFixture[str]) -> None:
    # given a newer signing key in the folder, which receivers do not know
    folder = nodes.rs.parent / "keys" / "rs.ncp"
    listed = next(folder.glob("sig-*.pem"))
    unlisted = folder / "sig-2999z.pem"
    shutil.copy(listed, unlisted)

    # when the node is examined, then it signs with the one that they know
    check = keys_check(nodes, capsys)
    assert check["ok"]
    assert f"rs.ncp#{listed.stem}" in str(check["detail"])

    # when there is no other, then the check fails and says why
    listed.rename(folder / "aside")
    check = keys_check(nodes, capsys)
    assert not check["ok"]
    assert check["state"] == "key_unusable"
    assert "rs.ncp#sig-2999z is not in membership list" in str(check["detail"])
    assert f"the private part of rs.ncp#{listed.stem} is not here" in str(check["detail"])
