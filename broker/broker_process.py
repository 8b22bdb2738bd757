"""One RabbitMQ process in a folder of its own: its files, its environment, its boot until it answers.

Everything listens on loopback only. The definitions with the administrator's account are loaded at boot, so that no
default account ever exists. Runs in a keeper.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.erlang import connects, lay_out_runtime, library_environment, runtime_arguments
from broker.keeper import Facts, Lifeline, Plan, launch, wait_until
from broker.ports import LOOPBACK

BOOT_SECONDS: Final = 120.0
PROTOCOL_HEADER_BYTES: Final = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1, 4.2.2
CONNECTION_START: Final = struct.pack(">HH", 10, 10)  # AMQP 0-9-1, class and method
LOOPBACK_ONLY: Final = "-kernel inet_dist_use_interface {127,0,0,1}"
GREETING_SECONDS: Final = 2.0
PLUGINS: Final = ("rabbitmq_management", "rabbitmq_auth_mechanism_ssl")
# With PLAIN beside EXTERNAL, another account's password would do over any valid certificate.
BY_CERTIFICATE: Final = {
    "listeners.tcp": "none",
    "ssl_options.verify": "verify_peer",
    "ssl_options.fail_if_no_peer_cert": "true",
    "ssl_options.versions.1": "tlsv1.3",
    "ssl_options.versions.2": "tlsv1.2",
    "ssl_cert_login_from": "common_name",
    "auth_mechanisms.1": "EXTERNAL",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is found.

    Attributes:
        name: of the Erlang node; it holds the port of epmd, which is this node's or this cluster's alone.
        epmd: the port of the epmd that knows it.
        amqp: the port for clients.
        management: the port of the management API.
        distribution: the port for other Erlang nodes.
    """

    name: str
    epmd: int
    amqp: int
    management: int
    distribution: int


class BrokerProcess:
    """The broker in its folder.

    The plan holds `root`, `server`, `runtime`, `loader` and `library_path` of the installation, `definitions` to load,
    `settings` for the configuration, and `tls`: the paths of authorities, certificate and key where accounts sign in by
    certificate only, else nothing.
    """

    def __init__(self, folder: Path, plan: Plan, lifeline: Lifeline) -> None:
        self._folder, self._plan, self._lifeline = folder, plan, lifeline
        self._place: Place | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log" / "console"

    @property
    def facts(self) -> Facts:
        """What the starter has to know."""
        place = self._placed()
        return {
            "name": place.name,
            "amqp": place.amqp,
            "management": place.management,
            "pid": 0 if self._process is None else self._process.pid,
            "folder": str(self._folder),
        }

    def lay_out(self, *, cookie: str) -> None:
        """Writes what does not depend on ports; nodes of one cluster share a cookie."""
        self._folder.mkdir(exist_ok=True)
        for name in ("data", "log", "config"):
            (self._folder / name).mkdir()
        lay_out_runtime(self._folder, self._plan)
        path = self._folder / ".erlang.cookie"
        path.write_text(cookie)
        path.chmod(0o400)
        (self._folder / "definitions.json").write_text(json.dumps(self._plan["definitions"]))
        (self._folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")

    def configure(self, place: Place, settings: Mapping[str, object]) -> None:
        """Writes the configuration for this place; the plan's settings win."""
        self._place = place
        chosen = {
            **settings,
            **self._listeners(place),
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": place.management,
            "load_definitions": self._folder / "definitions.json",
            **self._plan["settings"],
        }
        lines = (f"{name} = {value}\n" for name, value in chosen.items())
        (self._folder / "rabbitmq.conf").write_text("".join(lines))

    def launch(self) -> None:
        """Starts the process, and ends it first where it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        server = self._folder / "root" / self._plan["server"]
        self._process = launch([server], folder=self._folder, environment=self._environment(), log=self._log)

    def wait(self) -> None:
        """Waits until the launched process answers.

        Raises:
            StartError: it ended, or the time is over.
            ReleasedError: it is not needed any more.
        """
        if self._process is None:
            raise RuntimeError(str(self._folder))
        wait_until(
            self._answers,
            process=self._process,
            lifeline=self._lifeline,
            seconds=BOOT_SECONDS,
            log=self._log,
            name="RabbitMQ",
        )

    def _placed(self) -> Place:
        if self._place is None:
            raise RuntimeError(str(self._folder))
        return self._place

    def _environment(self) -> dict[str, str]:
        folder, place = self._folder, self._placed()
        return {
            "PATH": f"{folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(place.epmd),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": place.name,
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(place.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join([LOOPBACK_ONLY, *runtime_arguments(self._plan)]),
            "RABBITMQ_CTL_ERL_ARGS": "-start_epmd false",
            # The script then becomes the broker instead of waiting for it: one process, which dies with its keeper.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            **library_environment(self._plan),
        }

    def _listeners(self, place: Place) -> Mapping[str, object]:
        tls, address = self._plan["tls"], f"{LOOPBACK}:{place.amqp}"
        if tls is None:
            return {"listeners.tcp.default": address}
        files = {"cacertfile": tls["authorities"], "certfile": tls["certificate"], "keyfile": tls["key"]}
        options = {f"ssl_options.{name}": path for name, path in files.items()}
        return {**BY_CERTIFICATE, **options, "listeners.ssl.default": address}

    def _answers(self) -> bool:
        # The greeting holds the name of the node or of its cluster: another broker on the port is not taken for ours.
        place, tls = self._placed(), self._plan["tls"]
        if not connects(place.management):
            return False
        if tls is not None:
            return shows_certificate(place.amqp, authorities=tls["authorities"])
        return f"ncp-{place.epmd}".encode() in amqp_greeting(place.amqp)


def amqp_greeting(port: int) -> bytes:
    """The broker's Start frame, or nothing while there is none."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=GREETING_SECONDS) as connection:
            connection.sendall(PROTOCOL_HEADER_BYTES)
            header_bytes = _receive(connection, 7)
            size = struct.unpack(">BHL", header_bytes)[2]
            frame_bytes = _receive(connection, size)
    except (OSError, EOFError):
        return b""
    return frame_bytes if frame_bytes.startswith(CONNECTION_START) else b""


def shows_certificate(port: int, *, authorities: str) -> bool:
    """Whether what listens there has a certificate of one of these for this address; it may ask for ours in vain."""
    context = ssl.create_default_context(cafile=authorities)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=GREETING_SECONDS) as connection:
            context.wrap_socket(connection, server_hostname=LOOPBACK).close()
    except OSError:
        return False
    return True


def _receive(connection: socket.socket, size: int) -> bytes:
    received_bytes = b""
    while len(received_bytes) < size:
        chunk_bytes = connection.recv(size - len(received_bytes))
        if not chunk_bytes:
            raise EOFError
        received_bytes += chunk_bytes
    return received_bytes
