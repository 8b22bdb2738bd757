"""The membership list comes through the bridge itself, to a node that reaches no mirror (real broker)."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from service_world import NETWORK, World, eventually

from bridge.adapters.trust.governance.changes import governance_change
from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.cli.main import main_status
from bridge.cli.reading import body_text

SECRETARIAT = 'sends = ["route_alert", "acknowledgement", "directory_notice"]'


@pytest.fixture
def network_text() -> str:
    """Serbia's contact point is the secretariat's."""
    statuses = NETWORK.replace('statuses = ["actual"]', 'statuses = ["actual", "system"]')
    return statuses.replace('id = "rs.ncp"', f'id = "rs.ncp"\n{SECRETARIAT}')


def rename_austria(network: Path, name: str) -> int:
    """Governance changes a contact point's name: another version."""

    def change(present: VerifiedList) -> Publication:
        points = dict(present.contact_points)
        points["at.ncp"] = points["at.ncp"].model_copy(update={"name": name})
        now = datetime.now(UTC)
        return governance_change(present, network=present.network, contact_points=points, admitted={}, at=now)

    return TufRepository(network).change(change, at=datetime.now(UTC))


def cut_off(world: World, prefix: str) -> None:
    """The node has what it verified so far, and a mirror that nobody keeps up to date."""
    config = world.configs[prefix]
    stale = config.parent / "old-mirror"
    settings = world.settings(prefix)
    shutil.copytree(settings.path(settings.trust.mirror or Path()), stale)
    mirror = f"mirror = {json.dumps(str(settings.trust.mirror))}"
    config.write_text(config.read_text().replace(mirror, 'mirrors = ["old-mirror"]'))
    assert world.settings(prefix).trust.places == ("old-mirror",)


def notice(world: World, network: Path, capsys: pytest.CaptureFixture[str]) -> Mapping[str, Any]:
    capsys.readouterr()
    status = main_status(
        ["network", "notice", "--config", str(world.configs["rs"]), "--network", str(network), "--json"]
    )
    out = capsys.readouterr()
    assert status == 0, out
    answer: Mapping[str, Any] = json.loads(out.out)
    return answer


async def test_a_node_without_a_mirror_keeps_up_and_an_officer_sees_the_notice(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    network = tmp_path / "network"
    cut_off(world, "at")
    async with world.running("rs", "at"):
        # when
        version = rename_austria(network, "Ministry of the Interior")
        sent = await asyncio.to_thread(notice, world, network, capsys)

        # then
        async with world.node("at") as node:

            async def is_there() -> bool:
                return bool(await world.inbox())

            await eventually(is_there)
            assert sent["version"] == version
            assert sent["changes"] == [{"code": "contact_point_changed", "who": "at.ncp"}]
            assert sent["recipients"] == ["at.ncp"]
            directory = await node.trust.refresh()
            assert directory.version == version
            assert directory.contact_points["at.ncp"].name == "Ministry of the Interior"
            (message_id,) = sent["messages"]
            shown = await node.reading.show(message_id, contact_point="at.ncp", officer="Duty officer")
            body = shown["body"]
            assert isinstance(body, dict)
            assert body["version"] == version
            text = body_text(shown)
            assert f"version {version}, confirmed" in text
            assert "contact point changed: at.ncp" in text
            assert "NOT KNOWN" not in text

    assert directory.signed_at > datetime.now(UTC) - timedelta(hours=1)
