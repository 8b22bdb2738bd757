"""Private keys that have no use any more are destroyed: nobody can lose or steal what is not there.

Rules:
1. An encryption key goes at its `verify_until`, 31 days after its successor began (wire-format: Keys). Whatever was
   sealed to it has expired by then, a message lives 30 days: what is still held or in quarantine leaves a stub, which
   needs no key.
2. A signing key goes when it is revoked or its `use_until` has passed.
3. Only what has a successor here that the list lets us use, and only what stands in the list: another one is new.
4. The time is that at which the list was last confirmed. A clock that runs ahead destroys nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from bridge.core.directory import Directory, PublicKey
from bridge.ports.clock import Clock
from bridge.ports.keys import Desk
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry
from bridge.ports.trust import TrustSource

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DestroySpent:
    """Destroys for the contact points of one node."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock

    async def look(self) -> int:
        """Destroys what is spent; answers how many keys that were. Each is in the audit log before it is gone.

        A key that cannot be destroyed now, because its token is not there, is tried again, and is in the log once.

        Raises:
            UnavailableError: database, list, clock or keys cannot be relied on now.
        """
        directory, now, count = self.trust.current(), self.clock.now(), 0
        for own, desk in self.desks.items():
            spent = spent_keys(directory, own, desk.keys.kids(), at=min(now, directory.signed_at))
            for key in spent:
                entry = AuditEntry(now, own, "key.destroyed", own, key.kid, {"alg": key.alg})
                async with self.store.writing() as unit:
                    if not await unit.audit.list(subject=key.kid, action=entry.action, limit=1):
                        await unit.audit.add([entry])
                desk.keys.destroy(key.kid)
                _log.info("key.destroyed", contact_point=own, id=key.kid)
            count += len(spent)
        return count


def spent_keys(directory: Directory, contact_point: str, kids: Collection[str], *, at: datetime) -> list[PublicKey]:
    """Those of the keys that are here which have no use any more."""
    spent = []
    signing = [key for key in directory.signing_keys_of(contact_point) if key.kid in kids]
    opening = [key for key in directory.encryption_keys_of(contact_point) if key.kid in kids]
    if any(key.is_usable(at) for key in signing):
        spent += [key for key in signing if not key.is_usable(at)]
    if any(key.is_usable(at) for key in opening):
        spent += [key for key in opening if at >= key.verify_until]
    return spent
