"""What another version of the list has that an earlier one had not: its files, and what changed, by name.

It reads the mirror where the network is published, and verifies nothing: whoever takes the files does that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import StorageError
from tuf.api.metadata import Metadata, Snapshot, Targets
from tuf.api.serialization import DeserializationError

from bridge.adapters.trust.membership import roles
from bridge.adapters.trust.membership.mirror import METADATA, TARGETS, TIMESTAMP, read_bounded
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.ports.list_changes import ListChanges

_POINT: Final = "contact-points/"
_KEYS: Final = "keys/"


def changes_of(mirror: Path, found: VerifiedList, *, fits: Callable[[Mapping[str, bytes]], bool]) -> ListChanges:
    """What changed with the present version, and as many of its files as `fits` takes.

    The files are all that somebody needs who has the list of version `since` or a later one. The earliest version is
    chosen from which they fit; where those of the last change do not, there are none.

    Raises:
        OSError: the mirror cannot be read.
    """
    version = found.directory.version
    present = _Version(mirror, version)
    before = _Version(mirror, version - 1)
    always = [f"{METADATA}/{number}.root.json" for number in range(2, found.root.version + 1)]
    always.append(f"{METADATA}/{TIMESTAMP}")

    def files_since(since: int) -> Mapping[str, bytes]:
        names = [*always, *sorted(present.files - _Version(mirror, since).files)]
        return {name: read_bounded(mirror / name) for name in names}

    since = bisect_left(range(version), x=True, key=lambda earlier: fits(files_since(earlier)))
    return ListChanges(
        network=found.network.network,
        version=version,
        effective=found.directory.signed_at,
        changes=tuple(_changes(before.targets, present.targets)) or (("signers_changed", None),),
        since=since,
        files=files_since(since) if since < version else {},
    )


class _Version:
    """The names of what one version consists of; of nothing, where it is not there any more or never was."""

    def __init__(self, mirror: Path, version: int) -> None:
        self._metadata = mirror / METADATA
        self.files: set[str] = set()
        self.targets: dict[str, str] = {}
        try:
            snapshot: Snapshot = self._read(f"{version}.snapshot.json")
            for role, meta in snapshot.meta.items():
                self._add(f"{meta.version}.{role}")
            self.files.add(f"{METADATA}/{version}.snapshot.json")
        except (StorageError, DeserializationError):
            self.files, self.targets = set(), {}

    def _add(self, name: str) -> None:
        targets: Targets = self._read(name)
        self.files.add(f"{METADATA}/{name}")
        for target, info in targets.targets.items():
            folder, _, base = f"{TARGETS}/{target}".rpartition("/")
            digest = info.hashes["sha256"]
            self.files.add(f"{folder}/{digest}.{base}")
            self.targets[target] = digest

    def _read(self, name: str) -> Any:  # noqa: ANN401 - whoever asks knows which of python-tuf's forms it is
        return Metadata.from_file(str(self._metadata / name)).signed


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """(code, who) for each document that is another one, is new, or is gone."""
    for target in sorted(before.keys() | now.keys()):
        if before.get(target) == now.get(target):
            continue
        if target.startswith(_POINT):
            who = target.removeprefix(_POINT).removesuffix(".json")
            yield _point_code(was=target in before, now=target in now), who
        elif target.startswith(_KEYS):
            yield "keys_changed", target.removeprefix(_KEYS).removesuffix(".json")
        elif target == roles.REVOCATIONS_FILE:
            yield "revocations_changed", None
        elif target == roles.NETWORK_FILE:
            yield "network_changed", None


def _point_code(*, was: bool, now: bool) -> str:
    if was and now:
        return "contact_point_changed"
    return "contact_point_added" if now else "contact_point_removed"
