"""A sandbox's folder: founded once, found again, and removed.

```
sandbox.json             what it is, as it is told; who has none has no sandbox's folder
network/                 the network's folder, with all its keys
network.toml             what it was founded from
network.json             its membership list as plain JSON, written again whenever it changes
counterparts/<prefix>/   a node's folder for each counterpart country; only keys and passwords are used
you/                     your own node's folder, or client.json for a client of your own; alert.json to begin with
```
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bridge.compose.exporting import exported_network, write_export
from bridge.core.errors import RefusedError, UnavailableError
from bridge.core.wire import strict_json
from bridge.founding.joining import read_request
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, admit, found_nodes
from bridge.private_files import replace_private
from bridge.sandbox.alert import exercise_alert
from bridge.sandbox.plan import Plan

FACTS: Final = "sandbox.json"
MARK: Final = {"sandbox": 1}
HEARTBEATS: Final = ("\nseconds = 300.0\n", "\nseconds = 86400.0\n")  # counterparts send none: none is missed in a day
NODE: Final = "node"
CLIENT: Final = "client"


@dataclass(frozen=True, slots=True)
class SandboxFolder:
    """A sandbox that is on the disk.

    Attributes:
        facts: as sandbox.json has them; `you`, `mine`, the ports and the token never change.
    """

    path: Path
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def network(self) -> Path:
        """The network's folder."""
        return self.path / "network"

    @property
    def you(self) -> Path:
        """The folder of whoever tries."""
        return self.path / "you"

    def counterpart(self, prefix: str) -> Path:
        """The folder of a counterpart country."""
        return self.path / "counterparts" / prefix

    def export(self) -> None:
        """Writes network.json anew."""
        write_export(self.path / "network.json", exported_network(self.network))

    def tell(self, facts: Mapping[str, object]) -> None:
        """Writes sandbox.json anew; it may hold a token."""
        replace_private(self.path / FACTS, json.dumps({**MARK, **facts}, indent=2).encode() + b"\n")

    def remove(self) -> None:
        """Removes what was made here; a file of somebody else's beside it stays."""
        for part in ("network", "counterparts", "you"):
            shutil.rmtree(self.path / part, ignore_errors=True)
        for name in ("network.toml", "network.json", FACTS):
            (self.path / name).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


def look(path: Path) -> SandboxFolder | None:
    """The sandbox in a folder; `None` where the folder is not there or empty.

    Raises:
        RefusedError: something else is in it (`E_SANDBOX_FOLDER`).
        UnavailableError: it cannot be read (`E_FILE`).
    """
    try:
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return None
        facts = strict_json.parse_object((path / FACTS).read_bytes())
    except (FileNotFoundError, NotADirectoryError, strict_json.StrictJsonError):
        facts = {}
    except OSError as error:
        raise UnavailableError("E_FILE", f"{error.filename}: {error.strerror}") from None
    if {name: facts.get(name) for name in MARK} != MARK:
        detail = f"{path} is no sandbox's folder; expected one, or a new or an empty folder. Nothing was changed"
        raise RefusedError("E_SANDBOX_FOLDER", detail)
    return SandboxFolder(path, facts)


def found(path: Path, plan: Plan, *, mine: str, broker_port: int, api_port: int) -> SandboxFolder:
    """Founds a sandbox in a new or an empty folder; blocks for the seconds that its keys take.

    Raises:
        UnavailableError: the folder cannot be written.
    """
    facts = {"you": plan.you, "mine": mine, "broker_port": broker_port, "api_port": api_port}
    made = SandboxFolder(path, {**facts, "scripts": dict(plan.scripts)})
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "network.toml").write_text(plan.network_file(), "utf-8")
        found_network(made.network, path / "network.toml")
        place = BrokerPlace(port=broker_port)
        orders = [NodeOrder(made.counterpart(prefix), prefix.upper(), place) for prefix in plan.countries]
        if mine == NODE:
            orders.append(NodeOrder(made.you, plan.you, place))
        found_nodes(orders, network=made.network)
        made.you.mkdir(mode=0o700, exist_ok=True)
        (made.you / "alert.json").write_bytes(exercise_alert(plan))
        if mine == NODE:
            config = made.you / "node.toml"
            settings = config.read_text("utf-8").replace(*HEARTBEATS)
            config.write_text(f'{settings}\n[api]\nlisten = "{api_port}"\n', "utf-8")
        made.tell(made.facts)  # last: a folder without them was not finished, and is nobody's
    except BaseException as error:
        made.remove()
        if isinstance(error, OSError):
            raise UnavailableError("E_FILE", f"{error.filename}: {error.strerror}") from None
        raise
    return made


def admit_request(path: Path, request: Path) -> list[str]:
    """Admits a country by its request, as governance would, and answers its contact points; a running sandbox follows.

    Raises:
        RefusedError: no sandbox is there, or the request is not to be admitted.
        BadInputError: it is no request.
        UnavailableError: a file cannot be read.
    """
    there = look(path)
    if there is None:
        raise RefusedError("E_SANDBOX_FOLDER", f"{path} is not the folder of a sandbox")
    asked = read_request(request)
    admit(there.network, [asked])
    there.export()
    return sorted(asked.contact_points)
