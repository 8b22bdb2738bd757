"""How a node's keys stand, and what of them, of the member's role and of its certificates ends soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge.adapters.certificates.files import held_certificate
from bridge.adapters.trust.membership.roles import member_role
from bridge.app.keys.key_states import End, KeyState, key_ends, key_states
from bridge.compose.member_keys import key_stores
from bridge.compose.node import open_trust
from bridge.core.errors import UnavailableError
from bridge.settings import NodeSettings


@dataclass(frozen=True, slots=True)
class KeyReport:
    """Contact point -> its keys, and everything that ends, by the membership list `version`."""

    version: int
    keys: Mapping[str, Sequence[KeyState]]
    ends: Sequence[End]


async def key_report(settings: NodeSettings, *, contact_points: Sequence[str], at: datetime) -> KeyReport:
    """The report, by the newest list that can be had.

    Raises:
        UnavailableError: no list was ever verified, or the private keys cannot be looked at.
    """
    directory = await open_trust(settings).refresh()
    stores = {own: store.kids() for own, store in key_stores(settings).items() if own in contact_points}
    keys = {own: key_states(directory, own, here=here, at=at) for own, here in stores.items()}
    ends = [end for own, here in stores.items() for end in key_ends(directory, own, here=here, at=at)]
    role = member_role(settings.prefix)
    return KeyReport(
        directory.version,
        keys,
        [*ends, End("member role", role, directory.expiries.get(role)), *_certificates(settings)],
    )


def _certificates(settings: NodeSettings) -> list[End]:
    if settings.broker.certificates is None:
        return []
    folder = settings.path(settings.broker.certificates)
    return [End("certificate", account.user, _certificate_ends(folder, account.user)) for account in settings.accounts]


def _certificate_ends(folder: Path, account: str) -> datetime | None:
    try:
        return held_certificate(folder, account).ends
    except UnavailableError:
        return None
