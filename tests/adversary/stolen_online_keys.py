"""The secretariat's keys in the wrong hands, alone or with a member that helps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Metadata, MetaFile, TargetFile

from bridge.adapters.trust.governance.ceremony_keys import load_signers
from bridge.adapters.trust.membership.roles import member_role

if TYPE_CHECKING:
    from trust_network import World


class OnlineKeys:
    """The secretariat's keys in the wrong hands: signs whatever snapshot and timestamp it likes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metadata = world.metadata

    def replace_snapshot(self, change: Callable[[dict[str, MetaFile]], object], *, version: int | None = None) -> None:
        """A newer snapshot that speaks of other files, and the timestamp that makes it visible."""
        timestamp = Metadata.from_file(str(self.metadata / "timestamp.json"))
        present = timestamp.signed.snapshot_meta.version
        snapshot = Metadata.from_file(str(self.metadata / f"{present}.snapshot.json"))
        change(snapshot.signed.meta)
        snapshot.signed.version = version or present + 1
        data = self._signed(snapshot, "snapshot")
        (self.metadata / f"{snapshot.signed.version}.snapshot.json").write_bytes(data)
        timestamp.signed.snapshot_meta = MetaFile.from_data(snapshot.signed.version, data, ["sha256"])
        timestamp.signed.version += 1
        (self.metadata / "timestamp.json").write_bytes(self._signed(timestamp, "timestamp"))

    def put(self, role: str, version: int, data: bytes) -> None:
        """Another file in the place of a role's newest metadata."""
        (self.metadata / f"{version}.{role}.json").write_bytes(data)
        self.replace_snapshot(lambda meta: meta.update({f"{role}.json": MetaFile.from_data(version, data, ["sha256"])}))

    def _signed(self, metadata: Metadata[Any], role: str) -> bytes:
        (signer,) = load_signers(self.world.repository.keys.glob(f"{role}-*.pem"))
        metadata.sign(signer)
        return metadata.to_bytes()


def publish_as(world: World, prefix: str, target: str, document: object) -> None:
    """What a member signs with its own key and slips past the repository's own check, with the online keys' help."""
    data = json.dumps(document).encode()
    role = member_role(prefix)
    metadata = Metadata.from_file(str(newest_of(world.metadata, role)))
    info = TargetFile.from_data(target, data, ["sha256"])
    metadata.signed.version += 1
    metadata.signed.targets = {target: info}
    metadata.signatures.clear()
    metadata.sign(world.member_key(prefix))
    folder, _, name = target.rpartition("/")
    file = world.mirror / "targets" / folder / f"{info.hashes['sha256']}.{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    OnlineKeys(world).put(role, metadata.signed.version, metadata.to_bytes())


def newest_of(metadata: Path, role: str) -> Path:
    """The file of a role's last version."""
    return max(metadata.glob(f"*.{role}.json"), key=lambda file: int(file.name.partition(".")[0]))
