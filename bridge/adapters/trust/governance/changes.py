"""The changes that a network can see, each as a publication that is still to be signed.

They start from the list as it verified; the next version of each role that they touch is theirs. Two changes of one
role made at the same time therefore cannot both be published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from securesystemslib.signer import Key
from tuf.api.metadata import Delegations, Metadata, Root, TargetFile, Targets

from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.forms import (
    NOTHING_REVOKED,
    ContactPointDocument,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    StopsBase,
    write_document,
)
from bridge.adapters.trust.membership.verified_list import VerifiedList

HASHES: Final = ["sha256"]


@dataclass(frozen=True, slots=True)
class Holders:
    """The public keys of a role, and how many of them have to sign."""

    keys: Sequence[Key]
    threshold: int


def founding(
    network: NetworkDocument,
    contact_points: Iterable[ContactPointDocument],
    *,
    governance: Holders,
    revocation: Holders,
    online: Mapping[str, Key],
    at: datetime,
) -> Publication:
    """The first version: governance signs root and targets, the revocation role that nothing is revoked."""
    root = Root(expires=roles.expiry(roles.ROOT, at), consistent_snapshot=True)
    give_root_keys(root, governance=governance, online=online)
    targets = Targets(expires=roles.expiry(roles.TARGETS, at), delegations=Delegations({}, {}))
    _delegate(targets, roles.REVOCATIONS, revocation)
    documents = {roles.NETWORK_FILE: write_document(network)}
    documents |= {roles.contact_point_file(point.id): write_document(point) for point in contact_points}
    _name(targets, documents)
    revoked = _one_file(roles.REVOCATIONS, 1, write_document(NOTHING_REVOKED), at)
    return Publication(
        network.network,
        {roles.ROOT: Metadata(root), roles.TARGETS: Metadata(targets), roles.REVOCATIONS: Metadata(revoked)},
        documents | {roles.REVOCATIONS_FILE: write_document(NOTHING_REVOKED)},
    )


def governance_change(
    found: VerifiedList,
    *,
    network: NetworkDocument,
    contact_points: Mapping[str, ContactPointDocument],
    admitted: Mapping[str, Key],
    at: datetime,
    revocation: Holders | None = None,
) -> Publication:
    """The next version of what governance signs.

    Args:
        found: the list that it changes.
        network: the network from now on.
        contact_points: every contact point from now on; those that are not in `network` go.
        admitted: prefix -> the key that signs a member's own keys, for members that are new or have lost theirs.
        at: the moment.
        revocation: other keys for the revocation role.
    """
    targets = _next_targets(found, at)
    documents = {roles.NETWORK_FILE: write_document(network)}
    documents |= {
        roles.contact_point_file(identifier): write_document(contact_points[identifier])
        for identifier in network.contact_points
    }
    kept = set(documents)
    targets.targets = {target: info for target, info in targets.targets.items() if target in kept}
    changed = {target: data for target, data in documents.items() if not _is_named(targets, target, data)}
    _name(targets, changed)
    for prefix, key in admitted.items():
        _delegate(targets, roles.member_role(prefix), Holders([key], 1))
    if revocation is not None:
        _delegate(targets, roles.REVOCATIONS, revocation)
    staying = {roles.member_role(identifier.partition(".")[0]) for identifier in network.contact_points}
    _withdraw(targets, staying | {roles.REVOCATIONS})
    return Publication(network.network, {roles.TARGETS: Metadata(targets)}, changed)


def root_change(found: VerifiedList, *, governance: Holders, online: Mapping[str, Key], at: datetime) -> Publication:
    """Other keys for governance or the secretariat; signed by the old governance and the new one."""
    root = deepcopy(found.root)  # `to_dict` shares its lists
    root.version += 1
    root.expires = roles.expiry(roles.ROOT, at)
    for role in root.roles.values():
        role.keyids.clear()
    root.keys.clear()
    give_root_keys(root, governance=governance, online=online)
    return Publication(found.network.network, {roles.ROOT: Metadata(root)})


def keys_change(found: VerifiedList, document: KeysDocument, *, at: datetime) -> Publication:
    """A member's own keys from now on; the member signs, nobody else."""
    role, data = roles.member_role(document.member), write_document(document)
    signed = _one_file(role, last_version(found, role) + 1, data, at)
    return Publication(found.network.network, {role: Metadata(signed)}, {roles.keys_file(document.member): data})


def revocation_change(found: VerifiedList, document: RevocationsDocument, *, at: datetime) -> Publication:
    """What the revocation role says from now on."""
    data = write_document(document)
    signed = _one_file(roles.REVOCATIONS, last_version(found, roles.REVOCATIONS) + 1, data, at)
    return Publication(found.network.network, {roles.REVOCATIONS: Metadata(signed)}, {roles.REVOCATIONS_FILE: data})


def new_base(network: NetworkDocument, revocations: RevocationsDocument) -> NetworkDocument:
    """The network, in which the revocation role begins anew with these; everything else that it said is taken back."""
    digest = hashlib.sha256(write_document(revocations)).hexdigest()
    base = StopsBase(number=network.base_number + 1, sha256=digest)
    return network.model_copy(update={"stops_base": base})


def give_root_keys(root: Root, *, governance: Holders, online: Mapping[str, Key]) -> None:
    """Governance signs root and targets; each online role has one key."""
    for role in (roles.ROOT, roles.TARGETS):
        for key in governance.keys:
            root.add_key(key, role)
        root.roles[role].threshold = governance.threshold
    for role, key in online.items():
        root.add_key(key, role)
        root.roles[role].threshold = 1


def _next_targets(found: VerifiedList, at: datetime) -> Targets:
    targets = deepcopy(found.targets)
    targets.version += 1
    targets.expires = roles.expiry(roles.TARGETS, at)
    return targets


def last_version(found: VerifiedList, role: str) -> int:
    """The last version of a delegated role; 0 before its first."""
    meta = found.snapshot.meta.get(f"{role}.json")
    return 0 if meta is None else meta.version


def _one_file(role: str, version: int, data: bytes, at: datetime) -> Targets:
    target = roles.file_of_role(role)
    return Targets(
        version=version,
        expires=roles.expiry(role, at),
        targets={target: TargetFile.from_data(target, data, HASHES)},
    )


def _name(targets: Targets, documents: Mapping[str, bytes]) -> None:
    for target, data in documents.items():
        targets.targets[target] = TargetFile.from_data(target, data, HASHES)


def _is_named(targets: Targets, target: str, data: bytes) -> bool:
    info = targets.targets.get(target)
    return info is not None and info.hashes == TargetFile.from_data(target, data, HASHES).hashes


def _delegate(targets: Targets, role: str, holders: Holders) -> None:
    delegations = targets.delegations or Delegations({}, {})
    targets.delegations = delegations
    delegated = dict(delegations.roles or {})
    delegated[role] = roles.delegation(role, [key.keyid for key in holders.keys], threshold=holders.threshold)
    delegations.roles = delegated
    delegations.keys |= {key.keyid: key for key in holders.keys}
    _forget_unused_keys(delegations)


def _withdraw(targets: Targets, staying: set[str]) -> None:
    if targets.delegations is not None:
        delegated = targets.delegations.roles or {}
        targets.delegations.roles = {role: named for role, named in delegated.items() if role in staying}
        _forget_unused_keys(targets.delegations)


def _forget_unused_keys(delegations: Delegations) -> None:
    used = {keyid for role in (delegations.roles or {}).values() for keyid in role.keyids}
    delegations.keys = {keyid: key for keyid, key in delegations.keys.items() if keyid in used}
