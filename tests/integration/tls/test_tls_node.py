"""A running node goes over to renewed certificates by itself; its status and its doctor know them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tls_world import TlsWorld, equip, until

from bridge.adapters.certificates.files import held_certificate
from bridge.compose.node import open_node
from bridge.settings import NodeSettings

pytestmark = pytest.mark.broker

SECONDS = 40.0


@asynccontextmanager
async def running_publisher(settings: NodeSettings, folder: Path) -> AsyncIterator[None]:
    """`ncp-bridge run publisher`, ready inside, drained afterwards."""
    ready = folder / "ready"
    with (folder / "log").open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "publisher", "--config", str(settings.folder / "node.toml")),
            *("--ready-file", str(ready)),
            stderr=file,
        )
    try:
        await until(ready.exists, seconds=SECONDS)
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), SECONDS)
    assert process.returncode == 0


async def ends_of_connections(world: TlsWorld, account: str) -> set[datetime]:
    """When the certificates end with which the account is signed in."""
    _, answer_bytes = await asyncio.to_thread(world.management.request, "GET", "/api/connections")
    found = [one for one in json.loads(answer_bytes) if one.get("user") == account and one.get("peer_cert_validity")]
    return {datetime.fromisoformat(one["peer_cert_validity"].split(" - ")[1]) for one in found}


async def test_a_running_node_goes_over_to_what_was_renewed_and_tells_how_it_stands(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    # given
    settings = tls_world.nodes["rs"]
    folder, account = settings.folder / "certificates", settings.broker.relay.user
    async with running_publisher(settings, tmp_path):
        # when
        equip(folder, account, tls_world.secretariat, lifetime=timedelta(days=2))

        # then
        ends = held_certificate(folder, account).ends
        async with asyncio.timeout(SECONDS):
            while await ends_of_connections(tls_world, account) != {ends}:  # noqa: ASYNC110 -- as in tls_world
                await asyncio.sleep(0.2)
        async with open_node(settings) as node:
            checks = {check.name: check for check in await node.status()}
            tried = {check.name: check for check in await node.doctor()}
        for check in (checks["certificates"], tried["broker account relay"]):
            assert check.ok, check.detail
        equip(folder, account, tls_world.secretariat)
