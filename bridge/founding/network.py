"""A network's folder: founded from a file, looked at, confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bridge.adapters.certificates.authority import FIRST_KEY, make_authority
from bridge.adapters.trust import TufRepository
from bridge.adapters.trust.ceremony_keys import GOVERNANCE, ONLINE, REVOCATIONS, make_keys
from bridge.adapters.trust.changes import Holders, founding
from bridge.adapters.trust.documents import contact_point_document, network_document
from bridge.adapters.trust.publication import Publication
from bridge.app.network_file import NetworkPlan, read_network_file
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.core.ids import prefix_of
from bridge.ports.trust import NetworkState


def found_network(folder: Path, file: Path, *, at: datetime | None = None) -> NetworkState:
    """Founds a network in `folder` from a network file, and answers its first version.

    Raises:
        BadInputError: the file is not a network file; every fault is in `problems`.
        UnavailableError: the file cannot be read, or the folder not written.
        RefusedError: a network is there already.
    """
    plan = read_plan(file)
    now = at or datetime.now(UTC)
    repository = TufRepository(folder)
    repository.found(lambda: _first_version(repository, plan, now), at=now)
    return repository.state(at=now)


def read_plan(file: Path) -> NetworkPlan:
    """The plan in a network file; raises like `found_network`."""
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
    return TufRepository(folder).last_valid_moment(now=now)


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


def _first_version(repository: TufRepository, plan: NetworkPlan, now: datetime) -> Publication:
    numbers = {GOVERNANCE: plan.governance.keys, REVOCATIONS: plan.revocation.keys, **dict.fromkeys(ONLINE, 1)}
    made = make_keys(repository.keys, numbers)
    keys = {group: [signer.public_key for signer in signers] for group, signers in made.items()}
    authority = make_authority(repository.keys / FIRST_KEY, plan.network, at=now)
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
