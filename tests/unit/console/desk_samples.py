"""Received messages with real bodies, each valid by itself; a test names only what it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from itertools import count

from console_world import Browser, MovedClock, World

from bridge.adapters.vault import StorageVault
from bridge.app.desk.board import ReadBoard
from bridge.app.desk.export import ExportMessages
from bridge.app.desk.open_message import OpenMessages
from bridge.app.desk.search import IndexWords, SearchMessages
from bridge.app.desk.work import WorkOnItems
from bridge.app.read_message import ReadMessages
from bridge.app.receiving.inbox_items import body_context
from bridge.core.errors import UnavailableError
from bridge.core.wire.envelope import TYP_SEALED, build_envelope, protected_header
from bridge.ports.store.records import AuditEntry, InboxItem

OWN = "rs.ncp"
NOW = MovedClock().time
VAULT = StorageVault({OWN: b"\x07" * 32})

_serial = count(1)


def message_id() -> str:
    return f"0193a1b2-0000-7000-8000-{next(_serial):012x}"


def leg(start: str = "AL", end: str = "RS", **given: object) -> dict[str, object]:
    return {"from": {"country": start}, "to": {"country": end}, "confirmed": True, **given}


def alert_body(**given: object) -> dict[str, object]:
    return {
        "title": "Vans at Horgoš",
        "language": "sr-Latn",
        "tlp": "AMBER",
        "handling": ["H2"],
        "purpose": "victim_protection",
        "legal_basis": "national law",
        "retain_until": "2027-02-01T00:00:00Z",
        "severity": "severe",
        "legs": [leg()],
        "exploitation": ["sexual"],
        **given,
    }


def received(body: dict[str, object] | None = None, **given: object) -> InboxItem:
    """An item of `rs.ncp`; without a body: erased."""
    own, sender = str(given.get("id", message_id())), str(given.get("sender", "al.ncp"))
    header = protected_header(alg="ES256", kid=f"{sender}#sig-2026a", typ=TYP_SEALED)
    payload = json.dumps({"id": own, "from": sender, "to": [OWN, "me.ncp"]}).encode()
    sealed = VAULT.put(OWN, json.dumps(body).encode(), context=body_context(OWN, sender, own)) if body else None
    made = InboxItem(
        contact_point=OWN,
        id=own,
        sender=sender,
        kind="route_alert",
        schema="urn:ncp-bridge:route_alert:1.0",
        status="actual",
        urgency="immediate",
        lane="urgent",
        thread=own,
        sent=NOW,
        expires=NOW + timedelta(days=7),
        received_at=NOW,
        acknowledge_by=NOW + timedelta(hours=1),
        state="new",
        payload_sha256=hashlib.sha256(own.encode()).hexdigest()[:43],
        sealed_sha256="s" * 43,
        wire_bytes=build_envelope(payload, [(header, b"s" * 64)], "sealed"),
        body=sealed,
    )
    return replace(made, **given)


def desk_parts(world: World) -> dict[str, object]:
    """What the pages of the desk are made of."""
    store, clock = world.store, world.clock
    opening = OpenMessages(store, VAULT, clock)
    return {
        "reading": ReadMessages(store, VAULT, clock),
        "board": ReadBoard(store, VAULT, clock),
        "opening": opening,
        "work": WorkOnItems(store, clock),
        "search": SearchMessages(store, VAULT, clock),
        "exporting": ExportMessages(opening, store, clock),
        "trust": _NoList(),
    }


async def given(world: World, *items: InboxItem) -> None:
    """They have arrived and can be found."""
    async with world.store.writing() as unit:
        await unit.inbox.add(items)
    await IndexWords((OWN,), world.store, VAULT).index()


async def logged(world: World, action: str) -> list[AuditEntry]:
    async with world.store.reading() as unit:
        return list(await unit.audit.list(action=action))


class _NoList:
    """A membership list is not what these tests are about."""

    def current(self) -> object:
        raise UnavailableError("E_TRUST", "no list here")


async def officer(people: World, *roles: str) -> Browser:
    login = await people.person(*(roles or ("duty_officer",)))
    return Browser(people.app(**desk_parts(people)), await people.session(login))


def page_of(item: InboxItem) -> str:
    return f"/message/{item.sender}/{item.id}"


async def text_of(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text
