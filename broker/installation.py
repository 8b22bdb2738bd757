"""Where a server's programs are: installed on the machine, or unpacked into the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError
from broker.packages import RABBITMQ, Bundle, fetch

RUNTIME: Final = "usr/lib/erlang/erts-*/bin"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation.

    Attributes:
        root: the folder that its `usr` is in.
        program: the server's program, below `root`.
        library_path: shared libraries that the machine lacks, for `LD_LIBRARY_PATH`.
    """

    root: Path
    program: Path
    library_path: str = ""

    def newest(self, pattern: str) -> Path:
        """The last match of a pattern below `root`, as a path below it.

        Raises:
            UnavailableError: nothing matches.
        """
        found = sorted(self.root.glob(pattern))
        if not found:
            raise UnavailableError("E_PACKAGES", f"there is no {pattern} in {self.root}, but {self.program} is there")
        return found[-1].relative_to(self.root)


def find_installation(bundle: Bundle) -> Installation | None:
    """What is on this machine already: installed first, then unpacked."""
    for root, library_path in ((Path("/"), ""), (bundle.folder, bundle.library_path)):
        programs = [path for path in sorted(root.glob(bundle.program)) if os.access(path, os.X_OK)]
        if programs:
            return Installation(root, programs[-1].relative_to(root), library_path)
    return None


def ensure_installation(bundle: Bundle) -> Installation:
    """What is on this machine, fetched if need be.

    Raises:
        UnavailableError: it is neither here nor to be had.
    """
    found = find_installation(bundle)
    if found is None:
        fetch(bundle)
        found = find_installation(bundle)
    if found is None:
        raise UnavailableError("E_PACKAGES", f"{bundle.folder} holds no {bundle.program}; delete that folder")
    return found


def broker_programs() -> dict[str, str]:
    """Where RabbitMQ and its runtime are, as a keeper's plan names them; fetched if need be.

    Raises:
        UnavailableError: there is no RabbitMQ to be had.
    """
    installation = ensure_installation(RABBITMQ)
    return {
        "root": str(installation.root),
        "server": str(installation.program),
        "runtime": str(installation.newest(RUNTIME)),
        "library_path": installation.library_path,
        "loader": "",
    }
