"""Whatever a body says, its refusal does not repeat it: quarantine lists and logs are read by operators."""

from __future__ import annotations

import json

import pytest
from bridge_node import Node
from bridge_world import alert, control, route_body

from bridge.core.errors import Problem
from bridge.core.messages import impersonal, read_alert_file
from bridge.core.wire import strict_json
from bridge.ports.store.records import Quarantined

NAME = "Jelena Petrović +381641234567"


async def refusal(node: Node) -> Quarantined:
    (one,) = await node.quarantined()
    return one


@pytest.mark.parametrize("name", [NAME, "Jelena_Petrovic", 'a"].legs', "x" * 100, "]", "legs]", "[0].legs", "\\"])
async def test_a_member_that_the_format_does_not_have_is_not_named(node: Node, name: str) -> None:
    body = route_body()
    leg = {"from": {"country": "RS"}, "to": {"country": "AT"}, "confirmed": True, name: "x"}

    await node.receiver("at.ncp").receive([alert(body={**body, "legs": [leg]}).delivery(to="at.ncp")])

    refused = await refusal(node)
    assert refused.code == "E_BODY_SCHEMA"
    assert refused.detail == "$.legs[0].?: expected no such member"


async def test_a_member_of_the_format_is_named_and_its_value_is_not(node: Node) -> None:
    body = {**route_body(), "tlp": NAME}

    await node.receiver("at.ncp").receive([alert(body=body).delivery(to="at.ncp")])

    refused = await refusal(node)
    assert refused.detail.startswith("$.tlp: expected one of RED")
    assert "Jelena" not in refused.detail


async def test_a_control_messages_invented_member_is_not_named_either(node: Node) -> None:
    message = control("heartbeat", {NAME: "x"})

    await node.receiver("rs.ncp").receive([message.delivery(to="rs.ncp")])

    refused = await refusal(node)
    assert refused.code == "E_RECEIPT"
    assert "Jelena" not in refused.detail


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$", "$"),
        ("$.legs[3].from.country", "$.legs[3].from.country"),
        ("$.narrative.sr", "$.narrative.?"),
        ('$["a (b)"].legs', "$.?.legs"),
        (f'$["{"x" * 60}…" (100 characters)][2].title', "$.?[2].title"),
        ("$ of no known form", "$.?"),
    ],
)
def test_a_path_keeps_what_the_format_names_and_nothing_else(path: str, said: str) -> None:
    assert impersonal(Problem(path, NAME, "text", "E_TYPE")) == f"{said}: expected text"


def test_strict_json_names_a_doubled_member_to_its_author_only() -> None:
    data = json.dumps({NAME: 1}, ensure_ascii=False)[:-1] + f', "{NAME}": 2}}'

    with pytest.raises(strict_json.StrictJsonError) as caught:
        strict_json.parse(data.encode())
    problems = read_alert_file(data.encode())

    assert str(caught.value) == "a member stands twice"
    assert isinstance(problems, tuple)
    assert NAME in problems[0].expected
