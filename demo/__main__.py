"""`./scripts/demo`: the whole network on one machine, told while it happens, counted from the databases at the end.

Ctrl-C or SIGTERM at any moment ends every process that was started and removes the folder (except with --keep).
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import uvloop

from bridge.cli.output import fail, say
from bridge.core.errors import BadInputError, BridgeError
from broker.node import broker_for_use
from demo.consoles import Consoles
from demo.interruption import Interruption
from demo.network import found_countries, found_demo_network, prepare_broker
from demo.run import Demonstration
from demo.story import Story

INTERRUPTED: Final = 130


def main() -> int:
    """Runs the demonstration and answers its exit status: 0 when everything arrived and nothing forged was let in."""
    options = _options()
    interruption = Interruption()
    try:
        with interruption.listening():
            return _demonstrate(options, interruption)
    except BridgeError as error:
        return fail(error, as_json=options.json)
    except KeyboardInterrupt:
        say("stopped; every process is gone" + ("" if options.keep else ", the folder too"))
        return INTERRUPTED


def _demonstrate(options: argparse.Namespace, interruption: Interruption) -> int:
    story = Story()
    with _folder(options.keep) as folder:
        story.note("founding a network of 14 countries: membership list, certificate authority")
        tls = found_demo_network(folder)
        story.note("RabbitMQ: starting a private node, TLS only (the first time it is fetched: some 20 s more)")
        with broker_for_use(tls=tls) as broker:
            interruption.check()
            vhost = f"ncp-bridge-demo-{secrets.token_hex(4)}"
            broker.create_vhost(vhost)
            try:
                story.note("setting up the countries: keys, certificates, databases")
                configs = found_countries(folder, broker=broker, vhost=vhost)
                consoles = None if options.exit else Consoles.on_free_ports()
                demonstration = Demonstration(configs=configs, story=story, consoles=consoles, as_json=options.json)
                with (
                    consoles.monitoring(configs, broker=broker, vhost=vhost) if consoles else nullcontext(),
                    asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
                ):
                    interruption.run(runner, prepare_broker(configs, broker=broker))
                    return interruption.run(runner, demonstration.run())
            finally:
                broker.delete_vhost(vhost)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="ncp-bridge-demo-") as folder:
            yield Path(folder)
        return
    if keep.exists() and any(keep.iterdir()):
        raise BadInputError("E_USAGE", f"--keep: {keep} is not empty; expected a new or an empty folder")
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield keep.resolve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/demo",
        description="Runs a network of 14 countries on a private RabbitMQ node and SQLite, sends the sample alerts, "
        "injects forgeries, and counts from the databases what happened; then three countries' consoles are open for a "
        "visitor, and alerts keep coming, until Ctrl-C. NCP_BRIDGE_AMQP_URL names another broker.",
    )
    parser.add_argument("--exit", action="store_true", help="end when everything has arrived, and open no console")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep databases, keys and logs in this empty folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
