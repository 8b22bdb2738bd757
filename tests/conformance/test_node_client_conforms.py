"""The client in JavaScript, in processes of its own, keeps every rule that it says it keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from conformance_world import COUNTRIES, ROOT, Pair
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, ensure_node_modules, find_node

from bridge.conformance.case import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from servers.broker_fixtures import MakeVirtualHost

pytestmark = [pytest.mark.node, pytest.mark.broker]

CLIENT = ROOT / "clients" / "node"
# Not what waits for more than a minute, what people do, what was not heard, or was too quick to tell.
SKIPPED = {"duplicate-again", "acknowledges", "send-control", "urgent-first"}


@dataclass(frozen=True)
class NodePair(Pair):
    """Serbia tests Austria, who runs the client."""

    def prepare(self) -> None:
        super().prepare()
        settings = json.loads((self.folder / "settings.json").read_text("utf-8"))
        (self.folder / "client.json").write_text(json.dumps(settings | {"network": "network.json"}), "utf-8")

    def command(self, what: str, *more: str) -> str:
        """One process at a time works in a folder of the client's: to publish, what listens ends and begins again."""
        folder, client = self.folder, f"{find_node().program} {CLIENT / 'client.mjs'}"
        listens = f"{client} listen {folder} >{folder}/said 2>>{folder}/log & echo $! >{folder}/pid"
        start = f"rm -f {folder}/said; {listens}; until grep -q listening {folder}/said; do sleep 0.1; done"
        if what != "send":
            return start
        ended = f"kill $(cat {folder}/pid); while kill -0 $(cat {folder}/pid); do sleep 0.1; done 2>/dev/null"
        return f"{ended}; {client} publish {folder} {{file}} {' '.join(more)} && {start}"


async def test_the_client_in_another_language_keeps_every_rule(make_vhost: MakeVirtualHost, tmp_path: Path) -> None:
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)
    ensure_node_modules(CLIENT)
    pair = NodePair(tmp_path / "node", make_vhost(COUNTRIES), "nothing")
    pair.prepare()

    results = await pair.run()

    told = {each.case.id: f"{each.verdict} {each.seen}" for each in results if each.verdict is not Verdict.PASS}
    assert not [each for each in results if each.verdict is Verdict.FAIL], told
    assert set(told) <= SKIPPED, told
