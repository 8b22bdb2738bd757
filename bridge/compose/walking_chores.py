"""What walks over what is stored, behind everybody's back: words to be found by, flows to be counted, seals."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bridge.adapters.jose.key_files import read_secret
from bridge.app.audit.chain import SealAudit, chain_key
from bridge.app.desk.corridors import CountCorridors
from bridge.app.desk.search import IndexWords
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.vault import BodyVault
from bridge.services.housekeeping import Chore
from bridge.settings import NodeSettings

INDEX_SECONDS: Final = 3.0
COUNT_SECONDS: Final = 10.0
SEAL_SECONDS: Final = 20.0


def walking_chores(
    settings: NodeSettings, *, contact_points: Collection[str], store: Store, vault: BodyVault, clock: Clock
) -> list[Chore]:
    """The chores of a process that hosts these contact points; each goes on where it was after a restart.

    Raises:
        UnavailableError: the machine's secret cannot be read.
    """
    own, key = tuple(contact_points), chain_key(read_secret(settings.path(settings.machine_secret_file)))
    return [
        Chore(INDEX_SECONDS, IndexWords(own, store, vault).index),
        Chore(COUNT_SECONDS, CountCorridors(own, store, vault).count),
        Chore(SEAL_SECONDS, SealAudit(store, clock, key).seal),
    ]
