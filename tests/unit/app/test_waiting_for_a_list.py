"""A peer has a newer list that this node cannot get, or not soon: nobody waits for it, and the peer is noted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from bridge_node import Node
from bridge_world import ListedTrust, alert, directory

from bridge.app.receiving import authenticating
from bridge.app.receiving.outcomes import Outcome
from bridge.core.directory import Directory


async def test_a_peer_whose_newer_list_does_not_come_is_noted_with_its_version(node: Node, trust: ListedTrust) -> None:
    trust.directory = replace(directory(), version=6)

    await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])
    await node.router("at").route([alert(sender="hu.ncp").delivery()])

    assert trust.ahead_noted == {"rs.ncp": 7, "hu.ncp": 7}


async def test_a_peer_whose_newer_list_came_is_not_noted(node: Node, trust: ListedTrust) -> None:
    trust.directory, trust.newer = replace(directory(), version=6), directory()

    await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    assert trust.ahead_noted == {}


async def test_an_alert_does_not_wait_for_a_slow_mirror(
    node: Node, trust: ListedTrust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticating, "REFRESH_PATIENCE_SECONDS", 0.05)
    trust.directory, answered = replace(directory(), version=6), asyncio.Event()

    async def slow() -> Directory:
        await answered.wait()
        trust.directory = directory()
        return trust.directory

    monkeypatch.setattr(trust, "refresh", slow)

    assert await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")]) == [Outcome.ACCEPTED]
    assert trust.directory.version == 6
    answered.set()
    await asyncio.sleep(0)
