"""What trust costs: loading and refreshing the membership list of a large network, and verifying by it.

The network is founded by the product's own code, 50 countries with 10 contact points each and all their keys. The node
reads it from a folder; over https a round trip for each file comes on top.
"""

from __future__ import annotations

import shutil
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner

from benchmarks.cases import make_correspondents, sample_alert
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.trust.governance.changes import governance_change, keys_change
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.documents import keys_document, keys_of
from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.membership.roles import member_role
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.app.sending.make_message import make_sealed
from bridge.core.countries import COUNTRY_CODES
from bridge.core.directory import Directory, PublicKey
from bridge.core.ids import owner_of, prefix_of
from bridge.core.verification import Receiver, TrustView, authenticate
from bridge.founding.network import found_network

COUNTRIES: Final = 50
POINTS_EACH: Final = 10
LIST_SIZES: Final = (14, COUNTRIES * POINTS_EACH)
_YEAR: Final = timedelta(days=365)
_VERIFY_REPEATS: Final = 20


@dataclass(frozen=True, slots=True)
class TrustFigures:
    """Medians.

    Attributes:
        list_ms: what is done with the list -> (milliseconds, of them CPU).
        list_kib: memory that the list takes once it is loaded.
        verify_us: contact points in the list -> CPU microseconds for steps 1 to 12 of a message.
    """

    list_ms: dict[str, tuple[float, float]]
    list_kib: float
    verify_us: dict[int, float]


def measure_trust(folder: Path, *, rounds: int) -> TrustFigures:
    """Founds the network in `folder` and measures; every figure is a median of `rounds`."""
    network = _Network(folder)
    keys = count(1)

    def load() -> None:
        network.node(folder / f"cache-{next(keys)}")

    node = network.node(folder / "cache")
    list_ms = {
        "load from nothing": _timed(load, rounds),
        "refresh, nothing is new": _timed(node.refresh_now, rounds),
        "refresh after a confirmation": _timed(node.refresh_now, rounds, before=network.confirm),
        "refresh after one member's new key": _timed(node.refresh_now, rounds, before=network.add_key),
    }
    tracemalloc.start()
    held = network.node(folder / "measured")
    list_kib = tracemalloc.get_traced_memory()[0] / 1024
    tracemalloc.stop()
    return TrustFigures(list_ms, list_kib, _verify(held.current(), rounds))


class _Node(TufTrustSource):
    def refresh_now(self) -> None:
        """What a refresh does, in this thread."""
        self._refresh()


class _Network:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "network.toml"
        file.write_text(_network_file(), "utf-8")
        found_network(folder / "network", file)
        self._repository = TufRepository(folder / "network")
        self._root = folder / "root.json"
        shutil.copy(self._repository.first_root, self._root)
        self._members: dict[str, CryptoSigner] = {}
        self._numbers = count(2)
        self._repository.change(self._first_keys, at=datetime.now(UTC))

    def node(self, cache: Path) -> _Node:
        """A node that has loaded the list."""
        node = _Node([FolderMirror(self._repository.mirror)], cache, self._root)
        node.refresh_now()
        return node

    def confirm(self) -> None:
        self._repository.confirm(at=datetime.now(UTC))

    def add_key(self) -> None:
        """One member publishes one key more."""
        prefix = min(self._members)
        number = next(self._numbers)

        def change(present: VerifiedList) -> Publication:
            before = keys_of(present.keys[prefix])
            new = _key(f"{owner_of(before[0].kid)}#sig-{number}", "ES256")
            return self._keys(present, prefix, [*before, new])

        self._repository.change(change, at=datetime.now(UTC))

    def _first_keys(self, present: VerifiedList) -> Publication:
        self._members = {prefix: CryptoSigner.generate_ed25519() for prefix in present.prefixes}
        changes = [
            governance_change(
                present,
                network=present.network,
                contact_points=present.contact_points,
                admitted={prefix: signer.public_key for prefix, signer in self._members.items()},
                at=datetime.now(UTC),
            )
        ]
        for prefix in present.prefixes:
            own = [one for one in present.contact_points if prefix_of(one) == prefix]
            made = [_key(f"{one}#{name}", alg) for one in own for name, alg in _FIRST]
            changes.append(self._keys(present, prefix, made))
        return joined(changes)

    def _keys(self, present: VerifiedList, prefix: str, keys: Sequence[PublicKey]) -> Publication:
        signer = self._members[prefix]
        change = keys_change(present, keys_document(prefix, keys), at=datetime.now(UTC))
        return change.signed_by([signer], {member_role(prefix): [signer.public_key.keyid]})


