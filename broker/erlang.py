"""Erlang's programs for a folder of our own: where the runtime is, and epmd, by which nodes find each other.

Debian's `erl` has its folder written into it, so ours sets it anew. Where the runtime belongs to another release of
Debian than the machine, each of its programs starts through that release's own loader with that release's libraries;
nothing of it reaches the programs of the machine.
"""

from __future__ import annotations

import shlex
import socket
from pathlib import Path
from typing import Final

from broker.keeper import Lifeline, Plan, launch, wait_until
from broker.ports import LOOPBACK

EPMD_SECONDS: Final = 10.0
# What one program of the runtime starts by name in BINDIR (erts: erlexec.c, sys_drivers.c, inet_gethost_native.erl).
PROGRAMS: Final = ("erlexec", "beam.smp", "erl_child_setup", "inet_gethost", "epmd")


def lay_out_runtime(folder: Path, plan: Plan) -> None:
    """Makes `root` and `bin` in the folder: the installation without a blank in its path, and programs to start it.

    The plan holds `root`, `runtime` below it, and `loader`, which is empty for the machine's own.
    """
    programs = folder / "bin"
    programs.mkdir()
    # RabbitMQ's scripts do not survive a blank in their path; a clone's path may have one.
    (folder / "root").symlink_to(plan["root"])
    runtime = folder / "root" / plan["runtime"]
    binaries = runtime
    if plan["loader"]:
        binaries = programs
        start = shlex.join([str(folder / "root" / plan["loader"]), "--library-path", plan["library_path"]])
        for name in PROGRAMS:
            _write_script(programs / name, f'exec {start} {shlex.quote(str(runtime / name))} "$@"\n')
    _write_script(
        programs / "erl",
        f"ROOTDIR={runtime.parents[1]} BINDIR={binaries} EMU=beam PROGNAME=erl\n"
        "export ROOTDIR BINDIR EMU PROGNAME\n"
        'exec "$BINDIR/erlexec" "$@"\n',
    )
    if not plan["loader"]:
        (programs / "epmd").symlink_to(runtime / "epmd")


def library_environment(plan: Plan) -> dict[str, str]:
    """What the environment of the runtime's programs has to say about libraries."""
    return {"LD_LIBRARY_PATH": plan["library_path"]} if plan["library_path"] and not plan["loader"] else {}


def runtime_arguments(plan: Plan) -> list[str]:
    """What a runtime has to be told besides: the watchers of os_mon are programs, which no loader of ours starts."""
    watchers = ("cpu_sup", "disksup", "memsup") if plan["loader"] else ()
    return [f"-os_mon start_{watcher} false" for watcher in watchers]


def start_epmd(folder: Path, *, port: int, plan: Plan, lifeline: Lifeline) -> None:
    """Starts it as a child in the foreground, in a folder with a laid out runtime, and waits until it answers.

    Raises:
        StartError: it did not start.
        ReleasedError: it is not needed any more.
    """
    log = folder / "epmd.log"
    command: list[str | Path] = [folder / "bin" / "epmd", "-address", LOOPBACK, "-port", str(port)]
    epmd = launch(command, folder=folder, environment=library_environment(plan), log=log)
    wait_until(lambda: connects(port), process=epmd, lifeline=lifeline, seconds=EPMD_SECONDS, log=log, name="epmd")


def connects(port: int) -> bool:
    """Whether somebody listens on the loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True


def _write_script(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o700)
