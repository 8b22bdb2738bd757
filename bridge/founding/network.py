"""A network's folder: founded from a file, looked at, confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bridge.adapters.trust import TufRepository
from bridge.app.network_file import read_network_file
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.core.ids import prefix_of
from bridge.ports.trust import Member, NetworkState


def found_network(folder: Path, file: Path, *, at: datetime | None = None) -> NetworkState:
    """Founds a network in `folder` from a network file, and answers its first version.

    Raises:
        BadInputError: the file is not a network file; every fault is in `problems`.
        UnavailableError: the file cannot be read, or the folder not written.
        RefusedError: a network is there already.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnavailableError("E_FILE", f"{file}: {error.strerror}") from None
    plan = read_network_file(data, accounts=_account_names)
    now = at or datetime.now(UTC)
    repository = TufRepository(folder)
    repository.found(plan.network, plan.countries, [Member(point) for point in plan.contact_points], at=now)
    return repository.state(at=now)


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


def _account_names(contact_point: str) -> Mapping[str, str]:
    prefix = prefix_of(contact_point)
    return {
        "relay": names.relay_account(prefix),
        "router": names.router_account(prefix),
        "inbox": names.inbox_account(contact_point),
    }
