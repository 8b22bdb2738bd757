"""Publishing that is interrupted at any file: the list before or the list after, and the next command goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from trust_network import World, contact_point, signing_key

from bridge.adapters.trust.governance.ceremony_keys import ONLINE, make_keys
from bridge.adapters.trust.governance.changes import Holders, root_change
from bridge.adapters.trust.governance.publication import Publication, joined
from bridge.adapters.trust.governance.reading import read_repository
from bridge.adapters.trust.membership.verified_list import VerifiedList
from bridge.core.errors import RefusedError, UnavailableError
from bridge.founding.ceremony import present_list

KID = "rs.ncp#sig-2026a"
WHERE = ("rs.ncp.json", "3.targets.json", "3.snapshot.json", "2.root.json", "timestamp.json")
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk")


@contextmanager
def stopped_at(name: str, fault: BaseException) -> Iterator[None]:
    """Nothing comes to where nodes read from this file on."""
    replace = Path.replace

    def stopping(source: Path, target: Path) -> Path:
        if target.name.endswith(name) and ".begun" not in str(target):
            raise fault
        return replace(source, target)

    with patch.object(Path, "replace", stopping):
        yield


def new_root(world: World) -> Callable[[VerifiedList], Publication]:
    """New online keys, and another name for Serbia."""
    made = make_keys(world.repository.keys, dict.fromkeys(ONLINE, 1))
    online = {role: signers[0].public_key for role, signers in made.items()}

    def make(present: VerifiedList) -> Publication:
        root = present.root
        governance = Holders([root.keys[keyid] for keyid in root.roles["root"].keyids], 2)
        change = root_change(present, governance=governance, online=online, at=world.clock())
        return joined([change, world.revision(present, contact_point("rs.ncp", name="Serbia"))])

    return make


@pytest.mark.parametrize("name", WHERE)
@pytest.mark.parametrize("fault", [KeyboardInterrupt(), FULL], ids=["crash", "full"])
def test_the_next_command_goes_on_where_publishing_was_interrupted(
    world: World, name: str, fault: BaseException
) -> None:
    world.enrol(signing_key(KID))
    node = world.node()
    before = node.current().version
    make = new_root(world)
    with stopped_at(name, fault), pytest.raises((KeyboardInterrupt, UnavailableError)):
        world.repository.change(make, at=world.clock())

    world.revoke(KID)

    directory = world.node().current()
    assert directory.version == before + 2
    assert directory.contact_points["rs.ncp"].name == "Serbia"
    assert directory.signing_keys[KID].revoked_at is not None
    assert world.repository.verified(at=world.clock()).root.version == 2
    assert [path.name for path in world.mirror.iterdir() if path.name.startswith(".")] == []


def test_whoever_looks_at_the_network_next_is_told_what_to_do(world: World) -> None:
    world.enrol(signing_key(KID))
    with stopped_at("timestamp.json", FULL), pytest.raises(UnavailableError) as caught:
        world.repository.change(new_root(world), at=world.clock())

    with pytest.raises(RefusedError) as looked:
        read_repository(world.folder / "network", at=world.clock())

    assert (caught.value.code, looked.value.code) == ("E_NETWORK_FOLDER", "E_NETWORK_INVALID")
    assert "network confirm" in caught.value.message
    assert "network confirm" in looked.value.message


def test_a_change_is_made_from_what_was_published_in_the_end(world: World) -> None:
    world.enrol(signing_key(KID))
    with stopped_at("timestamp.json", KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        world.repository.change(new_root(world), at=world.clock())

    assert present_list(world.folder / "network", at=world.clock()).contact_points["rs.ncp"].name == "Serbia"


def test_what_does_not_fit_on_the_disk_is_not_begun(world: World) -> None:
    before = world.enrol(signing_key(KID))
    with (
        patch("bridge.adapters.trust.governance.publishing.os.fsync", side_effect=FULL),
        pytest.raises(UnavailableError),
    ):
        world.repository.change(new_root(world), at=world.clock())

    assert read_repository(world.folder / "network", at=world.clock()).version == before
    assert [path.name for path in world.mirror.iterdir() if path.name.startswith(".")] == []
