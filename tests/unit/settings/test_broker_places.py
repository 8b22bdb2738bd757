"""Where the broker is: one place, or the nodes of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.errors import BadInputError
from bridge.private_files import write_private
from bridge.settings import NodeSettings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
country = "RS"
[broker]
{places}
relay = {{ user = "rs-relay", password_file = "relay.password" }}
router = {{ user = "rs-router", password_file = "relay.password" }}
[trust]
mirror = "mirror"
cache = "cache"
root = "root.json"
[[contact_points]]
id = "rs.ncp"
keys = "keys"
account = {{ user = "rs-inbox-ncp", password_file = "relay.password" }}
"""


def settings(folder: Path, places: str) -> NodeSettings:
    (folder / "node.toml").write_text(TEXT.format(places=places))
    return load_settings(folder / "node.toml")


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ('host = "a.example"\nport = 1', ["a.example:1"]),
        ('host = "a.example"\nhosts = ["b.example:2", "[::1]:3"]', ["b.example:2", "[::1]:3"]),
    ],
)
def test_the_nodes_of_a_cluster_stand_in_place_of_the_one_host(
    tmp_path: Path, places: str, expected: list[str]
) -> None:
    write_private(tmp_path / "relay.password", b"horse\n")
    found = settings(tmp_path, places)
    urls = found.amqp_urls(found.broker.relay)
    assert urls == tuple(f"amqp://rs-relay:horse@{place}/%2F" for place in expected)


def test_a_password_that_was_changed_is_read_the_next_time(tmp_path: Path) -> None:
    write_private(tmp_path / "relay.password", b"horse\n")
    found = settings(tmp_path, "")
    before = found.amqp_urls(found.broker.relay)

    (tmp_path / "relay.password").write_bytes(b"battery\n")

    assert before == ("amqp://rs-relay:horse@127.0.0.1:5672/%2F",)
    assert found.amqp_urls(found.broker.relay) == ("amqp://rs-relay:battery@127.0.0.1:5672/%2F",)


@pytest.mark.parametrize(
    "place", ["a.example", "a.example:", "a.example:0", "amqp://a:5672", "u@a:5672", "::1:5672", ""]
)
def test_a_place_without_host_or_port_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(BadInputError) as caught:
        settings(tmp_path, f'hosts = ["{place}"]')
    assert [problem.path for problem in caught.value.problems] == ["$.broker.hosts[0]"]
