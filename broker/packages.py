"""Server programs from Debian packages, unpacked into the clone's `.cache`: no root, nothing installed or started.

The system's own package sources are asked, and apt checks the packages against their signed lists as always. Its lists
and downloads stay in a folder of ours. Runs at the same time wait for each other; a half-unpacked folder never counts.
What is to come from another release of Debian than the machine's comes from the machine's own mirror, with all the
libraries it needs, the C library included; its programs start through that release's loader.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")  # of the package debian-archive-keyring
CACHE: Final = Path(__file__).resolve().parents[1] / ".cache"
APT_SECONDS: Final = 300.0
UNPACK_SECONDS: Final = 120.0
# Shared libraries that the machine lacks come along; the C library must be the machine's own, and the others are big
# and not needed to run a server for tests.
_LIBRARIES: Final = r"lib(?!c6$|c-bin$|llvm|perl|.*-perl$).*"


# PulseAudio's library finds its other half by a path that begins at `/`.
_LIBRARY_FOLDERS: Final = ("usr/lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio", "lib/*-linux-gnu*")


# What rabbitmq-server depends on; Debian splits Erlang by application.
_ERLANG: Final = (
    *("asn1", "base", "crypto", "eldap", "ftp", "inets", "mnesia", "os-mon", "parsetools", "public-key"),
    *("runtime-tools", "snmp", "ssl", "syntax-tools", "tftp", "tools", "xmerl"),
)
# What its programs are linked with, from the C library upwards (Debian 13).
_ERLANGS_LIBRARIES: Final = (
    *("libc6", "libgcc-s1", "libstdc++6", "libtinfo6", "libncursesw6", "zlib1g", "libzstd1"),
    *("libssl3t64", "libsystemd0", "libcap2"),
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The packages of one server.

    Attributes:
        name: of the folder in the cache.
        program: where the server's program is below `/` or below the cache's folder.
        target: the package that would be installed; what it lacks on this machine comes along where `wanted` matches.
        always: packages that are needed even where the machine has them.
        release: of Debian that they come from, where that is not the machine's own; then `always` is all that comes.
    """

    name: str
    program: str
    target: str
    wanted: str = _LIBRARIES
    always: tuple[str, ...] = ()
    release: str = ""

    @property
    def folder(self) -> Path:
        """Where it is unpacked."""
        return CACHE / self.name

    @property
    def library_path(self) -> str:
        """For `LD_LIBRARY_PATH`."""
        return ":".join(str(folder) for pattern in _LIBRARY_FOLDERS for folder in self.folder.glob(pattern))


RABBITMQ: Final = Bundle(
    "rabbitmq",
    "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
    "rabbitmq-server",
    always=("rabbitmq-server", *(f"erlang-{part}" for part in _ERLANG)),
)
RABBITMQ_4: Final = Bundle(
    "rabbitmq-4",
    "usr/lib/rabbitmq/lib/rabbitmq_server-4.*/sbin/rabbitmq-server",
    "rabbitmq-server",
    always=(*RABBITMQ.always, *_ERLANGS_LIBRARIES),
    release="trixie",
)
POSTGRESQL: Final = Bundle(
    "postgresql", "usr/lib/postgresql/*/bin/initdb", "postgresql", wanted=rf"postgresql-(client-)?\d+|{_LIBRARIES}"
)
SOFTHSM: Final = Bundle("softhsm2", "usr/bin/softhsm2-util", "softhsm2", always=("softhsm2", "libsofthsm2"))
# The program itself: `usr/bin/chromium` is a script that looks for it below `/`.
CHROMIUM: Final = Bundle(
    "chromium", "usr/lib/chromium/chromium", "chromium", always=("chromium", "chromium-common", "fonts-dejavu-core")
)


