"""`python -m broker`: a node in the foreground, definitions for a broker of one's own, packages ahead of time."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

from bridge.core.errors import BridgeError
from bridge.founding.certificates import Secretariat
from broker.definition_files import write_certificate_files, write_definition_files
from broker.installation import ensure_installation
from broker.node import PrivateNode
from broker.packages import CACHE, CHROMIUM, POSTGRESQL, RABBITMQ, RABBITMQ_4, SOFTHSM
from broker.secret_files import write_secret
from broker.tls import certify_broker

ADMIN_URL_FILE: Final = CACHE / "broker" / "admin-url"
CONFIG: Final = Path(__file__).resolve().parents[1] / "config"
BUNDLES: Final = (RABBITMQ, RABBITMQ_4, POSTGRESQL, SOFTHSM, CHROMIUM)
INTERRUPTED: Final = 130
LOOK_SECONDS: Final = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit status as everywhere in the project (0, 2, 4, 130)."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "run":
            return _run(options)
        if options.command == "definitions":
            facts = write_definition_files(options.folder, options.network)
            if options.certify is not None:
                facts |= write_certificate_files(options.folder, options.certify)
            _tell(facts)
        else:
            for bundle in BUNDLES:
                if bundle.name in options.servers:
                    ensure_installation(bundle)
    except BridgeError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-certificate-") as folder:
        tls = certify_broker(Path(folder), Secretariat.of(options.certify)) if options.certify else None
        return _keep(PrivateNode(port=options.port, tls=tls), options)


def _keep(node: PrivateNode, options: argparse.Namespace) -> int:
    ended = threading.Event()
    status = 0

    def end(number: int, _: object) -> None:
        nonlocal status
        status = INTERRUPTED if number == signal.SIGINT else 0
        ended.set()
        if node.port == 0:
            sys.exit(status)  # while it starts: the start is given up, and cleaned up

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        sys.stderr.write("starting a private RabbitMQ node, some 8 s ...\n")
        node.start()
        write_secret(options.admin_url_file, node.management_url)
        _tell(
            {
                "amqp_url": f"{'amqps' if node.by_certificate else 'amqp'}://{node.host}:{node.port}/",
                "management_url": f"http://{node.host}:{node.management_port}",
                "admin_url_file": str(options.admin_url_file),
                "pid": node.pid,
            },
            as_json=options.json,
        )
        sys.stderr.write("Ctrl-C ends it and removes everything.\n")
        while not ended.wait(LOOK_SECONDS):
            if not node.alive:
                sys.stderr.write("E_BROKER_LOST: the node has ended by itself\n")
                return 4
    finally:
        node.stop()
        options.admin_url_file.unlink(missing_ok=True)
    return status


def _tell(facts: dict[str, object], *, as_json: bool = True) -> None:
    lines = [json.dumps(facts)] if as_json else [f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m broker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="a private node on loopback until Ctrl-C")
    run.add_argument("--port", type=int, help="AMQP port; a free one by default")
    run.add_argument("--json", action="store_true", help="one JSON object on standard output")
    run.add_argument(
        "--admin-url-file", type=Path, default=ADMIN_URL_FILE, help="gets the management API's URL with the account"
    )
    run.add_argument(
        "--certify", type=Path, metavar="DIR", help="by TLS and certificates only, of this network's folder"
    )
    definitions = commands.add_parser(
        "definitions", help="what docker-compose.yml mounts: definitions, passwords, certificate"
    )
    definitions.add_argument("--network", type=Path, default=CONFIG / "demo-network.toml", metavar="FILE")
    definitions.add_argument("--folder", type=Path, default=CONFIG / "rabbitmq" / "generated", metavar="DIR")
    definitions.add_argument(
        "--certify", type=Path, metavar="DIR", help="the network's folder: it certifies the broker too, for TLS"
    )
    fetching = commands.add_parser("fetch", help="gets server packages ahead of time, where they are not installed")
    fetching.add_argument("servers", nargs="+", choices=[bundle.name for bundle in BUNDLES])
    return parser


if __name__ == "__main__":
    sys.exit(main())
