"""A tester and an implementation on a virtual host of their own, with the test keys of the wire vectors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from forging.wire_forge import DIRECTORY, PRIVATE, listed_key

from bridge.adapters.trust.membership.exported import export_of, read_export
from bridge.conformance.bench import Options
from bridge.conformance.running import CASES, run_cases
from bridge.core.wire import base64url
from bridge.counterparts.identity import desk_from
from bridge.counterparts.line import Accounts
from bridge.counterparts.making import Maker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from servers.broker_fixtures import VirtualHost

    from bridge.conformance.case import Result

IMPLEMENTATION = Path(__file__).parent / "broken" / "implementation.py"
COUNTRIES = {"rs": ["rs.ncp"], "at": ["at.ncp"], "hu": ["hu.ncp"]}
ROOT = Path(__file__).resolve().parents[2]


def write_network(file: Path) -> None:
    """The list of the wire vectors as of now; one key of Serbia is revoked."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"use_until": now + timedelta(days=60), "verify_until": now + timedelta(days=91)}
    signing = {kid: listed_key(kid, **times) for kid in DIRECTORY.signing_keys}
    signing["rs.ncp#sig-b"] = replace(signing["rs.ncp#sig-b"], revoked_at=now - timedelta(hours=2))
    directory = replace(
        DIRECTORY,
        signed_at=now - timedelta(hours=1),
        signing_keys=signing,
        encryption_keys={kid: listed_key(kid, **times) for kid in DIRECTORY.encryption_keys if "old" not in kid},
    )
    file.write_text(json.dumps(export_of(directory)), "utf-8")


def write_keys(file: Path, owner: str) -> None:
    """A contact point's private test keys as a JWK set."""
    keys = [jwk(kid) for kid in PRIVATE if kid.startswith(f"{owner}#") and "other" not in kid]
    file.write_text(json.dumps({"test": True, "keys": keys}), "utf-8")


def jwk(kid: str) -> dict[str, str]:
    numbers = PRIVATE[kid].private_numbers()
    public = numbers.public_numbers
    values = {"x": public.x, "y": public.y, "d": numbers.private_value}
    return {"kty": "EC", "crv": "P-256", "kid": kid} | {
        name: base64url.encode(value.to_bytes(32, "big")) for name, value in values.items()
    }


@dataclass(frozen=True)
class Pair:
    """Serbia tests Austria; Austria's implementation is broken in one thing, or in nothing."""

    folder: Path
    vhost: VirtualHost
    broken: str

    def prepare(self) -> None:
        self.folder.mkdir()
        write_network(self.folder / "network.json")
        write_keys(self.folder / "keys.json", "at.ncp")
        write_keys(self.folder / "tester.json", "rs.ncp")
        urls = {role: self.vhost.url(f"at-{role}") for role in ("relay", "router")}
        (self.folder / "settings.json").write_text(json.dumps({"id": "at.ncp", **urls}), "utf-8")

    def command(self, what: str, *more: str) -> str:
        program = f"PYTHONPATH={ROOT} {sys.executable} {IMPLEMENTATION}"
        return " ".join((program, what, str(self.folder), "--broken", self.broken, *more))

    async def run(self, *, left_out: Iterable[str] = (), is_commanded: bool = True) -> list[Result]:
        """Every case but those left out; it is asked to send, and killed, where it `is_commanded`."""
        restart = f"kill -9 $(cat {self.folder}/pid); {self.command('start')}"
        process = await asyncio.create_subprocess_shell(self.command("start"))
        assert await process.wait() == 0, (self.folder / "log").read_text("utf-8")
        try:
            return await run_cases(
                Maker(desk_from(self.folder / "tester.json", "rs.ncp"), read_export(self.folder / "network.json")),
                target="at.ncp",
                other="hu.ncp",
                accounts=Accounts(self.vhost.url("rs-relay"), self.vhost.url("rs-router")),
                options=Options(
                    answers=self.broken == "acknowledges-another",
                    send_command=self.command("send", "--to", "{to}") if is_commanded else None,
                    restart_command=restart if is_commanded else None,
                ),
                cases=[case for case in CASES if case.id not in left_out],
                tell=lambda _: None,
            )
        finally:
            self.end()

    def end(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