def fetch(bundle: Bundle) -> Path:
    """The folder with the unpacked packages; downloads them when they are not there.

    Raises:
        UnavailableError: there is no apt here, or it cannot get the packages (`E_PACKAGES`).
    """
    if bundle.folder.is_dir():
        return bundle.folder
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError(
            "E_PACKAGES", f"{bundle.target} is not installed, and without apt-get and dpkg-deb it cannot be fetched"
        )
    CACHE.mkdir(exist_ok=True)
    with _only_one(CACHE / f"{bundle.name}.lock"):
        if not bundle.folder.is_dir():
            print(f"fetching {bundle.target} into {bundle.folder}", file=sys.stderr)  # noqa: T201 - progress
            with tempfile.TemporaryDirectory(prefix=f"{bundle.name}.", dir=CACHE) as scratch:
                _download(bundle, Path(scratch))
                unpacked = Path(scratch) / "unpacked"
                for package in sorted((Path(scratch) / "packages").glob("*.deb")):
                    _run(["dpkg-deb", "-x", package, unpacked], cwd=Path(scratch), seconds=UNPACK_SECONDS)
                unpacked.rename(bundle.folder)
    return bundle.folder


def _download(bundle: Bundle, scratch: Path) -> None:
    packages = scratch / "packages"
    for folder in (packages, scratch / "lists" / "partial", scratch / "cache" / "archives" / "partial"):
        folder.mkdir(parents=True)
    options: list[str | Path] = [
        f"-oDir::State::lists={scratch / 'lists'}",
        f"-oDir::Cache={scratch / 'cache'}",
        "-oDebug::NoLocking=1",
        "-oAPT::Get::List-Cleanup=0",
        "-oAcquire::Retries=3",
        "-oAcquire::http::Timeout=30",
        "-oAcquire::https::Timeout=30",
        "-oAcquire::Languages=none",
    ]
    if os.geteuid() == 0:
        options.append("-oAPT::Sandbox::User=root")  # the unprivileged user cannot write into a clone of root's
    if bundle.release:
        options += _sources_of(bundle.release, scratch)
    trouble = None
    try:
        _run(["apt-get", "-qq", *options, "update"], cwd=scratch, seconds=APT_SECONDS)
    except UnavailableError as error:
        trouble = error  # perhaps with a source that we do not need
    lacking = [] if bundle.release else _lacking(bundle, options, scratch)
    names = sorted({*bundle.always, *(name for name in lacking if re.fullmatch(bundle.wanted, name))})
    try:
        _run(["apt-get", "-qq", *options, "download", *names], cwd=packages, seconds=APT_SECONDS)
    except UnavailableError as error:
        raise trouble or error from error


def _lacking(bundle: Bundle, options: list[str | Path], scratch: Path) -> list[str]:
    """What installing the bundle's target would bring to this machine."""
    simulation: list[str | Path] = [
        "apt-get",
        *options,
        "--simulate",
        "--no-install-recommends",
        "install",
        bundle.target,
    ]
    try:
        planned = _run(simulation, cwd=scratch, seconds=APT_SECONDS)
    except UnavailableError:
        if not bundle.always:
            raise
        planned = ""  # packages of this machine contradict each other; that need not concern ours
    return re.findall(r"^Inst (\S+) ", planned, re.MULTILINE)


def _sources_of(release: str, scratch: Path) -> list[str | Path]:
    """Options for apt that make it ask the machine's Debian mirror for another release, and for nothing else.

    Raises:
        UnavailableError: no package source of the machine is such a mirror.
    """
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    asked: list[str | Path] = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"]
    targets = _run([*asked, "Created-By: Packages", "Component: main"], cwd=scratch, seconds=APT_SECONDS)
    mirrors = [
        mirror for mirror, _, suite in (line.rpartition(" ") for line in targets.splitlines()) if suite == codename
    ]
    if not mirrors:
        raise UnavailableError("E_PACKAGES", "found no Debian mirror among the package sources of this machine")
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    sources = scratch / "sources.list"
    sources.write_text(f"deb {signed}{mirrors[0]} {release} main\n", encoding="utf-8")
    return [f"-oDir::Etc::SourceList={sources}", f"-oDir::Etc::SourceParts={os.devnull}"]


def _run(command: list[str | Path], *, cwd: Path, seconds: float) -> str:
    try:
        return subprocess.run(  # noqa: S603 - Debian's own tools
            command,
            cwd=cwd,
            env=os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
        ).stdout
    except subprocess.CalledProcessError as error:
        reason = " ".join((error.stderr or error.stdout).split()) or f"status {error.returncode}"
        raise UnavailableError("E_PACKAGES", f"{command[0]} failed: {reason}") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError("E_PACKAGES", f"{command[0]} did not end within {seconds:.0f} s") from error


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
