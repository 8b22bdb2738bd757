"""What governance is to sign: the way from the present list to what the network file says.

The file is the whole truth about contact points and holders. What stands in no file is said beside it: who is removed
overnight, who is reinstated, which requests to join are granted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from securesystemslib.signer import Key
from tuf.api.metadata import Delegations, Role

from bridge.adapters.certificates.authority import make_authority, next_key_file
from bridge.adapters.trust.governance.ceremony_keys import GOVERNANCE, ONLINE, REVOCATIONS, make_keys
from bridge.adapters.trust.governance.changes import (
    Holders,
    governance_change,
    new_base,
    revocation_change,
    root_change,
)
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.repository import KEYS
from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.documents import authority_of, contact_point_document, suspensions
from bridge.adapters.trust.membership.forms import NetworkDocument, RevocationsDocument
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.app.network_file import NetworkPlan, SigningRole
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import prefix_of
from bridge.core.times import to_milliseconds
from bridge.founding.ceremony import present_list
from bridge.founding.joining import JoinRequest, admission, read_request
from bridge.founding.network import read_holders, read_plan

CODE: Final = "E_TAKE_BACK"
RENEW_BEFORE: Final = timedelta(
    days=365
)  # what holds for three years is signed anew whenever governance signs in the last


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted besides what the network file says.

    Attributes:
        remove: members to be removed, by country or prefix, whatever the file still says of them.
        reinstate: members or contact points whose suspensions by the revocation role are taken back.
        admit: members' requests, in files.
        online: whether the secretariat gets new online keys, made in the network's folder.
        authority: whether a new certificate authority, made there too, stands in the list beside those before.
        withdraw: certificate authorities that count no more, by the beginning of their SHA-256.
        take_back: keys, contact points or members: what the revocation role said of them is taken back, with its keys.
    """

    remove: Sequence[str] = ()
    reinstate: Sequence[str] = ()
    admit: Sequence[Path] = ()
    online: bool = False
    authority: bool = False
    withdraw: Sequence[str] = ()
    take_back: Sequence[str] = ()


def propose(folder: Path, file: Path, wishes: Wishes, *, at: datetime | None = None) -> Publication:
    """The unsigned change from the list in `folder` to the network file and the wishes.

    Raises:
        BadInputError: the file, a request or a wish is faulty.
        RefusedError: the file is another network's, nothing would change, or the present list does not verify.
        UnavailableError: a file cannot be read, or no network is there.
    """
    now = to_milliseconds(at or datetime.now(UTC))
    found = present_list(folder, at=now)
    plan = read_plan(file)
    if plan.network != found.network.network:
        detail = f"{file} is of {plan.network}, the network here is {found.network.network}"
        raise RefusedError("E_NETWORK_FILE", detail)
    plan = _without(plan, [_member(found, who) for who in wishes.remove])
    named = read_holders(plan, file.parent)
    requests = [read_request(path) for path in wishes.admit]
    network = _network(found, plan, wishes, folder / KEYS, now)
    parts = [admission(found, request, network.contact_points) for request in requests]
    revocation = _revocation(found, plan, named)
    if revocation != _present_revocation(found):
        network, said = _said_by_others(found, network, revocation, wishes)
        parts.append(revocation_change(found, said, at=now))
    elif wishes.take_back:
        raise BadInputError(CODE, "--take-back: expected other holders of the revocation role in the network file")
    targets = _targets_part(found, plan, network, revocation, requests, now)
    root = _root_part(found, plan, named, now, new_online_keys=folder / KEYS if wishes.online else None)
    if root is None and not parts and found.targets.expires - now > RENEW_BEFORE and _is_as_before(found, targets):
        raise RefusedError("E_UNCHANGED", f"the list already says what {file} says; there is nothing to sign")
    return joined([targets, *parts, *([root] if root else [])])


def _network(found: VerifiedList, plan: NetworkPlan, wishes: Wishes, keys: Path, now: datetime) -> NetworkDocument:
    # The holder's clock may have been ahead: what is taken back is everything said so far.
    said = max((entry.at for entry in found.revocations.suspensions), default=now)
    back = dict.fromkeys((_suspended(found, who) for who in wishes.reinstate), max(now, said))
    changes = {
        "countries": plan.countries,
        "contact_points": tuple(point.id for point in plan.contact_points),
        "reinstated": {**found.network.reinstated, **back},
        "certificate_authorities": _authorities(found, wishes, keys, now),
    }
    return found.network.model_copy(update=changes)


def _authorities(found: VerifiedList, wishes: Wishes, keys: Path, now: datetime) -> tuple[str, ...]:
    """Those that stay, and a new one: the list names both until everybody has certificates of the new one."""
    listed = {authority_of(pem)[0]: pem for pem in found.network.certificate_authorities}
    for digest in wishes.withdraw:
        named = [known for known in listed if known.startswith(digest.lower())]
        if len(named) != 1:
            detail = f"--withdraw-authority: found {digest[:64]}, expected the SHA-256 of one of {', '.join(listed)}"
            raise BadInputError("E_AUTHORITY", detail)
        del listed[named[0]]
    if not wishes.authority:
        return tuple(listed.values())
    try:
        return (*listed.values(), make_authority(next_key_file(keys), found.network.network, at=now))
    except OSError as error:
        raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None


def _present_revocation(found: VerifiedList) -> Holders:
    delegations = found.targets.delegations or Delegations({}, {})
    return _holders((delegations.roles or {})[roles.REVOCATIONS], delegations.keys)


