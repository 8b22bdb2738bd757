"""Where a server's programs are: installed on the machine, or unpacked into the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.core.errors import BadInputError, UnavailableError
from broker.packages import RABBITMQ, RABBITMQ_4, Bundle, fetch

VERSION_VARIABLE: Final = "NCP_BRIDGE_TEST_RABBITMQ"
VERSIONS: Final = {"": RABBITMQ, "4": RABBITMQ_4}
LOADER: Final = "usr/lib/*-linux-gnu*/ld-linux*.so.*"
RUNTIME: Final = "usr/lib/erlang/erts-*/bin"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation.

    Attributes:
        root: the folder that its `usr` is in.
        program: the server's program, below `root`.
        library_path: shared libraries that the machine lacks, or, where `loader` is set, all that the program needs.
        loader: below `root`, what starts programs with a C library of their own; empty for the machine's.
    """

    root: Path
    program: Path
    library_path: str = ""
    loader: str = ""

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
            program = programs[-1].relative_to(root)
            if not bundle.release or root != bundle.folder:
                return Installation(root, program, library_path)
            loader = Installation(root, program).newest(LOADER)
            return Installation(root, program, library_path, str(loader))
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

    The environment variable `NCP_BRIDGE_TEST_RABBITMQ` chooses the version: `4`, or what the machine has or offers.

    Raises:
        BadInputError: the variable says something else.
        UnavailableError: there is no RabbitMQ to be had.
    """
    version = os.environ.get(VERSION_VARIABLE, "")
    if version not in VERSIONS:
        raise BadInputError("E_BROKER_VERSION", f"{VERSION_VARIABLE} is {version!r}, expected 4 or nothing")
    installation = ensure_installation(VERSIONS[version])
    return {
        "root": str(installation.root),
        "server": str(installation.program),
        "runtime": str(installation.newest(RUNTIME)),
        "library_path": installation.library_path,
        "loader": installation.loader,
    }
