"""`ncp-bridge webhooks`: where a node posts what happens at its contact points; docs/integrate/webhooks.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bridge.app.integrating.webhook_events import CHOSEN
from bridge.app.integrating.webhook_words import delivery_told, webhook_told
from bridge.app.integrating.webhooks import ManageWebhooks
from bridge.cli.options import Config, ContactPoint, Limit, officer_or_login, on_node, one_contact_point, time_of
from bridge.cli.output import Json, emit, table
from bridge.compose.console import prepare_database
from bridge.compose.node import Node
from bridge.compose.webhooks import webhooks_of
from bridge.core.times import format_time
from bridge.ports.store.webhooks import WebhookRecord
from bridge.settings import load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Answer = TypeVar("Answer")
Webhook = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id: wh_…")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https; hosts that are private: webhook_hosts in [api].")],
    config: Config,
    contact_point: ContactPoint = None,
    events: Annotated[str, typer.Option(help="With commas between them.")] = ",".join(CHOSEN),
    as_json: Json = False,
) -> None:
    """Add a webhook for what happens from now on, and print its secret this once."""
    asyncio.run(prepare_database(load_settings(config)))
    chosen = [one.strip() for one in events.split(",")]

    async def work(node: Node) -> tuple[str, WebhookRecord]:
        own = one_contact_point(node, contact_point, option="--contact-point")
        return await webhooks_of(node).add(url, contact_point=own, events=chosen, by=officer_or_login(None))

    secret, record = on_node(config, work)
    told = {**webhook_told(record, 0), "secret": secret}
    emit(told, as_json=as_json, text=lambda: f"{record.id}\n{secret}")


@app.command("list")
def list_webhooks(config: Config, as_json: Json = False) -> None:
    """List the webhooks, how many deliveries wait for each, and which fail or are disabled."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        found = await webhooks_of(node).list(node.hosted)
        return [webhook_told(record, waiting) for record, waiting in found]

    told = on_node(config, work)
    columns = ("id", "contact_point", "url", "events", "waiting", "failing_since", "disabled_at", "reason")
    rows = [[_shown(one[name]) for name in columns] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def remove(webhook: Webhook, config: Config, as_json: Json = False) -> None:
    """Remove a webhook with its deliveries."""
    _do(config, lambda hooks: hooks.remove(webhook, contact_point=None, by=officer_or_login(None)))
    emit({"id": webhook, "removed": True}, as_json=as_json, text=lambda: f"{webhook} is removed")


@app.command()
def enable(webhook: Webhook, config: Config, as_json: Json = False) -> None:
    """Post to a disabled webhook again: what waits, and what happens from now on."""
    _do(config, lambda hooks: hooks.enable(webhook, contact_point=None, by=officer_or_login(None)))
    emit({"id": webhook, "enabled": True}, as_json=as_json, text=lambda: f"{webhook} is enabled")


@app.command("test")
def queue_test(webhook: Webhook, config: Config, as_json: Json = False) -> None:
    """Queue an event webhook.test; the running node posts it, `deliveries` shows what came of it."""
    made = _do(config, lambda hooks: hooks.test(webhook, contact_point=None, by=officer_or_login(None)))
    emit({"id": webhook, "delivery": made}, as_json=as_json, text=lambda: f"{made} is queued")


@app.command("rotate-secret")
def rotate_secret(webhook: Webhook, config: Config, as_json: Json = False) -> None:
    """Make another secret and print it this once; the one before signs beside it for a day."""
    secret, until = _do(config, lambda hooks: hooks.rotate(webhook, contact_point=None, by=officer_or_login(None)))
    told = {"id": webhook, "secret": secret, "secret_before_until": format_time(until)}
    emit(told, as_json=as_json, text=lambda: secret)


@app.command()
def deliveries(webhook: Webhook, config: Config, limit: Limit = 50, as_json: Json = False) -> None:
    """List the newest deliveries, and what came of each."""
    found = _do(config, lambda hooks: hooks.deliveries(webhook, contact_point=None, limit=limit))
    told = [delivery_told(one) for one in found]
    columns = ("id", "event", "message_id", "recipient", "state", "attempts", "result", "last_error", "due_at")
    rows = [[one[name] for name in columns] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def replay(
    webhook: Webhook,
    config: Config,
    delivery: Annotated[str | None, typer.Argument(metavar="[DELIVERY]", help="One of them: evt_…")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="All made at this time or later: 2026-11-23T18:40:01.234Z")
    ] = None,
    as_json: Json = False,
) -> None:
    """Post one delivery again, or all since a time, under the same ids."""
    moment = time_of(since, option="--since")

    def work(hooks: ManageWebhooks) -> Awaitable[int]:
        who = officer_or_login(None)
        return hooks.replay(webhook, contact_point=None, by=who, delivery_id=delivery, since=moment)

    count = _do(config, work)
    emit({"id": webhook, "replayed": count}, as_json=as_json, text=lambda: f"{count} are due again")


def _do(config: Path, work: Callable[[ManageWebhooks], Awaitable[Answer]]) -> Answer:
    async def on_webhooks(node: Node) -> Answer:
        return await work(webhooks_of(node))

    return on_node(config, on_webhooks)


def _shown(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value
