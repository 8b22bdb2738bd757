"""People who sign for a network, each on a machine of their own: a folder with only what that person has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trust_network import Run

from bridge.founding import ceremony
from bridge.founding.holders import open_keys
from bridge.founding.network import write_publication

GOVERNANCE = ("alice", "bob", "carol", "dan", "eve")
REVOCATION = ("rita",)


@dataclass
class Secretariat:
    """The secretariat's machine, and what it hands to the others."""

    folder: Path
    run: Run

    @property
    def network(self) -> Path:
        return self.folder / "secretariat/network"

    @property
    def file(self) -> Path:
        return self.folder / "secretariat/network.toml"

    def has_keys_of(self, *people: str) -> None:
        """Each makes a key at home and hands the public file over."""
        for person in people:
            private = self.folder / person / "my.key"
            private.parent.mkdir()
            assert self.run("network", "key", private, "--holder", person.capitalize())[0] == 0
            self.file.parent.mkdir(exist_ok=True)
            shutil.copy(private.with_name("my.key.pub"), self.file.parent / f"{person}.pub")

    def writes(self, governance: Iterable[str] = GOVERNANCE, *, threshold: int = 3, **texts: str) -> None:
        """The network file; `texts` are other lines for at.ncp."""
        at = "\n".join(f"{name} = {value}" for name, value in texts.items())
        holders = json.dumps([f"{person}.pub" for person in governance])
        self.file.write_text(
            f"""
            network = "see"
            countries = ["RS", "AT"]
            governance = {{ holders = {holders}, threshold = {threshold} }}
            revocation = {{ holders = ["rita.pub"], threshold = 1 }}
            [[contact_points]]
            id = "rs.ncp"
            name = "Serbia"
            national_desk = true
            [[contact_points]]
            id = "at.ncp"
            name = "Austria"
            national_desk = true
            {at}
            """,
            "utf-8",
        )

    def hands_to(self, person: str, change: Path) -> Path:
        """A copy of the change, and of the mirror where there is one, on that person's machine."""
        machine = self.folder / person
        shutil.copy(change, machine / change.name)
        if (self.network / "mirror").exists():
            shutil.rmtree(machine / "mirror", ignore_errors=True)
            shutil.copytree(self.network / "mirror", machine / "mirror")
        return machine / change.name

    def signed_by(self, change: Path, *people: str) -> list[Path]:
        """The copies of the change, each signed by one of these people at home; what `network sign` does, quicker."""
        return [self._signed_at_home(person, self.hands_to(person, change)) for person in people]

    def _signed_at_home(self, person: str, copy: Path) -> Path:
        machine = self.folder / person
        travelling = ceremony.receive([copy], machine / "mirror" if (machine / "mirror").exists() else None)
        signers = open_keys([machine / "my.key"], lambda _: b"")
        assert ceremony.names_of(travelling, signers) == (person.capitalize(),)
        write_publication(copy, ceremony.sign(travelling, signers).publication)
        return copy

    def sign(self, person: str, copy: Path, *more: str) -> tuple[int, dict[str, Any]]:
        """One person signs what lies on their machine."""
        machine = self.folder / person
        mirror = ["--mirror", machine / "mirror"] if (machine / "mirror").exists() else []
        return self.run("network", "sign", copy, "--key", machine / "my.key", *mirror, "--yes", *more)

    def proposes(self, name: str = "change.json", *wishes: object) -> Path:
        """The change from the present list to the network file."""
        out = self.file.with_name(name)
        status, answer = self.run("network", "propose", self.network, "--config", self.file, "--out", out, *wishes)
        assert status == 0, answer
        return out

    def publish(self, copies: Iterable[Path]) -> tuple[int, dict[str, Any]]:
        """The secretariat publishes what came back."""
        return self.run("network", "publish", self.network, *copies)

    def founds(self) -> None:
        """The network of the five, founded by three of them and the holder of the revocation role."""
        self.has_keys_of(*GOVERNANCE, *REVOCATION)
        self.writes()
        status, answer = self.run("network", "init", self.network, "--config", self.file)
        assert (status, answer["version"]) == (0, 0)
        copies = self.signed_by(self.network / "founding.json", "alice", "carol", "eve", "rita")
        assert self.publish(copies)[0] == 0


def words(answer: dict[str, Any]) -> list[str]:
    """What changes, one line each."""
    return [f"{', '.join(one['who'])}: {one['what']}" for one in answer["changes"]]
