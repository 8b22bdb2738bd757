"""No byte of a mirror can be changed unnoticed, and the root changes only by its own threshold."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from trust_network import FOUNDED, SetClock, World, sealing_key, signing_key
from tuf.api.metadata import Metadata, Root

from bridge.adapters.trust.governance.ceremony_keys import load_signers
from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.errors import UnavailableError


@pytest.mark.parametrize("seed", range(5))
def test_a_flipped_byte_anywhere_in_the_mirror_yields_the_true_list_or_none(world: World, seed: int) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"), sealing_key("rs.ncp#enc-2026a"))
    true_list = world.node().current()
    chance = random.Random(seed)  # noqa: S311 - chooses bytes to spoil, again the same for the same seed
    files = sorted(world.mirror.rglob("*.json"))

    for number in range(20):
        forged = world.folder / f"forged-{number}"
        shutil.copytree(world.mirror, forged)
        victim = forged / chance.choice(files).relative_to(world.mirror)
        data = bytearray(victim.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        victim.write_bytes(data)

        found = _list_of(forged, world.folder / f"cache-{number}", world)

        assert found in (true_list, None)


def _list_of(mirror: Path, cache: Path, world: World) -> object:
    try:
        return TufTrustSource([FolderMirror(mirror)], cache, world.pinned_root(), now=SetClock(FOUNDED)).current()
    except UnavailableError:
        return None


def write_second_root(world: World, *, signatures: int) -> None:
    """A second root with the same keys, signed by so many of the root keys."""
    root = Metadata[Root].from_file(str(world.metadata / "1.root.json")).signed
    signers = load_signers((world.folder / "network" / "keys").glob("governance-*.pem"))
    root.version = 2
    metadata = Metadata(root)
    for signer in signers[:signatures]:
        metadata.sign(signer, append=True)
    metadata.to_file(str(world.metadata / "2.root.json"))


async def test_a_new_root_by_the_threshold_is_taken_though_the_timestamp_is_the_same(world: World) -> None:
    node = world.node()
    node.current()
    write_second_root(world, signatures=2)

    directory = await node.refresh()

    assert directory.version == 1
    assert node.failure is None
    assert world.repository.state(at=FOUNDED).roles[0].version == 2
    assert (world.folder / "cache/current/metadata/root_history/2.root.json").exists()


async def test_a_new_root_by_one_key_is_refused(world: World) -> None:
    node = world.node()
    before = node.current()
    write_second_root(world, signatures=1)

    assert await node.refresh() is before
    assert node.failure is not None
    assert "1/2" in node.failure


def test_the_network_grows_on_under_a_new_root(world: World) -> None:
    write_second_root(world, signatures=3)

    assert world.enrol(signing_key("rs.ncp#sig-2026a")) == 2
    assert "rs.ncp#sig-2026a" in world.node().current().signing_keys
