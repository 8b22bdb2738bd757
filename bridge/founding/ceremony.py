"""Signing across machines: reads what travels, compares it with the list at hand, adds signatures, publishes.

Rules:
1. Nothing is signed that was not first read against the present list and found to say only what can be shown.
2. Signatures that do not hold are dropped before any are counted.
3. Who signs needs a copy of the mirror, not the network's folder; trust in that copy begins with a root file whose
   SHA-256 people compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from securesystemslib.signer import Signer

from bridge.adapters.trust.governance.holder_key import holder_of
from bridge.adapters.trust.governance.publication import Publication, joined, keyids_of, read_publication, signatures
from bridge.adapters.trust.governance.reading import FIRST_ROOT, last_valid_moment, mirror_in, read_mirror
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.governance.review import review
from bridge.adapters.trust.membership.mirror import METADATA, read_bounded
from bridge.adapters.trust.membership.roles import ROOT
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.app.network_standing import Review
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.ports.trust import NetworkState


@dataclass(frozen=True, slots=True)
class Travelling:
    """A publication on its way, read against the list at hand.

    Attributes:
        found: the present list; `None` where a network is founded.
        root_sha256: of the root file that the present list was verified from.
    """

    publication: Publication
    found: VerifiedList | None
    review: Review
    root_sha256: str | None = None


def present_list(place: Path, *, root: Path | None = None, at: datetime) -> VerifiedList:
    """The list in a network's folder or a copy of its mirror; one that has expired as of its last valid moment.

    In a network's folder an interrupted publication is finished first.

    Raises:
        UnavailableError: no network is there (`E_NETWORK_FOLDER`).
        RefusedError: it does not verify (`E_NETWORK_INVALID`).
    """
    mirror = mirror_in(place)
    if mirror != place:
        TufRepository(place).finish()
    return read_mirror(mirror, root=root, at=last_valid_moment(mirror, now=at))


def receive(
    files: Sequence[Path], place: Path | None, *, root: Path | None = None, at: datetime | None = None
) -> Travelling:
    """Copies of one publication, or several publications, put together and compared with the list at `place`.

    Args:
        files: at least one.
        place: a network's folder or a copy of its mirror; not needed, and possibly empty, where a network is founded.
        root: the root file that trust in `place` begins with; its own first one otherwise.
        at: the moment, now if not given.

    Raises:
        BadInputError: a file is no publication, or `place` is missing.
        RefusedError: it does not follow the present list, or says more than can be shown (`E_PUBLICATION`).
        UnavailableError: a file cannot be read.
    """
    now = at or datetime.now(UTC)
    publications = [read_file(file) for file in files]
    is_founding = all(ROOT in one.metadata and one.metadata[ROOT].signed.version == 1 for one in publications)
    found, digest = None, None
    if place is not None and (root or _first_root(place)).exists():
        found = present_list(place, root=root, at=now)
        digest = hashlib.sha256((root or _first_root(place)).read_bytes()).hexdigest()
    elif not is_founding:
        where = "--mirror" if place is None else str(place)
        raise BadInputError("E_USAGE", f"{where}: found no list, expected a copy of the network's mirror")
    whole = joined([one.verified_only(found) for one in publications])
    return Travelling(whole, found, review(whole, found, at=now), digest)


def compare(publication: Publication, found: VerifiedList, *, at: datetime) -> Travelling:
    """A publication made here, as those see it to whom it travels; raises like `receive`."""
    return Travelling(publication, found, review(publication, found, at=at))


def read_file(file: Path) -> Publication:
    """The publication in a file, nothing in it verified.

    Raises:
        BadInputError: it is none (`E_PUBLICATION`).
        UnavailableError: it cannot be read (`E_FILE`).
    """
    try:
        return read_publication(read_bounded(file))
    except OSError as error:
        raise UnavailableError("E_FILE", f"{file}: {error.strerror}") from None
    except BadInputError as error:
        raise BadInputError(error.code, f"{file}: {error.message}") from None


def names_of(travelling: Travelling, signers: Sequence[Signer]) -> tuple[str, ...]:
    """As whom these keys sign it.

    Raises:
        RefusedError: one of them is nobody's who signs this, or has signed already (`E_SIGNER`).
    """
    results = signatures(travelling.publication, travelling.found)
    every = [result for of_role in results.values() for result in of_role]
    known = {keyid: key for result in every for keyid, key in (*result.signed.items(), *result.unsigned.items())}
    open_keyids = {keyid for result in every for keyid in result.unsigned}
    names = []
    for signer in signers:
        keyid = signer.public_key.keyid
        if keyid not in known:
            who = "; ".join(sorted(set(map(holder_of, known.values()))))
            raise RefusedError("E_SIGNER", f"key {keyid[:8]}: it signs nothing here; this is signed by {who}")
        if keyid not in open_keyids:
            raise RefusedError("E_SIGNER", f"{holder_of(known[keyid])} has signed this already; nothing was changed")
        names.append(holder_of(known[keyid]))
    return tuple(names)


def sign(travelling: Travelling, signers: Sequence[Signer], *, at: datetime | None = None) -> Travelling:
    """With the signatures of these holders on everything that they may sign."""
    found = travelling.found
    keyids = keyids_of(signatures(travelling.publication, found))
    signed = travelling.publication.signed_by(signers, keyids)
    now = at or datetime.now(UTC)
    return Travelling(signed, found, review(signed, found, at=now), travelling.root_sha256)


def publish(folder: Path, publication: Publication, *, at: datetime | None = None) -> NetworkState:
    """Publishes what is signed, and answers the network's state.

    Raises:
        RefusedError: too few have signed (`E_THRESHOLD`), it is stale or another network's (`E_PUBLICATION`), or no
            node would accept it (`E_NETWORK_INVALID`).
        UnavailableError: the folder is busy or cannot be written, or the online keys are not here.
    """
    now = at or datetime.now(UTC)
    repository = TufRepository(folder)
    repository.publish(publication, at=now)
    return repository.state(at=now)


def _first_root(place: Path) -> Path:
    return mirror_in(place) / METADATA / FIRST_ROOT
