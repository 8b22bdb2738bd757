"""Troubles that a real broker gets into, for the tests of what notices them: alarms, silence, restarts, accounts."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from amqp_world import management

from bridge.adapters.amqp.login import Login
from bridge.core.errors import UnavailableError
from broker import PrivateNode
from broker.node_keeper import SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from servers.broker_fixtures import VirtualHost

    from broker import Access

# What provokes the alarm, and what ends it.
ALARMS = {
    "disk": (
        ("set_disk_free_limit", "1000000GB"),
        ("set_disk_free_limit", SETTINGS["disk_free_limit.absolute"]),
    ),
    "memory": (
        ("set_vm_memory_high_watermark", "absolute", "1"),
        ("set_vm_memory_high_watermark", "absolute", SETTINGS["vm_memory_high_watermark.absolute"]),
    ),
}


@contextmanager
def silent(node: Access) -> Iterator[None]:
    """The broker's process does not run; its connections stay."""
    private = _private(node)
    private.pause()
    try:
        yield
    finally:
        private.resume()


@asynccontextmanager
async def alarm(node: Access, kind: str = "disk") -> AsyncIterator[None]:
    """The broker believes its disk or its memory full."""
    private = _private(node)
    begin, end = ALARMS[kind]
    await _control(private, *begin)
    try:
        yield
    finally:
        await _control(private, *end)


async def restart(node: Access) -> None:
    """The broker is killed as by a power cut, and boots again."""
    private = _private(node)
    await asyncio.sleep(1)  # a queue that was declared a moment ago is not on its disk yet
    private.kill()
    await asyncio.to_thread(private.restart)
    await asyncio.to_thread(_until_it_makes_virtual_hosts, private)


def _until_it_makes_virtual_hosts(node: PrivateNode) -> None:
    """It answers a little before it can do everything; the next test begins with a virtual host."""
    name, patience = f"after-restart-{secrets.token_hex(4)}", time.monotonic() + 30
    while True:
        try:
            node.create_vhost(name)
        except UnavailableError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.2)
        else:
            node.delete_vhost(name)
            return


class Account:
    """An account of the broker that a test may change: it reads and writes like those of the topology."""

    def __init__(self, vhost: VirtualHost) -> None:
        self.vhost, self.name, self.password = vhost, f"changing-{secrets.token_hex(4)}", ""

    def set_password(self, password: str) -> None:
        """Makes the account where there is none, with its permissions."""
        self.password = password
        api, user = management(self.vhost), quote(self.name, safe="")
        api.request("PUT", f"/api/users/{user}", {"password": password, "tags": ""})
        rights = {"configure": "", "write": ".*", "read": ".*"}
        api.request("PUT", f"/api/permissions/{quote(self.vhost.name, safe='')}/{user}", rights)

    def delete(self) -> None:
        """The broker closes the account's connections, too."""
        management(self.vhost).request("DELETE", f"/api/users/{quote(self.name, safe='')}")

    def login(self, password: str) -> Login:
        return Login([self.vhost.broker.amqp_url(self.vhost.name, self.name, password)])


def _private(node: Access) -> PrivateNode:
    if not isinstance(node, PrivateNode):
        pytest.skip("only a private node can be put in this state")
    return node


async def _control(node: PrivateNode, *command: str) -> None:
    """With the broker's own control program, in the broker's environment."""
    entries = Path(f"/proc/{node.pid}/environ").read_bytes().decode().split("\0")  # noqa: ASYNC240 -- no disk behind it
    environment = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    (program,) = (node.folder / "root").glob("usr/lib/rabbitmq/bin/rabbitmqctl")
    control = await asyncio.create_subprocess_exec(
        *(program, *command),
        env=environment | {"PATH": f"{node.folder / 'bin'}:{environment['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await control.communicate()
    assert control.returncode == 0, output.decode()
