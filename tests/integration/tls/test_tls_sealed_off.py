"""Whoever the list has suspended is out of a broker that goes by certificates, and in again when it is let in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tls_world import TlsWorld, until

from bridge.adapters.amqp.apply import Reconciled
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.directory import Directory
from bridge.founding.topology import apply_network

pytestmark = pytest.mark.broker

SECONDS = 30.0


async def applied(world: TlsWorld, directory: Directory) -> Reconciled:
    now = datetime.now(UTC)
    return await apply_network(world.nodes["rs"], directory, now=now, drop_queues=False, dry_run=False)


async def test_a_valid_certificate_opens_nothing_to_a_member_that_is_suspended(
    tls_world: TlsWorld, tmp_path: Path
) -> None:
    # given: the list applied; nobody has a password; Austria is connected
    listed = tls_world.secretariat.directory
    points = {id_: point for id_, point in listed.contact_points.items() if point.prefix in tls_world.nodes}
    everybody = replace(listed, contact_points=points)
    await applied(tls_world, everybody)
    again = await applied(tls_world, everybody)
    users = await asyncio.to_thread(tls_world.management.export)
    assert again.changes == ()
    assert {user["password_hash"] for user in users["users"] if user["name"].startswith("at-")} == {""}
    suspended = {id_: replace(p, suspended="stolen") if p.prefix == "at" else p for id_, p in points.items()}
    login = tls_world.login(tmp_path, "at-relay")
    async with AmqpSession(lambda: login, name="of Austria") as session:
        await session.until_publishable(seconds=SECONDS)

        # when
        done = await applied(tls_world, replace(everybody, contact_points=suspended))

        # then
        (sealed,) = done.sealed_off
        assert (sealed.member, "at-relay" in sealed.accounts) == ("at", True)
        await until(lambda: session.status.code == "E_BROKER_CREDENTIALS", seconds=SECONDS)

        # when governance lets it in again
        await applied(tls_world, everybody)

        # then the same certificate does
        await session.until_publishable(seconds=SECONDS)
