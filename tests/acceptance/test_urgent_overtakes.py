"""An immediate alert overtakes thousands of routine ones: it is in the recipient's database within two seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alerts_in_numbers import arrived, prepare, submit_many, waiting
from bridge_countries import Country, eventually, found_country
from broker_queues import Queues

from bridge.compose.node import open_node
from bridge.settings import load_settings
from broker import Access

BACKLOG = 2000
BOUND_SECONDS = 2.0
ALERTS = 5
DRAIN_SECONDS = 60.0
LOOK_SECONDS = 0.01


@pytest.fixture
def pair(broker_node: Access, own_vhost: str, tmp_path: Path) -> Iterator[tuple[Country, Country]]:
    """Serbia runs, Austria does not yet."""
    serbia, austria = (found_country(tmp_path, code, broker=broker_node, vhost=own_vhost) for code in ("RS", "AT"))
    for country in (serbia, austria):
        country.apply_topology(broker_node.management_url)
    serbia.start()
    serbia.wait_ready()
    yield serbia, austria
    for country in (serbia, austria):
        if country.process is not None:
            country.stop()


async def seconds_of_immediate_alerts(serbia: Country, austria: Country) -> dict[str, float]:
    """Submits immediate alerts one after the other; how long each took from handing it over to its row."""
    taken = {}
    async with open_node(load_settings(serbia.config)) as node, open_node(load_settings(austria.config)) as other:
        draft = await prepare(node, urgency="immediate", to=["at.ncp"])
        sending = (await node.submitting()).sending
        for _ in range(ALERTS):
            begun = time.monotonic()
            submitted = await sending.send(draft, sender="rs.ncp")
            while submitted.id not in taken:
                await asyncio.sleep(LOOK_SECONDS)
                async with other.store.reading() as unit:
                    if await unit.inbox.get(submitted.id):
                        taken[submitted.id] = time.monotonic() - begun
    return taken


@pytest.mark.alone
def test_an_immediate_alert_passes_a_backlog_within_two_seconds_and_no_number_is_missing(
    pair: tuple[Country, Country], broker_node: Access, own_vhost: str
) -> None:
    serbia, austria = pair
    queues = Queues(broker_node, own_vhost)

    # given thousands of routine alerts in the queue of a country that was away, and more in the sender's outbox
    in_the_queue = submit_many(serbia, BACKLOG // 2, to=["at.ncp"])
    eventually(lambda: queues.depths()["country.at.normal"] >= len(in_the_queue))  # a heartbeat may be there, too
    serbia.stop()
    in_the_outbox = submit_many(serbia, BACKLOG // 2, to=["at.ncp"])
    assert waiting(serbia) >= len(in_the_outbox)

    # when everything runs and drains, and immediate ones come
    serbia.start()
    austria.start()
    serbia.wait_ready()
    austria.wait_ready()
    taken = asyncio.run(seconds_of_immediate_alerts(serbia, austria))
    before_them = len(arrived(austria, "at.ncp"))

    # then each overtook what was before it
    assert before_them < BACKLOG, "the backlog was gone before the last one came"
    assert max(taken.values()) < BOUND_SECONDS, taken

    # and everything arrives once, with no alarm about numbers on either side
    everything = dict.fromkeys([*in_the_queue, *in_the_outbox, *taken], 1)
    eventually(lambda: arrived(austria, "at.ncp") == everything, seconds=DRAIN_SECONDS)
    for country in (serbia, austria):
        checks = {one["name"]: one for one in country.say("status", "--json").json["checks"]}
        assert checks["sequence"]["ok"], checks["sequence"]
