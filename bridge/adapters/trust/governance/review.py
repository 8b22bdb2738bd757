"""What a publication would make of a network: for those who are asked to sign it.

Rules:
1. It is a change of the list at hand: of this network, the next version of each role that it touches.
2. What it means is read from its documents; then the change that means just this is made anew, and has to be the same,
   byte for byte. So nothing can stand in it that those who sign are not shown: no other file, no wider delegation, no
   unknown member, no longer life.
3. One key has one id.

It says nothing about whether the change is right. That is for those who sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tuf.api.metadata import Key, Metadata, Role, Root, TargetFile, Targets

from bridge.adapters.trust.governance.ceremony_keys import ONLINE
from bridge.adapters.trust.governance.changes import (
    HASHES,
    Holders,
    founding,
    governance_change,
    revocation_change,
    root_change,
)
from bridge.adapters.trust.governance.holder_key import check_key, holder_of
from bridge.adapters.trust.governance.publication import CODE, Publication, joined, root_and_targets, signatures
from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.documents import authority_of, contact_point_of, keys_of, suspensions
from bridge.adapters.trust.membership.forms import (
    NOTHING_REVOKED,
    ContactPointDocument,
    Document,
    KeysDocument,
    NetworkDocument,
    RevocationsDocument,
    read_document,
)
from bridge.adapters.trust.membership.stops import check_stops
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.app.network_standing import Review, Signers, Standing, Stop, Tally
from bridge.core.errors import RefusedError
from bridge.core.times import format_time

CLOCK_DIFFERENCE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Content:
    """Everything that a list says, as documents and metadata."""

    network: NetworkDocument
    contact_points: Mapping[str, ContactPointDocument]
    keys: Mapping[str, KeysDocument]
    revocations: RevocationsDocument
    root: Root
    targets: Targets

    @property
    def delegated(self) -> Mapping[str, Role]:
        """The members' roles and the revocation role."""
        return dict((self.targets.delegations.roles if self.targets.delegations else None) or {})

    @property
    def delegated_keys(self) -> Mapping[str, Key]:
        """Key id -> key, of those roles."""
        return self.targets.delegations.keys if self.targets.delegations else {}

    def member_key(self, role: str) -> Key:
        """The one key of a member's role."""
        return self.delegated_keys[self.delegated[role].keyids[0]]


def review(publication: Publication, found: VerifiedList | None, *, at: datetime) -> Review:
    """What is before, what would be after, and who has signed it.

    Args:
        publication: nothing in it is trusted.
        found: the present list; `None` for the founding of a network.
        at: the moment.

    Raises:
        BadInputError: a document in it is none (`E_TRUST_DOCUMENT`).
        RefusedError: it does not start from this list, or says more than can be shown (`E_PUBLICATION`).
    """
    if found is not None and publication.network != found.network.network:
        detail = f"the publication is of {publication.network}, this network is {found.network.network}"
        raise RefusedError(CODE, detail)
    results = signatures(publication, found)
    after = _after(publication, found)
    for key in (*after.root.keys.values(), *after.delegated_keys.values()):
        check_key(key)
    _check_nothing_else(publication, found, after, at)
    _check_moments(after.revocations, at)
    if found is not None:
        check_stops(found, after)
    return Review(
        before=_standing(_before(found)) if found else None,
        after=_standing(after),
        tallies=tuple(
            Tally(
                role=role,
                version=publication.metadata[role].signed.version,
                expires=publication.metadata[role].signed.expires,
                threshold=result.threshold,
                signed=tuple(sorted(map(holder_of, result.signed.values()))),
                unsigned=tuple(sorted(map(holder_of, result.unsigned.values()))),
                present=place + 1 < len(of_role),
            )
            for role, of_role in results.items()
            for place, result in enumerate(of_role)
        ),
    )


def _before(found: VerifiedList) -> _Content:
    return _Content(found.network, found.contact_points, found.keys, found.revocations, found.root, found.targets)


def _after(publication: Publication, found: VerifiedList | None) -> _Content:
    root, targets = root_and_targets(publication, found)
    network = _read(publication, NetworkDocument, roles.NETWORK_FILE) or (found.network if found else None)
    if network is None or network.network != publication.network:
        raise RefusedError(CODE, f"expected {roles.NETWORK_FILE} of {publication.network} in the publication")
    points = {}
    for identifier in network.contact_points:
        point = _read(publication, ContactPointDocument, roles.contact_point_file(identifier))
        point = point or (found.contact_points.get(identifier) if found else None)
        if point is None or point.id != identifier:
            raise RefusedError(CODE, f"expected the document of {identifier} in the publication")
        points[identifier] = point
    keys = {}
    for prefix in sorted({identifier.partition(".")[0] for identifier in points}):
        document = _read(publication, KeysDocument, roles.keys_file(prefix))
        document = document or (found.keys.get(prefix) if found else None)
        if document is not None:
            keys[prefix] = document
    revocations = _read(publication, RevocationsDocument, roles.REVOCATIONS_FILE)
    revocations = revocations or (found.revocations if found else NOTHING_REVOKED)
    return _Content(network, points, keys, revocations, root, targets)


def _read(publication: Publication, form: type[Document], target: str) -> Document | None:
    data = publication.documents.get(target)
    return None if data is None else read_document(form, data)


