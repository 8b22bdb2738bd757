"""`ncp-bridge tokens`: made and shown once, listed without what they are, revoked for good."""

from __future__ import annotations

import pytest
from cli_commands import Nodes, ask, say

SCOPES = ("--scope", "inbox:read", "--scope", "alerts:submit")


def test_a_token_is_shown_once_listed_by_its_name_and_revoked(nodes: Nodes) -> None:
    # given
    made = ask("tokens", "add", "cases", *SCOPES, "--expires", "90d", "--config", nodes.rs)
    assert made["token"].startswith("ncpb_")
    assert (made["contact_point"], made["scopes"]) == ("rs.ncp", ["alerts:submit", "inbox:read"])
    assert made["expires_at"] > made["made_at"]

    # then neither the list nor the log says it, and its name is used
    listed = say("tokens", "list", "--config", nodes.rs).out
    log = say("audit", "list", "--config", nodes.rs, "--json").out
    assert "cases" in listed
    assert "token.made" in log
    assert made["token"] not in listed + log
    (one,) = ask("tokens", "list", "--config", nodes.rs)["items"]
    assert (one["name"], one["used_at"], one["revoked_at"]) == ("cases", None, None)
    again = say("tokens", "add", "cases", *SCOPES, "--config", nodes.rs, "--json")
    assert (again.status, again.json["error"]["code"]) == (2, "E_TOKEN_NAME")

    # and it is revoked once; its name stays used
    assert ask("tokens", "revoke", "cases", "--config", nodes.rs) == {"name": "cases", "revoked": True}
    assert ask("tokens", "list", "--config", nodes.rs)["items"][0]["revoked_at"] is not None
    assert say("tokens", "revoke", "cases", "--config", nodes.rs).status == 2
    assert say("tokens", "add", "cases", *SCOPES, "--config", nodes.rs).status == 2


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("Cases", *SCOPES), "E_TOKEN_NAME", "name"),
        (("cases", "--scope", "inbox:write"), "E_SCOPE", "inbox:read"),
        (("cases", *SCOPES, "--contact-point", "at.ncp"), "E_CONTACT_POINT", "rs.ncp"),
        (("cases", *SCOPES, "--expires", "soon"), "E_USAGE", "--expires"),
    ],
)
def test_what_is_no_token_is_refused_in_a_sentence(
    nodes: Nodes, arguments: tuple[str, ...], code: str, named: str
) -> None:
    said = say("tokens", "add", *arguments, "--config", nodes.rs, "--json")
    assert said.status == 2
    assert said.json["error"]["code"] == code
    assert named in said.json["error"]["message"]
    assert ask("tokens", "list", "--config", nodes.rs)["items"] == []


def test_a_node_with_two_contact_points_asks_for_which(nodes: Nodes) -> None:
    said = say("tokens", "add", "cases", *SCOPES, "--config", nodes.hu, "--json")
    assert said.status == 2
    assert "hu.border-police" in said.json["error"]["message"]
