"""A network's folder: founded from a file, looked at, confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from securesystemslib.signer import Key

from bridge.adapters.certificates.authority import make_authority, next_key_file
from bridge.adapters.trust.governance import reading
from bridge.adapters.trust.governance.ceremony_keys import GOVERNANCE, ONLINE, REVOCATIONS, make_keys
from bridge.adapters.trust.governance.changes import Holders, founding
from bridge.adapters.trust.governance.holder_key import check_holders, read_public_key
from bridge.adapters.trust.governance.publication import Publication
from bridge.adapters.trust.governance.publishing import write_file
from bridge.adapters.trust.governance.reading import mirror_in
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import contact_point_document, network_document
from bridge.app.network_file import NetworkPlan, read_network_file
from bridge.core import broker_names as names
from bridge.core.errors import RefusedError, UnavailableError
from bridge.core.ids import prefix_of
from bridge.ports.trust import NetworkState

FOUNDING_FILE: Final = "founding.json"


def found_network(folder: Path, file: Path, *, at: datetime | None = None) -> NetworkState:
    """Founds a network in `folder` from a network file that names no holders, and answers its first version.

    Raises:
        RefusedError: its holders have to sign first (`E_THRESHOLD`); otherwise like `begin_network`.
    """
    state = begin_network(folder, file, at=at)
    if state is None:
        raise RefusedError("E_THRESHOLD", f"the holders of its keys sign {folder / FOUNDING_FILE} first")
    return state


def begin_network(folder: Path, file: Path, *, at: datetime | None = None) -> NetworkState | None:
    """Begins a network in `folder` from a network file; answers its first version where every key was made here.

    Where the file names holders, their keys are not here: `founding.json` in the folder is then the publication that
    they have to sign, and the answer is `None`.

    Raises:
        BadInputError: the file is not a network file, every fault is in `problems`; or a holder's key file is none.
        UnavailableError: a file cannot be read, or the folder not written.
        RefusedError: a network is there already.
    """
    plan = read_plan(file)
    named = read_holders(plan, file.parent)
    now = at or datetime.now(UTC)
    repository = TufRepository(folder)
    unsigned = repository.found(lambda: _first_version(repository, plan, named, now), at=now)
    if unsigned is None:
        return repository.state(at=now)
    write_publication(folder / FOUNDING_FILE, unsigned)
    return None


def write_publication(path: Path, publication: Publication) -> None:
    """Writes a publication's file, whole or not at all.

    Raises:
        UnavailableError: it cannot be written (`E_FILE`).
    """
    try:
        write_file(path, publication.to_bytes())
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None


def read_holders(plan: NetworkPlan, folder: Path) -> Mapping[str, Sequence[Key]]:
    """Group of keys -> the public keys of the holders that the plan names for it, read beside the network file.

    Raises:
        BadInputError: a file holds no holder's key, or a key or a name stands twice.
        UnavailableError: a file cannot be read.
    """
    roles = {GOVERNANCE: plan.governance, REVOCATIONS: plan.revocation}
    named = {group: [read_public_key(folder / name) for name in role.holders] for group, role in roles.items()}
    for keys in named.values():
        check_holders(keys)
    return {group: keys for group, keys in named.items() if keys}


def read_plan(file: Path) -> NetworkPlan:
    """The plan in a network file; raises like `begin_network`."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnavailableError("E_FILE", f"{file}: {error.strerror}") from None
    return read_network_file(data, accounts=account_names)


def network_state(folder: Path, *, at: datetime | None = None) -> NetworkState:
    """The state of the network in `folder`, verified as of `at`, or now.

    Raises:
        UnavailableError: no network is there.
        RefusedError: signatures, digests or expiry do not hold.
    """
    return TufRepository(folder).state(at=at)


def last_valid_moment(folder: Path, *, now: datetime) -> datetime:
    """Now, or the moment before a network's timestamp expired; says nothing about whether it verifies."""
    return reading.last_valid_moment(mirror_in(folder), now=now)


def confirm_network(folder: Path, *, at: datetime | None = None) -> NetworkState:
    """Signs the network's timestamp anew, and answers the state; raises like `network_state`."""
    now = at or datetime.now(UTC)
    repository = TufRepository(folder)
    repository.confirm(at=now)
    return repository.state(at=now)


def account_names(contact_point: str) -> Mapping[str, str]:
    """The broker accounts that act for a contact point, by role."""
    prefix = prefix_of(contact_point)
    return {
        "relay": names.relay_account(prefix),
        "router": names.router_account(prefix),
        "inbox": names.inbox_account(contact_point),
    }


def _first_version(
    repository: TufRepository, plan: NetworkPlan, named: Mapping[str, Sequence[Key]], now: datetime
) -> Publication:
    roles = {GOVERNANCE: plan.governance, REVOCATIONS: plan.revocation}
    numbers = {group: role.keys for group, role in roles.items() if role.keys} | dict.fromkeys(ONLINE, 1)
    made = make_keys(repository.keys, numbers)
    keys = {group: [signer.public_key for signer in signers] for group, signers in made.items()} | dict(named)
    authority = make_authority(next_key_file(repository.keys), plan.network, at=now)
    return founding(
        network_document(
            plan.network,
            plan.countries,
            [point.id for point in plan.contact_points],
            certificate_authorities=[authority],
        ),
        [contact_point_document(point) for point in plan.contact_points],
        governance=Holders(keys[GOVERNANCE], plan.governance.threshold),
        revocation=Holders(keys[REVOCATIONS], plan.revocation.threshold),
        online={group: keys[group][0] for group in ONLINE},
        at=now,
    )
