"""The webhooks of the token's contact point: where it is told what happens. Somebody else's are unknown."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from bridge.api.door import with_scope
from bridge.api.parts import parts_of
from bridge.api.strict_route import StrictRoute
from bridge.app.integrating.tokens import Scope, System
from bridge.app.integrating.webhook_words import delivery_told, webhook_told
from bridge.core.times import format_time

router: Final = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=StrictRoute)

MOST_DELIVERIES: Final = 200

WebhookId = Annotated[str, Path(pattern=r"^wh_[0-9a-f-]{36}$")]
DeliveryId = Annotated[str, StringConstraints(pattern=r"^evt_[a-z2-7]{32}$")]
Manager = Annotated[System, Depends(with_scope(Scope.WEBHOOKS))]
ChosenEvent = Literal["message.received", "message.acknowledged", "message.state"]


class NewWebhook(BaseModel):
    """Where to post, and what."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=2000, examples=["https://cases.example/hooks/bridge"])]
    events: Annotated[list[ChosenEvent], Field(min_length=1, max_length=3)]


class Webhook(BaseModel):
    """A webhook. `disabled_at` with `reason`: nothing is posted there until it is enabled."""

    id: str
    contact_point: str
    url: str
    events: list[str]
    made_by: str
    made_at: str
    failing_since: str | None
    disabled_at: str | None
    reason: str | None
    waiting: Annotated[int, Field(description="Deliveries that wait; a thousand at most.")]


class MadeWebhook(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: Annotated[str, Field(description="whsec_ and base64, as Standard Webhooks has it.")]


class WebhookList(BaseModel):
    """All of the contact point."""

    items: list[Webhook]


class RotatedSecret(BaseModel):
    """Another secret, shown this once; the one before signs beside it until then."""

    id: str
    secret: str
    secret_before_until: str


class Delivery(BaseModel):
    """One event for a webhook, and what came of it."""

    id: Annotated[str, Field(description="The header webhook-id, the same in every attempt.")]
    event: str
    sender: Annotated[str, Field(alias="from")]
    message_id: str
    recipient: str | None
    state: str | None
    result: Literal["waiting", "delivered", "given_up"]
    attempts: int
    last_status: int | None
    last_error: str | None
    at: str
    due_at: str | None
    last_at: str | None
    answered_at: str | None


class DeliveryList(BaseModel):
    """The newest first."""

    items: list[Delivery]


class QueuedTest(BaseModel):
    """A test that is being delivered."""

    id: str
    delivery: str


class Replay(BaseModel):
    """One delivery, or since when."""

    model_config = ConfigDict(extra="forbid")

    delivery: DeliveryId | None = None
    since: AwareDatetime | None = None


class Replayed(BaseModel):
    """How many are due again, under the same ids."""

    id: str
    replayed: int


@router.get(
    "", operation_id="listWebhooks", summary="The webhooks of the contact point", response_description="All of them."
)
async def list_webhooks(request: Request, system: Manager) -> WebhookList:
    """None of them says its secret."""
    found = await parts_of(request).webhooks.list([system.contact_point])
    return WebhookList(items=[Webhook.model_validate(webhook_told(one, waiting)) for one, waiting in found])


@router.post(
    "",
    status_code=201,
    operation_id="addWebhook",
    summary="Be told what happens from now on",
    response_description="Added; its secret is in no other answer.",
)
async def add_webhook(request: Request, system: Manager, given: NewWebhook) -> MadeWebhook:
    """Private addresses are refused, unless the node's settings name the host."""
    adding = parts_of(request).webhooks.add
    secret, made = await adding(given.url, contact_point=system.contact_point, events=given.events, by=_by(system))
    return MadeWebhook.model_validate({**webhook_told(made, 0), "secret": secret})


@router.delete(
    "/{webhook_id}",
    status_code=204,
    operation_id="removeWebhook",
    summary="Be told no more",
    response_description="Removed.",
)
async def remove_webhook(request: Request, system: Manager, webhook_id: WebhookId) -> None:
    """Its deliveries are gone with it."""
    removing = parts_of(request).webhooks.remove
    await removing(webhook_id, contact_point=system.contact_point, by=_by(system))


@router.post(
    "/{webhook_id}/enable",
    status_code=204,
    operation_id="enableWebhook",
    summary="Be told again",
    response_description="Enabled.",
)
async def enable_webhook(request: Request, system: Manager, webhook_id: WebhookId) -> None:
    """What waits, and what happens from now on; what happened while it was disabled is in the inbox."""
    enabling = parts_of(request).webhooks.enable
    await enabling(webhook_id, contact_point=system.contact_point, by=_by(system))


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    operation_id="testWebhook",
    summary="Queue a test",
    response_description="Queued.",
)
async def test_webhook(request: Request, system: Manager, webhook_id: WebhookId) -> QueuedTest:
    """An event webhook.test; its delivery says what came of it."""
    testing = parts_of(request).webhooks.test
    made = await testing(webhook_id, contact_point=system.contact_point, by=_by(system))
    return QueuedTest(id=webhook_id, delivery=made)


@router.post(
    "/{webhook_id}/secret",
    operation_id="rotateSecret",
    summary="Another secret",
    response_description="The new secret.",
)
async def rotate_secret(request: Request, system: Manager, webhook_id: WebhookId) -> RotatedSecret:
    """For a day there are two signatures in the header, and either is enough."""
    rotating = parts_of(request).webhooks.rotate
    secret, until = await rotating(webhook_id, contact_point=system.contact_point, by=_by(system))
    return RotatedSecret(id=webhook_id, secret=secret, secret_before_until=format_time(until))


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    summary="What came of what was posted",
    response_description="What came of each.",
)
async def list_deliveries(
    request: Request,
    system: Manager,
    webhook_id: WebhookId,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES)] = 50,
) -> DeliveryList:
    """The newest first; settled ones are kept for 30 days."""
    listing = parts_of(request).webhooks.deliveries
    found = await listing(webhook_id, contact_point=system.contact_point, limit=limit)
    return DeliveryList(items=[Delivery.model_validate(delivery_told(one)) for one in found])


@router.post(
    "/{webhook_id}/replay",
    operation_id="replayDeliveries",
    summary="Be told again of what was posted",
    response_description="How many are due again.",
)
async def replay_deliveries(request: Request, system: Manager, webhook_id: WebhookId, given: Replay) -> Replayed:
    """One delivery, or all made since a moment, under the same ids."""
    count = await parts_of(request).webhooks.replay(
        webhook_id,
        contact_point=system.contact_point,
        by=_by(system),
        delivery_id=given.delivery,
        since=given.since,
    )
    return Replayed(id=webhook_id, replayed=count)


def _by(system: System) -> str:
    return f"api:{system.name}"
