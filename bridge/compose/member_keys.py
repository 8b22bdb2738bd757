"""A member's own keys, from its node: rolled, revoked, published with the member's own role.

Private keys are made first, and published next: a crash in between leaves a key that is here and in no list, which the
same command takes up again. Nothing else is written before the publication, so nothing is ever half done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from bridge.adapters.jose.key_files import make_secret, read_secret
from bridge.adapters.store import open_store
from bridge.adapters.trust.governance.changes import keys_change
from bridge.adapters.trust.governance.member_key import load_member_key
from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.governance.publishing import write_file
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import keys_document, keys_of
from bridge.adapters.trust.membership.roles import member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.adapters.trust.node.kept_list import read_kept_list
from bridge.app.keys import rolling
from bridge.app.keys.rolling import Use
from bridge.compose.node import open_trust
from bridge.compose.private_keys import keys_of as private_keys_of
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import owner_of, prefix_of
from bridge.ports.keys import KeyStore
from bridge.ports.store.records import AuditEntry
from bridge.settings import NodeSettings

MEMBER_KEY: Final = Path("secrets/member.pem")
STORAGE_KEY: Final = "storage.key"


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a change.

    Attributes:
        made: the new keys.
        keys: all keys of the member from now on.
        version: the list that has them; `None` where they are in a file that is still to be published.
    """

    made: tuple[PublicKey, ...]
    keys: tuple[PublicKey, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class _Present:
    """A member's keys, as its own document has them (`own`), and as everybody counts them (revocations included).

    `revoked`: the ids that the revocation role revoked, in that document or not; none of them is taken up again.
    """

    own: Sequence[PublicKey]
    counted: Sequence[PublicKey]
    revoked: frozenset[str]


class MemberKeys:
    """The keys of one node's contact points.

    Args:
        settings: the node's.
        network: the network's folder where it is at hand.
        out: the file for the publication where it is not.
        at: the moment.
    """

    def __init__(self, settings: NodeSettings, *, network: Path | None, out: Path | None, at: datetime) -> None:
        if (network is None) == (out is None):
            raise BadInputError("E_USAGE", "found both or neither of --network and --out, expected one of them")
        self._settings, self._network, self._out, self._at = settings, network, out, at

    def roll(self, contact_points: Sequence[str], uses: Sequence[Use], *, overlap: timedelta) -> Published:
        """A new key for each use of each contact point; its first one where it has none yet.

        Raises:
            RefusedError: the network does not know this member's key (`E_MEMBER_KEY`), or does not take the change.
            UnavailableError: the list, the network's folder or a key file cannot be read or written.
        """

        def change(present: _Present) -> list[PublicKey]:
            successors = [self._made(owner, use, present) for owner in contact_points for use in uses]
            self._provide_storage_keys(contact_points)
            return rolling.rolled(present.own, successors, at=self._at, overlap=overlap)

        return self._publish(change)

    def revoke(self, kid: str) -> Published:
        """Revokes one of our keys, with a successor in the same step unless another key already does what it did.

        Raises like `roll`; `E_KEY_UNKNOWN` when it is none of ours.
        """

        def change(present: _Present) -> list[PublicKey]:
            keys = rolling.revoked(present.own, kid, at=self._at)
            (lost,) = (key for key in keys if key.kid == kid)
            owner, here = owner_of(kid), self._stores[owner_of(kid)].kids()
            if rolling.has_another(present.counted, lost, here=here, at=self._at):
                return keys
            return [*keys, self._made(owner, rolling.use_of(lost), present)]

        if owner_of(kid) not in self._stores:
            hosted = " or ".join(self._stores)
            raise RefusedError("E_KEY_UNKNOWN", f"{kid[:80]}: found no key of {hosted}, which are hosted here")
        return self._publish(change)

    def _made(self, owner: str, use: Use, present: _Present) -> PublicKey:
        store, taken = self._stores[owner], {key.kid for key in present.own} | present.revoked
        here = store.kids()
        order = rolling.successor_order(owner, use, taken=taken, here=here, at=self._at)
        return order.enrolled(store.point(order.kid) if order.kid in here else store.make(order.kid))

    def _provide_storage_keys(self, contact_points: Sequence[str]) -> None:
        """A contact point that comes with its first keys needs one; it is never replaced."""
        for point in self._settings.contact_points:
            path = self._settings.path(point.keys) / STORAGE_KEY
            if point.id in contact_points and not path.exists():
                make_secret(path)

    def _publish(self, change: Callable[[_Present], Sequence[PublicKey]]) -> Published:
        before: set[str] = set()
        after: list[PublicKey] = []

        def make(found: VerifiedList) -> Publication:
            own = keys_of(found.keys[self._prefix]) if self._prefix in found.keys else ()
            every = (*found.directory.signing_keys.values(), *found.directory.encryption_keys.values())
            before.update(key.kid for key in own)
            counted = [key for key in every if prefix_of(key.kid) == self._prefix]
            after[:] = change(_Present(own, counted, found.revoked))
            return self._signed(found, keys_change(found, keys_document(self._prefix, after), at=self._at))

        version = None
        if self._network is not None:
            version = TufRepository(self._network).change(make, at=self._at)
        elif self._out is not None:
            trust = self._settings.trust
            asyncio.run(open_trust(self._settings).refresh())
            found = read_kept_list(self._settings.path(trust.cache), root=self._settings.path(trust.root))
            _write(self._out, make(found))
        return Published(tuple(key for key in after if key.kid not in before), tuple(after), version)

    def _signed(self, found: VerifiedList, publication: Publication) -> Publication:
        role, path = member_role(self._prefix), self._settings.path(MEMBER_KEY)
        signer = load_member_key(path, machine_secret=self._machine_secret)
        delegated = (found.targets.delegations.roles if found.targets.delegations else None) or {}
        keyids = delegated[role].keyids if role in delegated else []
        if signer.public_key.keyid not in keyids:
            detail = f"{path} is not the key that the network knows for {self._prefix}; governance admits another one"
            raise RefusedError("E_MEMBER_KEY", detail)
        return publication.signed_by([signer], {role: keyids})

    @property
    def _prefix(self) -> str:
        return self._settings.prefix

    @cached_property
    def _machine_secret(self) -> bytes:
        return read_secret(self._settings.path(self._settings.machine_secret_file))

    @cached_property
    def _stores(self) -> Mapping[str, KeyStore]:
        return key_stores(self._settings)


def key_stores(settings: NodeSettings) -> Mapping[str, KeyStore]:
    """Contact point -> its private keys, in the order of the settings."""
    secret = read_secret(settings.path(settings.machine_secret_file))
    return {point.id: private_keys_of(settings, point, machine_secret=secret) for point in settings.contact_points}


async def note_in_audit_log(settings: NodeSettings, entries: Sequence[AuditEntry]) -> None:
    """Notes what was done to keys; raises `UnavailableError` when the database cannot take it."""
    store = open_store(settings.database_url)
    try:
        await store.check_schema()
        async with store.writing() as unit:
            await unit.audit.add(entries)
    finally:
        await store.close()


def _write(path: Path, publication: Publication) -> None:
    try:
        write_file(path, publication.to_bytes())
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None
