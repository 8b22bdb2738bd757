"""What the pages are made of: the node's store and use cases, handed over by the wiring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bridge.app.accounts.elsewhere import SignInElsewhere
from bridge.app.accounts.manage import ManageAccounts
from bridge.app.accounts.sign_in import SignIn
from bridge.app.audit.chain import CheckAudit
from bridge.app.checks.check_node import Check
from bridge.app.desk.board import ReadBoard
from bridge.app.desk.corridors import ReadCorridors
from bridge.app.desk.drafts import WriteDrafts
from bridge.app.desk.export import ExportMessages
from bridge.app.desk.handover import HandOver
from bridge.app.desk.open_message import OpenMessages
from bridge.app.desk.own_alerts import OwnAlerts
from bridge.app.desk.previewing import PreviewRecipients
from bridge.app.desk.releasing import ReleaseAlerts
from bridge.app.desk.search import SearchMessages
from bridge.app.desk.work import WorkOnItems
from bridge.app.keys.key_states import End
from bridge.app.operating.overview import LookAtTraffic
from bridge.app.operating.queues import LookAtQueues
from bridge.app.operating.try_peer import TryPeer
from bridge.app.quarantine.picking import Done
from bridge.app.read_message import ReadMessages
from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.console.live import Live
from bridge.core.directory import Directory
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store
from bridge.ports.store.records import Quarantined
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault


class KeysEnd(Protocol):
    """What ends of the node's keys and certificates."""

    @property
    def ends(self) -> Sequence[End]:
        """Everything that ends."""
        ...


class QuarantineWork(Protocol):
    """What may be done with entries of the quarantine."""

    async def do(self, verb: str, items: Sequence[Quarantined], *, actor: str, why: str | None) -> Sequence[Done]:
        """Does `replay`, `return` or `drop`; raises `BridgeError` where nothing can be done now."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """One node, as its console uses it.

    Attributes:
        country: ISO code, or an organisation's prefix.
        hosted: the contact points of this node, sorted.
        origin: where browsers find the console; requests that change something must come from there.
        time_zone: of the local times beside UTC, by its name in the IANA database.
        elsewhere: signing in at the identity provider, where the node has one.
        releasing, acknowledging: against the newest membership list.
        newest_list: the membership list in use, read now where nobody has asked for one yet.
        status: the node's checks, without a look at the broker; `doctor` tries everything.
    """

    country: str
    hosted: Sequence[str]
    origin: str
    idle: timedelta
    time_zone: str
    store: Store
    vault: BodyVault
    clock: Clock
    ids: Ids
    trust: TrustSource
    sign_in: SignIn
    elsewhere: SignInElsewhere | None
    accounts: ManageAccounts
    reading: ReadMessages
    board: ReadBoard
    opening: OpenMessages
    work: WorkOnItems
    search: SearchMessages
    corridors: ReadCorridors
    exporting: ExportMessages
    drafts: WriteDrafts
    previewing: PreviewRecipients
    own_alerts: OwnAlerts
    releasing: Callable[[], Awaitable[ReleaseAlerts]]
    acknowledging: Callable[[], Awaitable[AcknowledgeMessages]]
    newest_list: Callable[[], Awaitable[Directory]]
    status: Callable[[], Awaitable[Sequence[Check]]]
    doctor: Callable[[], Awaitable[Sequence[Check]]]
    traffic: LookAtTraffic
    queues: LookAtQueues
    test_peer: TryPeer
    key_report: Callable[[], Awaitable[KeysEnd]]
    quarantine: QuarantineWork
    audit_chain: CheckAudit
    live: Live
    shifts: HandOver
