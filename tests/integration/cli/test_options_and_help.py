"""Every command of the contract is there with exactly these options, and its help is plain text.

The table is written from the contract by hand; what it does not have and we added stands in `ADDED`.
"""

from __future__ import annotations

import re

import pytest
from cli_commands import say

from bridge.cli.main import GROUPS, SINGLE

OPTIONS = {
    "network init": {"--config"},
    "network show": set(),
    "network verify": set(),
    "node init": {"--country", "--network"},
    "topology apply": {"--config"},
    "alert validate": set(),
    "alert preview": {"--config", "--from"},
    "alert submit": {"--config", "--from", "--partial", "--yes"},
    "run": {"--config", "--ready-file"},
    "inbox list": {"--config", "--contact-point", "--state"},
    "inbox show": {"--config"},
    "inbox watch": {"--config"},
    "inbox acknowledge": {"--level", "--note", "--redirect-to", "--officer", "--config"},
    "outbox list": {"--config"},
    "outbox show": {"--config"},
    "quarantine list": {"--config"},
    "quarantine show": {"--config"},
    "quarantine replay": {"--config"},
    "quarantine return": {"--config"},
    "quarantine drop": {"--config"},
    "message verify": {"--network", "--recipient", "--keys", "--properties", "--state", "--at"},
    "status": {"--config"},
    "doctor": {"--config"},
}
ADDED = {
    "network confirm": set(),
    "network key": {
        "--holder",
        "--protect",
        "--passphrase-file",
        "--token-module",
        "--token-label",
        "--token-pin-file",
    },
    "network propose": {
        *("--config", "--out", "--admit", "--remove", "--reinstate", "--take-back"),
        *("--online", "--authority", "--withdraw-authority"),
    },
    "network explain": {"--mirror", "--root"},
    "network sign": {"--key", "--mirror", "--root", "--out", "--passphrase-file", "--yes"},
    "network publish": set(),
    "network revoke": {"--reason", "--key", "--passphrase-file", "--out", "--yes"},
    "network suspend": {"--reason", "--key", "--passphrase-file", "--out", "--yes"},
    "network certify": {"--network", "--out", "--member", "--server", "--authorities", "--yes"},
    "network exposure": {"--config", "--limit"},
    "network notice": {"--config", "--network", "--from"},
    "node init": {
        *("--broker-scheme", "--broker-host", "--broker-port", "--vhost", "--management-url", "--admin-url-file"),
        *("--token-module", "--token-label", "--token-pin-file"),
    },
    "node enroll": {
        *("--country", "--contact-point", "--mirror", "--root", "--out", "--replace"),
        *("--broker-scheme", "--broker-host", "--broker-port", "--vhost", "--management-url", "--admin-url-file"),
        *("--token-module", "--token-label", "--token-pin-file"),
    },
    "node certificates": {"--config", "--network", "--out", "--install"},
    "topology apply": {"--all", "--dry-run", "--drop-queues", "--yes"},
    "keys list": {"--config", "--contact-point"},
    "keys check": {"--config", "--contact-point", "--within"},
    "keys roll": {
        *("--config", "--contact-point", "--signing", "--encryption", "--network", "--out", "--overlap", "--officer"),
    },
    "keys revoke": {"--config", "--reason", "--network", "--out", "--officer"},
    "alert preview": {"--supersedes"},
    "alert submit": {"--supersedes"},
    "inbox show": {"--contact-point", "--from", "--officer", "--reason"},
    "inbox watch": {"--contact-point", "--since-start"},
    "inbox acknowledge": {"--contact-point", "--from"},
    "outbox list": {"--limit"},
    "quarantine list": {"--code", "--limit"},
    "quarantine replay": {"--all", "--reason", "--holder", "--officer", "--yes", "--dry-run"},
    "quarantine return": {"--all", "--reason", "--holder", "--officer", "--yes", "--dry-run"},
    "quarantine drop": {"--all", "--reason", "--holder", "--officer", "--why", "--yes", "--dry-run"},
    "message verify": {"--machine-secret"},
}
COMMANDS = sorted(OPTIONS.keys() | ADDED.keys())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_exactly_these_options(command: str) -> None:
    # when
    said = say(*command.split(), "--help")

    # then
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said.out.partition("Options:")[2]))
    found = {option for option in found if not option.startswith("--no-")}
    expected = OPTIONS.get(command, set()) | ADDED.get(command, set()) | {"--help"}
    assert said.status == 0
    assert found == (expected if command == "run" else expected | {"--json"})


@pytest.mark.parametrize("command", ["", *GROUPS, *COMMANDS])
def test_help_is_plain_text_of_a_readable_width(command: str) -> None:
    for option in ("--help", "-h"):
        said = say(*command.split(), option)

        assert said.status == 0
        assert said.err == ""
        assert said.out.startswith(f"Usage: ncp-bridge {command}".rstrip())
        assert all(len(line) <= 80 for line in said.out.splitlines())
        assert said.out.isascii()
        assert said.out.isprintable() or set(said.out) - {"\n"} <= set(map(chr, range(32, 127)))


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_a_group_alone_shows_its_help_and_is_a_usage_error(group: str) -> None:
    for_people, for_machines = say(*group.split()), say(*group.split(), "--json")

    assert for_people.status == for_machines.status == 2
    assert for_people.out == ""
    assert "Usage: ncp-bridge" in for_people.err
    assert for_machines.json["error"]["code"] == "E_USAGE"


def test_every_command_is_named_in_the_help_with_what_it_does() -> None:
    said = say("--help")

    for name, purpose in {**GROUPS, **SINGLE}.items():
        assert re.search(rf"^  {name} +{re.escape(purpose)}$", said.out, re.MULTILINE)
