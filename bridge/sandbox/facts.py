"""What a sandbox tells of itself: to people as text, to programs as sandbox.json."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.sandbox.folder import NODE, SandboxFolder
from bridge.sandbox.plan import NETWORK, Plan, expectation
from broker import PrivateNode


def facts_of(
    sandbox: SandboxFolder, plan: Plan, *, mine: str, broker: PrivateNode, api_port: int, token: str | None
) -> dict[str, object]:
    """All of it. `token` opens the HTTP interface of a node that is for play."""
    facts: dict[str, object] = {
        "sandbox": 1,
        "network": NETWORK,
        "you": plan.you,
        "contact_point": plan.own,
        "mine": mine,
        "broker_port": broker.port,
        "api_port": api_port,
        "broker": f"amqp://{broker.host}:{broker.port}/",
        "scripts": dict(plan.scripts),
        "contact_points": [
            {"id": one, "script": script, "expect": expectation(script)} for one, script in plan.scripts.items()
        ],
        "files": {name: str(path) for name, path in _files(sandbox, mine).items()},
        "next": _next(sandbox, plan, mine),
    }
    if mine == NODE:
        facts["api"] = {"url": f"http://127.0.0.1:{api_port}/api/v1", "token": token}
    return facts


def as_text(facts: Mapping[str, Any]) -> str:
    """The same to be read."""
    width = max(map(len, facts["scripts"]))
    behaves = [f"  {one['id']:{width}}  {one['script']}: {one['expect']}" for one in facts["contact_points"]]
    places = [f"  {name}: {path}" for name, path in facts["files"].items()]
    api = [f"  HTTP interface: {facts['api']['url']}, its token is in sandbox.json"] if "api" in facts else []
    return "\n".join(
        [
            f"The network {facts['network']} runs; you are {facts['contact_point']}. Everything is an exercise.",
            f"  broker: {facts['broker']}",
            *api,
            *places,
            "Your counterparts:",
            *behaves,
            "Try:",
            *(f"  {command}" for command in facts["next"]),
            "Ctrl-C ends it.",
        ]
    )


def _files(sandbox: SandboxFolder, mine: str) -> Mapping[str, object]:
    own = {"settings": sandbox.you / "node.toml"} if mine == NODE else {"client": sandbox.you / "client.json"}
    return {
        "facts": sandbox.path / "sandbox.json",
        "list": sandbox.path / "network.json",
        "alert": sandbox.you / "alert.json",
        **own,
    }


def _next(sandbox: SandboxFolder, plan: Plan, mine: str) -> Sequence[str]:
    you, alert = sandbox.you, sandbox.you / "alert.json"
    if mine == NODE:
        config = ("--config", you / "node.toml")
        commands = [
            ("ncp-bridge", "alert", "submit", alert, *config),
            ("ncp-bridge", "inbox", "list", *config),
            ("ncp-bridge", "quarantine", "list", *config),
        ]
    else:
        name = f"National contact point, {plan.you}"
        commands = [
            *[("node", "client.mjs", "enrol", you, "--network", NETWORK, "--id", plan.own, "--title", name)],
            ("ncp-bridge", "sandbox", sandbox.path, "--admit", you / "request.json"),
            ("node", "client.mjs", "publish", you, alert, "--to", f"{next(iter(plan.scripts))}", "--wait", "10"),
        ]
    return [shlex.join(map(str, command)) for command in commands]
