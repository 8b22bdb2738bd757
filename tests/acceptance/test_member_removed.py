"""A member is removed and does not want to know: nothing of it is accepted, and the broker is closed to it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_countries import ALERTS, Country, ask, eventually, found_country, running

from broker import Access

ALERT = "05-bg-at-children-begging.json"  # over Serbia to Austria
REFRESH_SECONDS = 1.0
SERBIA = """
[[contact_points]]
id = "rs.ncp"
name = "National contact point, Serbia"
national_desk = true
"""
BOTH = f"""
network = "two"
countries = ["RS", "AT"]
{SERBIA}
[[contact_points]]
id = "at.ncp"
name = "National contact point, Austria"
national_desk = true
"""
ONE = f"""
network = "two"
countries = ["RS"]
{SERBIA}
"""


@pytest.fixture
def serbia_and_austria(
    broker_node: Access, own_vhost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Country, Country]]:
    """Both run. Serbia looks at the list every second, Austria at a copy of its own that nobody changes."""
    monkeypatch.setenv("NCP_BRIDGE_TRUST__REFRESH_SECONDS", str(REFRESH_SECONDS))
    serbia, austria = (
        found_country(tmp_path, country, broker=broker_node, vhost=own_vhost, network=BOTH) for country in ("RS", "AT")
    )
    for country in (serbia, austria):
        country.apply_topology(broker_node.management_url)
    mirror = tmp_path / "network" / "mirror"
    shutil.copytree(mirror, tmp_path / "frozen")
    settings = austria.config.read_text("utf-8")
    austria.config.write_text(settings.replace(str(mirror), str(tmp_path / "frozen")), "utf-8")
    with running([serbia, austria]):
        yield serbia, austria


def test_what_a_removed_member_still_sends_is_accepted_nowhere_and_the_broker_shuts_it_out(
    serbia_and_austria: tuple[Country, Country], broker_node: Access, tmp_path: Path
) -> None:
    # given: both hear each other
    serbia, austria = serbia_and_austria
    before = austria.submit(ALERT, "--partial")["id"]
    serbia.received(before)

    # when: governance removes Austria, which goes on as if nothing had happened
    remove_austria(tmp_path)
    time.sleep(REFRESH_SECONDS + 1)  # the stated time: the interval, and a moment to read the list
    after = austria.submit(ALERT, "--partial")["id"]

    # then: nothing of it is accepted, and nothing is sent to it
    eventually(lambda: held(serbia) == 1)
    assert serbia.inbox(after) == []
    assert serbia.ask("alert", "preview", ALERTS / ALERT)["recipients"] == []

    # and the broker is closed to it
    told = len(austria.log.read_text("utf-8"))
    (sealed,) = seal_off(serbia, broker_node.management_url)["sealed_off"]
    assert (sealed["member"], sealed["accounts"]) == ("at", ["at-inbox-ncp", "at-relay", "at-router"])
    eventually(lambda: "service.unavailable" in austria.log.read_text("utf-8")[told:])
    assert serbia.ask("network", "exposure", "AT")["contact_points"] == []
    assert serbia.ask("network", "exposure", "AT")["received"][0]["id"] == before


def remove_austria(folder: Path) -> None:
    """Governance proposes, signs and publishes, with all its keys at hand."""
    network, file, change = folder / "network", folder / "one.toml", folder / "change.json"
    file.write_text(ONE, "utf-8")
    ask("network", "propose", network, "--config", file, "--remove", "AT", "--out", change)
    for number in (1, 2):
        key = network / "keys" / f"governance-{number}.pem"
        ask("network", "sign", change, "--key", key, "--mirror", network / "mirror", "--yes")
    ask("network", "publish", network, change)


def held(country: Country) -> int:
    """How many messages wait because they cannot be judged: of an unknown key, here."""
    said = country.say("status", "--json").json  # whatever it says of the rest
    (detail,) = (one["detail"] for one in said["checks"] if one["name"] == "held")
    return int(detail.split()[0])


def seal_off(country: Country, administrator_url: str) -> dict[str, Any]:
    """Whoever runs the broker applies the list."""
    file = country.folder / "secrets" / "broker-admin.url"
    file.touch(mode=0o600)
    file.write_text(administrator_url + "\n", "utf-8")
    return country.ask("topology", "apply", "--all")
