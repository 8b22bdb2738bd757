"""`ncp-bridge peer`: try the way to another contact point and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.operating.try_peer import TryPeer
from bridge.cli.options import Config, officer_or_login, on_node, one_contact_point
from bridge.cli.output import Json, emit, say
from bridge.compose.node import Node

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
LOOK_SECONDS = 0.3


@app.command("test")
def try_way(
    peer: Annotated[
        str, typer.Argument(metavar="ID", help="The contact point to write to, as in the membership list.")
    ],
    config: Config,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ID", help="Which contact point of this node writes.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, max=600, help="Seconds to wait for the signed receipt.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Send a signed test message (status test) and wait for its receipt; exit status 1 when none came in time."""

    async def work(node: Node) -> Mapping[str, object]:
        own = one_contact_point(node, sender, option="--from")
        submitted = await TryPeer(node.sending).send(peer, sender=own, by=officer_or_login(None))
        say(f"{submitted.id} is in the outbox; waiting for the receipt of {peer}")
        begun, state, seconds = time.monotonic(), "pending", None
        while True:
            async with node.store.reading() as unit:
                message = await unit.ledger.get(submitted.id)
            if message is not None:
                state = message.recipients[0].state
            if state in {"delivered", "rejected"}:
                seconds = round(time.monotonic() - begun, 2)
            if seconds is not None or time.monotonic() - begun > wait:
                return {"id": submitted.id, "peer": peer, "state": state, "seconds": seconds}
            await asyncio.sleep(LOOK_SECONDS)

    answer = on_node(config, work)
    emit(answer, as_json=as_json, text=lambda: _text(answer))
    raise typer.Exit(0 if answer["state"] == "delivered" else 1)


@app.callback()
def peers() -> None:
    """Try the way to another contact point and back."""


def _text(answer: Mapping[str, object]) -> str:
    came = answer["seconds"] is not None
    how = (
        f"{answer['state']}, signed receipt after {answer['seconds']} s"
        if came
        else f"no receipt yet: {answer['state']}"
    )
    return f"{answer['peer']}: {how}"
