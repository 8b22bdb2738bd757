"""Sets nodes up: where all keys of the network are on this machine at once, otherwise with a request to be admitted.

Both make the same folder and the same request; `found_nodes` admits it in the same step, and several of them in one
new version of the network. When that fails, the folders are as they were before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bridge.adapters.jose.signatures import ALGORITHM
from bridge.adapters.trust.governance.changes import governance_change, keys_change, last_version
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.reading import read_first
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import keys_document
from bridge.adapters.trust.membership.mirror import FolderMirror, Mirror
from bridge.adapters.trust.membership.roles import keys_file, member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.adapters.trust.node.https_mirror import HttpsMirror
from bridge.app.enrol_node import first_keys, members_of_country, refuse_enrolled
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.ids import owner_of, prefix_of
from bridge.founding.certificates import Secretariat
from bridge.founding.joining import JoinRequest, admission, proof_input, request_of
from bridge.founding.node_folder import (
    BrokerPlace,
    MadeFolder,
    NodeOrder,
    make_folder,
    refuse_order,
    remove_folder,
    render_settings,
)
from bridge.settings.trust import is_address, is_usable

__all__ = [
    "BrokerPlace",
    "EnrolledNode",
    "FoundNode",
    "NodeOrder",
    "admit",
    "enrol_node",
    "found_nodes",
    "render_settings",
]

MIRROR_SECONDS: Final = 60.0  # for all files of a list that is read for the first time
THRESHOLD: Final = "E_THRESHOLD"


@dataclass(frozen=True, slots=True)
class FoundNode:
    """A node that was set up: its settings file, and the key ids of each contact point."""

    config: Path
    kids: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class EnrolledNode:
    """A node that was set up, and what it asks to be admitted with.

    Attributes:
        version: of the list that it starts from.
        root_sha256: of the first root that it pinned.
    """

    node: FoundNode
    request: JoinRequest
    version: int
    root_sha256: str


def found_nodes(orders: Sequence[NodeOrder], *, network: Path, at: datetime | None = None) -> list[FoundNode]:
    """Sets up nodes and enrols all their public keys in one new version of the network.

    Raises:
        BadInputError: a country is not in the network; the sentence names those that are.
        RefusedError: a folder holds a node already, a contact point has keys, or the network does not verify.
        UnavailableError: a folder cannot be written, or no network is there.
    """
    now = at or datetime.now(UTC)
    repository = TufRepository(network)
    found = repository.verified(at=now)
    points = {order.folder: members_of_country(found.directory, order.country) for order in orders}
    for order in orders:
        refuse_order(order)
        refuse_enrolled(found.directory, [point.id for point in points[order.folder]])
    prefixes = [order.prefix for order in orders]
    twice = [prefix for prefix in prefixes if prefixes.count(prefix) > 1]
    if twice:
        raise RefusedError("E_KEY_EXISTS", f"{twice[0]}: expected one node for a country; nothing was changed")
    source = _Source(found, str(repository.mirror.resolve()), repository.first_root.read_bytes())
    with _undoing(orders):
        made = [
            _enrol(order, {point.id: point.name for point in points[order.folder]}, source, now) for order in orders
        ]
        _equip(orders, [one.request for one in made], network, now)
        admit(network, [one.request for one in made], at=now)
    return [one.node for one in made]


def admit(network: Path, requests: Sequence[JoinRequest], *, at: datetime | None = None) -> None:
    """Admits members by their requests in one new version of the network, where its keys are on this machine.

    Raises:
        RefusedError: a request is not to be admitted, or governance signs elsewhere (`E_THRESHOLD`).
        UnavailableError: no network is there.
    """
    now = at or datetime.now(UTC)
    try:
        TufRepository(network).change(lambda present: _admitting(present, requests, now), at=now)
    except RefusedError as error:
        if error.code != THRESHOLD:
            raise
        detail = f"{error.message}; where governance signs elsewhere, `node enroll` writes a request for it"
        raise RefusedError(THRESHOLD, detail) from None


def enrol_node(
    order: NodeOrder,
    contact_points: Mapping[str, str],
    *,
    mirror: str,
    root: Path | None,
    out: Path,
    replace: bool,
    at: datetime | None = None,
) -> EnrolledNode:
    """Sets up a node and writes its request to be admitted; no key of the network is needed.

    Args:
        order: the node.
        contact_points: id -> name, as the country proposes; empty: those that the list has of this country.
        mirror: the network's mirror: a folder, or an https address.
        root: the first root as it came over another channel; `None`: the mirror's own, whose SHA-256 is compared.
        out: the request's file.
        replace: the country's node was lost, and its keys in the list with it.
        at: the moment; now unless it is given.

    Raises:
        BadInputError: a contact point is malformed or another country's; none is given and the list has none.
        RefusedError: the folder or the file is there already, the country has keys, or the mirror does not verify.
        UnavailableError: a folder cannot be written, or no mirror is there.
    """
    now = at or datetime.now(UTC)
    place = mirror.rstrip("/") if is_address(mirror) else str(Path(mirror).resolve())
    found, root_bytes = read_first(_mirror_at(place), root=root, at=now)
    points = contact_points or {p.id: p.name for p in members_of_country(found.directory, order.country)}
    _refuse_strangers(points, order)
    refuse_order(order)
    if out.exists():
        raise RefusedError("E_FILE_EXISTS", f"{out} is there already; nothing was changed")
    if not replace:
        there = [point.id for point in found.directory.contact_points.values() if point.prefix == order.prefix]
        refuse_enrolled(found.directory, [*points, *there])
    with _undoing([order]):
        enrolled = _enrol(order, points, _Source(found, place, root_bytes), now)
        out.write_bytes(enrolled.request.to_bytes())
    return enrolled


@dataclass(frozen=True, slots=True)
class _Source:
    """The list that a node starts from."""

    found: VerifiedList
    mirror: str
    root_bytes: bytes


def _mirror_at(place: str) -> Mirror:
    if not is_address(place):
        return FolderMirror(Path(place))
    if not is_usable(place):
        detail = "mirror: found another address, expected a folder, or https://host/path without account and query"
        raise BadInputError("E_MIRROR", detail, path="mirror")
    return HttpsMirror(place, seconds=MIRROR_SECONDS)


def _refuse_strangers(contact_points: Iterable[str], order: NodeOrder) -> None:
    strangers = [identifier for identifier in contact_points if prefix_of(identifier) != order.prefix]
    if strangers:
        detail = f"contact point: found {strangers[0]}, expected one of {order.country.upper()}: {order.prefix}.<name>"
        raise BadInputError("E_CONTACT_POINT", detail)


def _enrol(order: NodeOrder, contact_points: Mapping[str, str], source: _Source, now: datetime) -> EnrolledNode:
    found = source.found
    version = last_version(found, member_role(order.prefix)) + 1
    keys = first_keys(sorted(contact_points), version=version, at=now)
    made = make_folder(order, keys, mirror=source.mirror, root_bytes=source.root_bytes)
    kids = {identifier: [key.kid for key in ordered] for identifier, ordered in keys.items()}
    request = _request(made, order.prefix, contact_points, found, now)
    root_sha256 = hashlib.sha256(source.root_bytes).hexdigest()
    return EnrolledNode(FoundNode(made.config, kids), request, found.directory.version, root_sha256)


def _request(
    made: MadeFolder, prefix: str, contact_points: Mapping[str, str], found: VerifiedList, now: datetime
) -> JoinRequest:
    unsigned = keys_change(found, keys_document(prefix, made.public_keys), at=now)
    member_key = made.member_key.public_key
    document_bytes = unsigned.documents[keys_file(prefix)]
    network = found.network.network
    request = JoinRequest(
        network=network,
        member=prefix,
        contact_points=contact_points,
        member_key=member_key,
        publication=unsigned.signed_by([made.member_key], {member_role(prefix): [member_key.keyid]}),
        proofs={
            key.kid: made.keys[owner_of(key.kid)].sign(
                key.kid, proof_input(network, key.kid, member_key, document_bytes)
            )
            for key in made.public_keys
            if key.alg == ALGORITHM
        },
        certificates={account: pem.decode("ascii") for account, pem in made.certificate_requests.items()},
    )
    return request_of(request.to_bytes())  # as governance will read it


def _equip(orders: Sequence[NodeOrder], requests: Sequence[JoinRequest], network: Path, now: datetime) -> None:
    """Gets the nodes what they ask for to sign in to the broker with, where that is certificates."""
    if not any(request.certificates for request in requests):
        return
    secretariat = Secretariat.of(network, at=now)
    for order, request in zip(orders, requests, strict=True):
        if request.certificates:
            asked = "".join(request.certificates.values()).encode("ascii")
            secretariat.answer(asked, order.certificates, order.prefix, accounts=list(request.certificates))


def _admitting(present: VerifiedList, requests: Sequence[JoinRequest], now: datetime) -> Publication:
    """One change: governance lets these members sign their keys, and each signs its first ones."""
    admitted = {request.member: request.member_key for request in requests}
    points = present.contact_points
    governed = governance_change(present, network=present.network, contact_points=points, admitted=admitted, at=now)
    return joined([governed, *(admission(present, request, points) for request in requests)])


@contextmanager
def _undoing(orders: Sequence[NodeOrder]) -> Iterator[None]:
    """Whatever fails inside, these folders are afterwards as they were before."""
    try:
        yield
    except BaseException as error:
        for order in orders:
            remove_folder(order.folder)
        if isinstance(error, OSError):
            raise UnavailableError("E_NODE_FOLDER", f"{error.filename}: {error.strerror}") from None
        raise
