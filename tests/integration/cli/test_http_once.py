"""What was submitted under a key is sent once: whatever is tried at once, by whichever process, and killed whenever."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from cli_commands import ALERT, ROOT, Nodes
from http_world import Interface, code, interface
from sqlalchemy.engine import make_url

from bridge.adapters.store.schema import migrate
from bridge.settings import load_settings

MEMBERS: dict[str, Any] = json.loads(ALERT.read_text("utf-8"))
KILLED = Path(__file__).with_name("killed_submission.py")
KEYS, TRIES, SECONDS = 4, 48, 60


def submission(officer: str) -> dict[str, Any]:
    return {"officer": officer, "alert": MEMBERS}


async def sent_from(here: Interface) -> set[str]:
    async with here.node.store.reading() as unit:
        return {message.id for message in await unit.ledger.list()}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def config(request: pytest.FixtureRequest, nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a node that keeps its data in either database."""
    if request.param == "postgresql":
        url = make_url(request.getfixturevalue("postgres_url"))
        if url.password:
            password = nodes.rs.parent / "secrets" / "database.password"
            password.parent.mkdir(mode=0o700, exist_ok=True)
            password.write_text(url.password, "utf-8")
            password.chmod(0o600)
            monkeypatch.setenv("NCP_BRIDGE_DATABASE_PASSWORD_FILE", str(password))
        plain = url._replace(password=None)
        monkeypatch.setenv("NCP_BRIDGE_DATABASE", plain.render_as_string())
        asyncio.run(migrate(load_settings(nodes.rs).database_url))
    return nodes.rs


async def test_whatever_is_tried_at_once_each_key_is_one_message(config: Path) -> None:
    # given two processes' views of a node, few keys, and two requests that are tried under them, by chance and at once
    chance = random.Random(20_261_128)  # noqa: S311 - no secret, a sequence that comes again
    async with interface(config) as one, interface(config) as another:
        before = await sent_from(one)
        system = await one.system()
        token = system.headers["authorization"].removeprefix("Bearer ")
        systems = (system, another.with_token(token))
        tried = [
            (chance.randrange(KEYS), chance.choice(("Ana", "Bojan")), chance.choice(systems)) for _ in range(TRIES)
        ]
        answers = await asyncio.gather(
            *(
                at.post("/messages", json=submission(officer), headers={"idempotency-key": f"case-{number}"})
                for number, officer, at in tried
            )
        )

        # then of each key one request won: it is one message, every try of it has that answer, the other request none
        won: dict[int, set[tuple[str, str]]] = defaultdict(set)
        first = 0
        for (number, officer, _), answer in zip(tried, answers, strict=True):
            if answer.status_code == 201:
                won[number].add((officer, answer.json()["id"]))
                first += "idempotency-replayed" not in answer.headers
            else:
                assert code(answer) == (422, "E_KEY_REUSED")
        assert [len(won[number]) for number in range(KEYS)] == [1] * KEYS
        assert first == KEYS
        for (number, officer, _), answer in zip(tried, answers, strict=True):
            ((winner, _),) = won[number]
            assert (answer.status_code == 201) is (officer == winner)
        assert await sent_from(another) - before == {message for pairs in won.values() for _, message in pairs}


@pytest.mark.parametrize(
    ("moment", "replayed"), [("before-key", None), ("before-commit", None), ("before-answer", "true")]
)
async def test_killed_at_any_moment_and_tried_again_it_is_sent_once(
    config: Path, moment: str, replayed: str | None
) -> None:
    async with interface(config) as here:
        before = await sent_from(here)
        system = await here.system()
        token = system.headers["authorization"].removeprefix("Bearer ")

        # when the process is killed while it answers
        paths = os.pathsep.join((str(ROOT), str(KILLED.parent)))
        process = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, KILLED, config, token, "case-1", moment],
            env=os.environ | {"PYTHONPATH": paths},
            timeout=SECONDS,
            check=False,
        )
        assert process.returncode == -signal.SIGKILL
        left = await sent_from(here) - before
        assert len(left) == (1 if replayed else 0)

        # then trying again sends what was not sent, and nothing twice
        again = await system.post("/messages", json=submission("D. Petrović"), headers={"idempotency-key": "case-1"})
        assert again.status_code == 201
        assert again.headers.get("idempotency-replayed") == replayed
        assert await sent_from(here) - before == {again.json()["id"]}
        assert left <= {again.json()["id"]}