def _revocation(found: VerifiedList, plan: NetworkPlan, named: Mapping[str, Sequence[Key]]) -> Holders:
    return _from_now_on("revocation", plan.revocation, named.get(REVOCATIONS), _present_revocation(found))


def _said_by_others(
    found: VerifiedList, network: NetworkDocument, revocation: Holders, wishes: Wishes
) -> tuple[NetworkDocument, RevocationsDocument]:
    """What the revocation role says when other holders sign it; a new base as soon as one of those before is gone.

    His key may have been in wrong hands, and have shown single nodes what was never published.
    """
    said = found.revocations
    staying = {key.keyid for key in revocation.keys}
    if staying.issuperset(key.keyid for key in _present_revocation(found).keys):
        if wishes.take_back:
            raise BadInputError(CODE, "--take-back: expected that a holder of the revocation role is replaced")
        return network, said
    for what in wishes.take_back:
        name = what.lower()
        keys = tuple(entry for entry in said.keys if not _is_of(entry.kid, name))
        stopped = tuple(entry for entry in said.suspensions if not _is_of(entry.who, name))
        if (keys, stopped) == (said.keys, said.suspensions):
            detail = f"--take-back: found {what[:80]}, expected a key, contact point or member that the role stopped"
            raise BadInputError(CODE, detail)
        said = said.model_copy(update={"keys": keys, "suspensions": stopped})
    return new_base(network, said), said


def _is_of(stopped: str, name: str) -> bool:
    """Whether a key, contact point or member is the named one, or one of its own."""
    return name in {stopped, stopped.partition("#")[0], stopped.partition(".")[0]}


def _targets_part(
    found: VerifiedList,
    plan: NetworkPlan,
    network: NetworkDocument,
    revocation: Holders,
    requests: Iterable[JoinRequest],
    now: datetime,
) -> Publication:
    return governance_change(
        found,
        network=network,
        contact_points={point.id: contact_point_document(point) for point in plan.contact_points},
        admitted={request.member: request.member_key for request in requests},
        revocation=revocation,
        at=now,
    )


def _root_part(
    found: VerifiedList,
    plan: NetworkPlan,
    named: Mapping[str, Sequence[Key]],
    now: datetime,
    *,
    new_online_keys: Path | None,
) -> Publication | None:
    """The next root, where keys or threshold change or the present one ends within a year."""
    root = found.root
    present = _holders(root.roles[roles.ROOT], root.keys)
    governance = _from_now_on("governance", plan.governance, named.get(GOVERNANCE), present)
    online = {role: root.keys[root.roles[role].keyids[0]] for role in ONLINE}
    if new_online_keys is not None:
        try:
            made = make_keys(new_online_keys, dict.fromkeys(ONLINE, 1))
        except OSError as error:
            raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None
        online = {role: signers[0].public_key for role, signers in made.items()}
    elif governance == present and root.expires - now > RENEW_BEFORE:
        return None
    return root_change(found, governance=governance, online=online, at=now)


def _from_now_on(name: str, role: SigningRole, named: Sequence[Key] | None, present: Holders) -> Holders:
    """The holders that the file names; where it names none, those that there are."""
    if named is None and role.keys != len(present.keys):
        detail = f"$.{name}: found keys = {role.keys}, expected holders: other keys are those of holders, by name"
        raise BadInputError("E_NETWORK_FILE", detail, path=f"$.{name}")
    return Holders(list(present.keys if named is None else named), role.threshold)


def _holders(role: Role, keys: Mapping[str, Key]) -> Holders:
    return Holders([keys[keyid] for keyid in role.keyids], role.threshold)


def _is_as_before(found: VerifiedList, change: Publication) -> bool:
    targets = change.metadata[roles.TARGETS].signed
    return bool(not change.documents and targets.targets == found.targets.targets) and (
        targets.delegations == found.targets.delegations
    )


def _without(plan: NetworkPlan, prefixes: Iterable[str]) -> NetworkPlan:
    """The plan without these members, and without what others have that concerns them."""
    removed = set(prefixes)
    gone = {prefix.upper() for prefix in removed}
    points = (
        replace(
            point,
            transfer_basis=MappingProxyType({to: b for to, b in point.transfer_basis.items() if to not in gone}),
            deputies=tuple(deputy for deputy in point.deputies if prefix_of(deputy) not in removed),
        )
        for point in plan.contact_points
        if point.prefix not in removed
    )
    countries = tuple(country for country in plan.countries if country not in gone)
    return replace(plan, countries=countries, contact_points=tuple(points))


def _member(found: VerifiedList, who: str) -> str:
    if who.lower() not in found.prefixes:
        known = ", ".join(prefix.upper() for prefix in found.prefixes)
        raise BadInputError("E_MEMBER", f"--remove: found {who[:40]}, expected a member: one of {known}")
    return who.lower()


def _suspended(found: VerifiedList, who: str) -> str:
    """Whom to reinstate: a contact point that is stopped, or a member that has one."""
    stopped = suspensions(found.contact_points, found.revocations, found.network)
    known = sorted(set(stopped) | {prefix_of(identifier) for identifier in stopped})
    concerned = [identifier for identifier in stopped if who.lower() in {identifier, prefix_of(identifier)}]
    if not concerned:
        near = difflib.get_close_matches(who.lower(), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        detail = f"--reinstate: found {who[:40]}, expected whom the revocation role suspended{hint}"
        raise BadInputError("E_MEMBER", detail)
    return who.lower()
