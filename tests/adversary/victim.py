"""The contact point that is attacked in this process, with its real database and keys; what became of each attack."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge_node import Node
from bridge_world import directory, signer
from thief import Thief, hints_of, payload_in

from bridge.app.receiving.outcomes import Outcome
from bridge.core.verification import Hints
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.ports.broker import Delivery

OWN = "at.ncp"


def queued(wire_bytes: bytes, hints: Hints | None = None) -> Delivery:
    """As it comes out of the contact point's queue."""
    return Delivery(1, f"inbox.{OWN}.urgent", wire_bytes, hints or hints_of(wire_bytes), redelivered=False)


@dataclass
class Victim:
    """Austria's contact point. `thief` has Serbia's keys; `rival` is Hungary, honest unless a test says otherwise."""

    node: Node
    thief: Thief = field(init=False)
    rival: Thief = field(init=False)

    def __post_init__(self) -> None:
        self.thief, self.rival = self.member("rs.ncp"), self.member("hu.ncp", to=(OWN,))

    def member(self, own: str, *, to: tuple[str, ...] = (OWN, "hu.ncp")) -> Thief:
        """Somebody who has these keys."""
        key = signer(own)
        return Thief(own, {key.kid: key.sign}, directory(), to, self.node.clock.now)

    async def receives(self, *wire_bytes: bytes, hints: Hints | None = None) -> list[Outcome]:
        """One batch out of its queue."""
        return await self.node.receiver(OWN).receive([queued(one, hints) for one in wire_bytes])

    async def has_refused(self, wire_bytes: bytes, code: str, *, step: int, hints: Hints | None = None) -> None:
        """Receives it; fails unless it ends in quarantine with this code of this step, and nowhere else.

        What is signed by a proven member is answered with the code, unless it is a control message.
        """
        before = await self.node.inbox()
        assert await self.receives(wire_bytes, hints=hints) == [Outcome.QUARANTINED]
        refused = (await self.node.quarantined())[0]
        assert (refused.code, refused.step, refused.wire_bytes) == (code, step, wire_bytes)
        assert [item for item in await self.node.inbox() if item.state != "expired"] == before
        is_answered = step >= 9 and payload_in(wire_bytes).get("kind") not in CONTROL_KINDS
        assert [code for _, code, _ in await self.node.new_receipts()] == [code] * is_answered

    async def holds(self, wire_bytes: bytes, code: str, *, step: int) -> None:
        """Receives it; fails unless it waits, unanswered, for a list or a clock that may never come."""
        assert await self.receives(wire_bytes) == [Outcome.HELD]
        (held,) = await self.node.all_held()
        assert (held.code, held.step) == (code, step)
        assert await self.node.inbox() == []
        assert await self.node.new_rows() == []
