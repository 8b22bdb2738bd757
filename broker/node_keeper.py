"""The keeper of a private RabbitMQ node: writes its folder, starts epmd and the broker, waits for the AMQP greeting.

Everything listens on loopback only. The definitions with the administrator's account are loaded at boot, so that no
default account ever exists.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

from broker.keeper import Facts, Lifeline, Plan, StartError, keep, launch, wait_until
from broker.ports import LOOPBACK, free_ports

ATTEMPTS: Final = 3  # another process may take a port between our look and the start
BOOT_SECONDS: Final = 120.0
EPMD_SECONDS: Final = 10.0
PROTOCOL_HEADER_BYTES: Final = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1, 4.2.2
CONNECTION_START: Final = struct.pack(">HH", 10, 10)  # AMQP 0-9-1, class and method

SETTINGS: Final = {
    "loopback_users": "none",
    "vm_memory_high_watermark.absolute": "1GB",
    "disk_free_limit.absolute": "50MB",
    "raft.wal_max_size_bytes": "33554432",
    "log.console": "false",
    "log.file.level": "warning",
}


class Node:
    """The broker in its folder.

    The plan holds `root`, `server`, `runtime` and `library_path` of the installation, `definitions` to load, `settings`
    for the configuration, and `port` if it has to be a certain one.
    """

    def __init__(self, folder: Path, plan: Plan, lifeline: Lifeline) -> None:
        self._folder, self._plan, self._lifeline = folder, plan, lifeline
        self._ports: dict[str, int] = {}
        self._broker: subprocess.Popen[bytes] | None = None
        self._log = folder / "log" / "console"

    def start(self) -> Facts:
        """As `Server.start`."""
        self._lay_out()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._choose_ports()
                self._start_epmd()
                self._boot()
            except StartError as error:
                if attempt == ATTEMPTS or "eaddrinuse" not in str(error):
                    raise
            else:
                break
        return self._facts()

    def restart(self) -> Facts:
        """As `Server.restart`."""
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
        self._boot()
        return self._facts()

    def _facts(self) -> Facts:
        return {**self._ports, "pid": 0 if self._broker is None else self._broker.pid, "folder": str(self._folder)}

    def _lay_out(self) -> None:
        for name in ("data", "log", "bin", "config"):
            (self._folder / name).mkdir()
        # RabbitMQ's scripts do not survive a blank in their path; a clone's path may have one.
        (self._folder / "root").symlink_to(self._plan["root"])
        runtime = self._folder / "root" / self._plan["runtime"]
        erl = self._folder / "bin" / "erl"  # Debian's has the folder written into it
        erl.write_text(
            "#!/bin/sh\n"
            f"ROOTDIR={runtime.parents[1]} BINDIR={runtime} EMU=beam PROGNAME=erl\n"
            "export ROOTDIR BINDIR EMU PROGNAME\n"
            'exec "$BINDIR/erlexec" "$@"\n'
        )
        erl.chmod(0o700)
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(20))
        cookie.chmod(0o400)
        (self._folder / "definitions.json").write_text(json.dumps(self._plan["definitions"]))
        (self._folder / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _choose_ports(self) -> None:
        free = free_ports(4)
        self._ports = dict(zip(("amqp", "management", "epmd", "distribution"), free, strict=True))
        if self._plan.get("port"):
            self._ports["amqp"] = self._plan["port"]
        settings = SETTINGS | {
            "listeners.tcp.default": f"{LOOPBACK}:{self._ports['amqp']}",
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": self._ports["management"],
            "load_definitions": self._folder / "definitions.json",
            **self._plan["settings"],
        }
        lines = (f"{name} = {value}\n" for name, value in settings.items())
        (self._folder / "rabbitmq.conf").write_text("".join(lines))

    def _start_epmd(self) -> None:
        port = self._ports["epmd"]
        log = self._folder / "log" / "epmd"
        program = self._folder / "root" / self._plan["runtime"] / "epmd"
        command: list[str | Path] = [program, "-address", LOOPBACK, "-port", str(port)]
        epmd = launch(command, folder=self._folder, environment=self._environment(), log=log)
        wait_until(
            lambda: _connects(port), process=epmd, lifeline=self._lifeline, seconds=EPMD_SECONDS, log=log, name="epmd"
        )

    def _boot(self) -> None:
        server = self._folder / "root" / self._plan["server"]
        self._broker = launch([server], folder=self._folder, environment=self._environment(), log=self._log)
        wait_until(
            self._answers,
            process=self._broker,
            lifeline=self._lifeline,
            seconds=BOOT_SECONDS,
            log=self._log,
            name="RabbitMQ",
        )

    def _environment(self) -> dict[str, str]:
        folder, ports = self._folder, self._ports
        environment = {
            "PATH": f"{folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": f"ncp-{ports['epmd']}@localhost",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(ports["distribution"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CTL_ERL_ARGS": "-start_epmd false",
            # The script then becomes the broker instead of waiting for it: one process, which dies with its keeper.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }
        if self._plan["library_path"]:
            environment["LD_LIBRARY_PATH"] = self._plan["library_path"]
        return environment

    def _answers(self) -> bool:
        # The greeting names the node: another broker on the port is not taken for ours.
        name = f"ncp-{self._ports['epmd']}@".encode()
        return name in amqp_greeting(self._ports["amqp"]) and _connects(self._ports["management"])


def amqp_greeting(port: int) -> bytes:
    """The broker's Start frame, or nothing while there is none."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(PROTOCOL_HEADER_BYTES)
            header_bytes = _receive(connection, 7)
            size = struct.unpack(">BHL", header_bytes)[2]
            frame_bytes = _receive(connection, size)
    except (OSError, EOFError):
        return b""
    return frame_bytes if frame_bytes.startswith(CONNECTION_START) else b""


def _receive(connection: socket.socket, size: int) -> bytes:
    received_bytes = b""
    while len(received_bytes) < size:
        chunk_bytes = connection.recv(size - len(received_bytes))
        if not chunk_bytes:
            raise EOFError
        received_bytes += chunk_bytes
    return received_bytes


def _connects(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(keep(Node, prefix="ncp-bridge-broker-"))