def _check_nothing_else(publication: Publication, found: VerifiedList | None, after: _Content, at: datetime) -> None:
    expected = _made_anew(publication, found, after, at)
    for target in sorted(publication.documents.keys() | expected.documents.keys()):
        if publication.documents.get(target) != expected.documents.get(target):
            raise RefusedError(CODE, f"{target}: it is not what the rest of the publication says")
    for role, metadata in publication.metadata.items():
        if role not in expected.metadata or _said(metadata) != _said(expected.metadata[role]):
            raise RefusedError(CODE, f"{role}: it says more, or something else, than can be shown in words")


def _check_moments(revocations: RevocationsDocument, at: datetime) -> None:
    """A suspension of some later day could be taken back only together with every one until then."""
    said = [*(entry.at for entry in revocations.keys), *(entry.at for entry in revocations.suspensions)]
    latest = max(said, default=at)
    if latest > at + CLOCK_DIFFERENCE:
        raise RefusedError(
            CODE, f"a revocation or suspension is dated {format_time(latest)}, expected no later than now"
        )


def _made_anew(publication: Publication, found: VerifiedList | None, after: _Content, at: datetime) -> Publication:
    made_at = {role: _made_at(role, metadata, at) for role, metadata in publication.metadata.items()}
    try:
        governance = _holders(after.root.roles[roles.ROOT], after.root.keys)
        online = {role: after.root.keys[after.root.roles[role].keyids[0]] for role in ONLINE}
        revocation = _holders(after.delegated[roles.REVOCATIONS], after.delegated_keys)
        members = [role for role in after.delegated if role.startswith(roles.MEMBER)]
        admitted = {role.removeprefix(roles.MEMBER): after.member_key(role) for role in members}
    except (KeyError, IndexError):
        raise RefusedError(CODE, "a role has no key, or one that is not there") from None
    if found is None:
        points, moment = after.contact_points.values(), made_at[roles.ROOT]
        return founding(after.network, points, governance=governance, revocation=revocation, online=online, at=moment)
    parts = [Publication(publication.network, {})]
    for role, moment in made_at.items():
        if role == roles.ROOT:
            parts.append(root_change(found, governance=governance, online=online, at=moment))
        elif role == roles.TARGETS:
            change = governance_change(
                found,
                network=after.network,
                contact_points=after.contact_points,
                admitted=admitted,
                revocation=revocation,
                at=moment,
            )
            parts.append(change)
        elif role == roles.REVOCATIONS:
            parts.append(revocation_change(found, after.revocations, at=moment))
        else:
            parts.append(_member_part(publication, role, moment))
    return joined(parts)


def _member_part(publication: Publication, role: str, moment: datetime) -> Publication:
    """A member's own document; its bytes are the member's, who need not write JSON as we do."""
    target = roles.file_of_role(role)
    data = publication.documents.get(target)
    if data is None or roles.keys_file(read_document(KeysDocument, data).member) != target:
        raise RefusedError(CODE, f"expected {target} in the publication, of the same member")
    signed = Targets(
        version=publication.metadata[role].signed.version,
        expires=roles.expiry(role, moment),
        targets={target: TargetFile.from_data(target, data, HASHES)},
    )
    return Publication(publication.network, {role: Metadata(signed)}, {target: data})


def _made_at(role: str, metadata: Metadata[Any], at: datetime) -> datetime:
    """When it was made: the lifetime of each role is fixed."""
    expires: datetime = metadata.signed.expires
    moment = expires - (roles.expiry(role, at) - at)
    if moment > at + CLOCK_DIFFERENCE:
        raise RefusedError(CODE, f"{role}: it holds until {format_time(expires)}, longer than it may from now")
    return moment


def _holders(role: Role, keys: Mapping[str, Key]) -> Holders:
    return Holders([keys[keyid] for keyid in role.keyids], role.threshold)


def _said(metadata: Metadata[Any]) -> Mapping[str, Any]:
    """What is signed, but for the order of roles whose files are different ones, and the library's own version."""
    said: dict[str, Any] = metadata.signed.to_dict()
    del said["spec_version"]
    if said.get("delegations"):
        delegations = said["delegations"]
        delegations["roles"] = sorted(delegations.get("roles") or (), key=lambda role: str(role["name"]))
    return said


def _standing(content: _Content) -> Standing:
    network, revocations = content.network, content.revocations
    suspended = {point.id: point.suspended for point in content.contact_points.values() if point.suspended}
    return Standing(
        network=network.network,
        countries=network.countries,
        contact_points={id_: contact_point_of(document) for id_, document in content.contact_points.items()},
        signers=dict(_signers(content)),
        keys={key.kid: key for document in content.keys.values() for key in keys_of(document)},
        revoked=tuple(Stop(entry.kid, entry.at, entry.reason) for entry in revocations.keys),
        stops_base=network.base_number,
        suspensions=tuple(Stop(entry.who, entry.at, entry.reason) for entry in revocations.suspensions),
        reinstated=network.reinstated,
        suspended={**suspensions(content.contact_points, revocations, network), **suspended},
        certificate_authorities=dict(map(authority_of, network.certificate_authorities)),
    )


def _signers(content: _Content) -> Iterator[tuple[str, Signers]]:
    root = content.root
    yield "governance", _named(root.roles[roles.ROOT], root.keys)
    for role in ONLINE:
        yield f"the secretariat's {role}", _named(root.roles[role], root.keys)
    for role, delegated in content.delegated.items():
        words = "revocations" if role == roles.REVOCATIONS else f"keys of {role.removeprefix(roles.MEMBER)}"
        yield words, _named(delegated, content.delegated_keys)


def _named(role: Role, keys: Mapping[str, Key]) -> Signers:
    return Signers({keyid: holder_of(keys[keyid]) for keyid in role.keyids}, role.threshold)