_FIRST: Final = (("sig-1", "ES256"), ("enc-1", "ECDH-ES+A256KW"))


def _network_file() -> str:
    countries = sorted(COUNTRY_CODES)[:COUNTRIES]
    listed = ", ".join(f'"{country}"' for country in countries)
    lines = ['network = "large"', f"countries = [{listed}]"]
    for country in countries:
        for number in range(POINTS_EACH):
            lines += ["[[contact_points]]", f'id = "{country.lower()}.desk-{number}"', f'name = "Desk {number}"']
            lines += ["national_desk = true"] if number == 0 else []
    return "\n".join(lines)


def _key(kid: str, alg: str) -> PublicKey:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    now = datetime.now(UTC).replace(microsecond=0)
    return PublicKey(kid, alg, point, use_until=now + _YEAR, verify_until=now + _YEAR + timedelta(days=31))


def _timed(work: Callable[[], None], rounds: int, *, before: Callable[[], None] | None = None) -> tuple[float, float]:
    """Milliseconds, and of them CPU; what comes before each round is not counted."""
    wall, cpu = [], []
    for _ in range(rounds):
        if before is not None:
            before()
        wall_begun, cpu_begun = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - wall_begun)
        cpu.append(time.process_time() - cpu_begun)
    return median(wall) * 1e3, median(cpu) * 1e3


def _verify(large: Directory, rounds: int) -> dict[int, float]:
    """One message judged by lists of different sizes, in turns, so that a busy machine meets them alike."""
    correspondents = make_correspondents(1)
    addressing = correspondents.address(1)
    body = sample_alert().body_members(retain_until_default=addressing.sent + timedelta(days=90))
    made = make_sealed(
        addressing,
        body={"thread": addressing.id, "references": [], **body},
        numbers=dict.fromkeys(addressing.to, 1000),
        epoch=1,
        directory=correspondents.directory,
        signer=correspondents.signer,
        seal=seal,
    )
    lists = {size: _filled(correspondents.directory, large, size) for size in LIST_SIZES}
    receiver = Receiver(prefix_of(addressing.to[0]), addressing.to[0])
    times: dict[int, list[float]] = {size: [] for size in lists}
    for _ in range(rounds):
        for size, directory in lists.items():
            trust, now = TrustView(directory, 1), datetime.now(UTC)
            begun = time.process_time()
            for _ in range(_VERIFY_REPEATS):
                authenticate(
                    made.wire_bytes, trust=trust, receiver=receiver, now=now, hints=None, is_signature=is_signature
                )
            times[size].append((time.process_time() - begun) / _VERIFY_REPEATS)
    return {size: median(seconds) * 1e6 for size, seconds in times.items()}


def _filled(small: Directory, large: Directory, size: int) -> Directory:
    """The two who correspond, and others until there are so many contact points."""
    others = sorted(large.contact_points)[: size - len(small.contact_points)]
    points = {one: large.contact_points[one] for one in others}
    keys = {kid: key for kid, key in large.signing_keys.items() if owner_of(kid) in points}
    return replace(
        small,
        contact_points=MappingProxyType({**points, **small.contact_points}),
        signing_keys=MappingProxyType({**keys, **small.signing_keys}),
    )
