"""What the HTTP interface refuses: who may not, what is too much, and what has not its form; each with its code."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import structlog
from cli_commands import ALERT, ROOT, Nodes
from http_world import HERE, Interface, code, interface, key

from bridge.api import alerts, strict_route, webhooks
from bridge.api import inbox as inbox_routes
from bridge.api.door import check_again
from bridge.app.integrating.tokens import Scope
from bridge.compose.api import tokens_of

if TYPE_CHECKING:
    import httpx
    from starlette.requests import Request

MEMBERS: dict[str, Any] = json.loads(ALERT.read_text("utf-8"))
SUBMISSION = {"officer": "D. Petrović", "alert": MEMBERS}
NOWHERE = "0193b0a0-89ab-7000-8000-0123456789ab"
ROUTES = (
    ("POST", "/validate", MEMBERS, Scope.CHECK),
    ("POST", "/preview", MEMBERS, Scope.CHECK),
    ("POST", "/messages", SUBMISSION, Scope.SUBMIT),
    ("GET", f"/messages/{NOWHERE}", None, Scope.MESSAGES),
    ("GET", "/inbox", None, Scope.INBOX),
    ("POST", f"/inbox/rs.ncp/{NOWHERE}/open", {"officer": "M. Huber"}, Scope.INBOX),
    ("POST", f"/inbox/rs.ncp/{NOWHERE}/acknowledgements", {"officer": "M", "level": "read"}, Scope.ACKNOWLEDGE),
    ("GET", "/webhooks", None, Scope.WEBHOOKS),
    ("POST", "/webhooks", {"url": "https://cases.example/", "events": ["message.received"]}, Scope.WEBHOOKS),
    ("DELETE", f"/webhooks/wh_{NOWHERE}", None, Scope.WEBHOOKS),
    ("POST", f"/webhooks/wh_{NOWHERE}/enable", None, Scope.WEBHOOKS),
    ("POST", f"/webhooks/wh_{NOWHERE}/test", None, Scope.WEBHOOKS),
    ("POST", f"/webhooks/wh_{NOWHERE}/secret", None, Scope.WEBHOOKS),
    ("GET", f"/webhooks/wh_{NOWHERE}/deliveries", None, Scope.WEBHOOKS),
    ("POST", f"/webhooks/wh_{NOWHERE}/replay", {"delivery": "evt_" + "a" * 32}, Scope.WEBHOOKS),
)


@pytest_asyncio.fixture
async def hu(nodes: Nodes) -> AsyncIterator[Interface]:
    """The interface of a node with two contact points."""
    async with interface(nodes.hu) as hungary:
        yield hungary


async def ask_for(system: httpx.AsyncClient, route: tuple[str, str, object, str]) -> httpx.Response:
    method, path, body, _ = route
    return await system.request(method, path, json=body, headers=key())


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1][:22]}")
async def test_a_route_takes_its_scope_and_no_other(hu: Interface, route: tuple[str, str, object, Scope]) -> None:
    # given a system that may do everything but this, and one that may do this
    others = await hu.system(*(scope for scope in Scope if scope is not route[3]))
    own = await hu.system(route[3])

    # then
    answer = await ask_for(others, route)
    assert code(answer) == (403, "E_SCOPE_MISSING")
    assert route[3].value in answer.json()["detail"]
    assert (await ask_for(own, route)).status_code in {200, 201, 404, 409}
    assert code(await ask_for(hu.with_token(None), route)) == (401, "E_TOKEN")


def test_every_route_is_among_these() -> None:
    routes = {
        (method, route.path)
        for module in (alerts, inbox_routes, webhooks)
        for route in module.router.routes
        for method in route.methods
    }
    assert len(routes) == len(ROUTES)


async def test_a_token_that_is_none_any_more_is_none(nodes: Nodes) -> None:
    async with interface(nodes.rs) as rs:
        tokens = tokens_of(rs.node)
        revoked, _ = await tokens.add("revoked", contact_point="rs.ncp", scopes=[Scope.INBOX], by="test")
        expired, _ = await tokens.add(
            "expired", contact_point="rs.ncp", scopes=[Scope.INBOX], by="test", lifetime=timedelta(microseconds=1)
        )
        assert (await rs.with_token(revoked).get("/inbox")).status_code == 200
        await tokens.revoke("revoked", by="test")
        for token in (revoked, expired, revoked[:-1], "ncpb_" + "A" * 43, "", "x" * 5000, "é"):
            answer = await rs.with_token(None).get("/inbox", headers={"authorization": f"Bearer {token}".encode()})
            assert code(answer) == (401, "E_TOKEN")
        basic = await rs.with_token(None).get("/inbox", headers={"authorization": f"Basic {revoked}"})
        assert code(basic) == (401, "E_TOKEN")
        assert "Bearer" in basic.headers["www-authenticate"]


async def test_nothing_of_another_contact_point_is_to_be_seen(hu: Interface, nodes: Nodes, sent: str) -> None:
    # given an alert that the national desk received and answered, and the border police did not receive
    with closing(sqlite3.connect(nodes.hu.parent / "node.db")) as database, database:
        database.execute("DELETE FROM inbox WHERE contact_point = 'hu.border-police'")
    ncp = await hu.system(contact_point="hu.ncp")
    police = await hu.system(contact_point="hu.border-police")
    (item,) = (await ncp.get("/inbox")).json()["items"]
    assert item["id"] == sent

    # then the police see none of it, and cannot tell it from one that never was
    assert (await police.get("/inbox")).json()["items"] == []
    assert code(await police.get("/inbox", params={"after": item["cursor"]})) == (422, "E_CURSOR")
    for path, body in (("open", {"officer": "M"}), ("acknowledgements", {"officer": "M", "level": "read"})):
        there = await police.post(f"/inbox/rs.ncp/{sent}/{path}", json=body)
        nowhere = await police.post(f"/inbox/rs.ncp/{NOWHERE}/{path}", json=body)
        assert code(there) == code(nowhere) == (404, "E_UNKNOWN_MESSAGE")
        assert there.text.replace(sent, "") == nowhere.text.replace(NOWHERE, "")
    answer = {"officer": "Kovács", "level": "accepted"}
    answered = (await ncp.post(f"/inbox/rs.ncp/{sent}/acknowledgements", json=answer)).json()["id"]
    assert (await ncp.get(f"/messages/{answered}")).json()["kind"] == "acknowledgement"
    assert code(await police.get(f"/messages/{answered}")) == (404, "E_UNKNOWN_MESSAGE")


async def test_a_system_that_asks_too_often_waits_and_others_do_not(nodes: Nodes) -> None:
    async with interface(nodes.rs, requests_per_minute=3) as rs:
        busy, other = await rs.system(), await rs.system()
        assert [(await busy.get("/inbox")).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert (await busy.get("/inbox")).headers["retry-after"] == "5"
        assert (await other.get("/inbox")).status_code == 200
        strangers = [(await rs.with_token("ncpb_x").get("/inbox")).status_code for _ in range(4)]
        assert strangers == [401] * 3 + [429]
        assert (await other.get("/inbox")).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"kind": 1, "kind": 2}', "application/json", (400, "E_JSON")),
        (b'{"kind": NaN}', "application/json", (400, "E_JSON")),
        (b'{"kind": 1.5}', "application/json", (400, "E_JSON")),
        (b'{"kind": "\\ud800"}', "application/json", (400, "E_JSON")),
        (b"[" * 100 + b"]" * 100, "application/json", (400, "E_JSON")),
        (b"[1, 2]", "application/json", (400, "E_JSON")),
        (b"\xff", "application/json", (400, "E_JSON")),
        (b"", "application/json", (400, "E_JSON")),
        (b"{}", "text/plain", (415, "E_CONTENT_TYPE")),
        (b"a=b", "application/x-www-form-urlencoded", (415, "E_CONTENT_TYPE")),
        (b'{"a": "' + b"x" * 262_144 + b'"}', "application/json", (413, "E_SIZE")),
    ],
)
async def test_a_body_is_strict_and_bounded(
    hu: Interface, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    system = await hu.system()
    assert code(await system.post("/validate", content=body, headers={"content-type": content_type})) == expected


async def test_a_million_elements_are_refused_before_they_are_read(hu: Interface) -> None:
    system = await hu.system()
    many = b'{"body": {"legs": [' + b",".join([b"1"] * 1_000_000) + b"]}}"
    began = time.process_time()
    answer = await system.post("/validate", content=many, headers={"content-type": "application/json"})
    assert code(answer) == (413, "E_SIZE")
    for each, count in ((b"1", 130_000), (b"{}", 87_000)):  # what fits
        most = b'{"kind": "route_alert", "body": {"legs": [' + b",".join([each] * count) + b"]}}"
        answer = await system.post("/validate", content=most, headers={"content-type": "application/json"})
        assert [(one["path"], one["code"]) for one in answer.json()["errors"]] == [("$.body.legs", "E_LIMIT")]
    assert time.process_time() - began < 20  # not quadratic; it takes a fraction of a second


async def test_a_body_that_drips_is_hung_up_on(hu: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_route, "BODY_SECONDS", 0.1)

    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    answer = await (await hu.system()).post("/validate", content=drip(), headers={"content-type": "application/json"})
    assert code(answer) == (400, "E_JSON")


async def test_nobodys_body_is_read(hu: Interface) -> None:
    async def watched() -> AsyncIterator[bytes]:
        yield pytest.fail("it was read")

    for token in (None, "ncpb_" + "A" * 43):
        stranger, headers = hu.with_token(token), {"content-type": "application/json"}
        answer = await stranger.post("/validate", content=watched(), headers=headers)
        assert code(answer) == (401, "E_TOKEN")


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/messages", {"alert": MEMBERS}, "$.officer"),
        ("/messages", {**SUBMISSION, "officer": " "}, "$.officer"),
        ("/messages", {**SUBMISSION, "officer": "x" * 201}, "$.officer"),
        ("/messages", {**SUBMISSION, "officer": "a\x00b"}, "$.officer"),
        ("/messages", {**SUBMISSION, "officer": "M. Huber\n2026-11-28 admin"}, "$.officer"),
        (f"/inbox/rs.ncp/{NOWHERE}/open", {"officer": "\u202enimda"}, "$.officer"),
        (f"/inbox/rs.ncp/{NOWHERE}/open", {"officer": "M", "reason": "\x00"}, "$.reason"),
        ("/messages", {**SUBMISSION, "partial": "yes"}, "$.partial"),
        ("/messages", {**SUBMISSION, "force": True}, "$.force"),
        ("/messages", {**SUBMISSION, "alert": []}, "$.alert"),
        (f"/inbox/rs.ncp/{NOWHERE}/acknowledgements", {"officer": "M", "level": "seen"}, "$.level"),
        (
            f"/inbox/rs.ncp/{NOWHERE}/acknowledgements",
            {"officer": "M", "level": "read", "redirect_to": "X"},
            "$.redirect_to",
        ),
        (f"/inbox/RS/{NOWHERE}/open", {"officer": "M"}, "path.sender"),
        ("/inbox/rs.ncp/7/open", {"officer": "M"}, "path.message_id"),
    ],
)
async def test_what_has_not_its_form_is_named(hu: Interface, path: str, body: object, named: str) -> None:
    answer = await (await hu.system()).post(path, json=body, headers=key())
    assert code(answer) == (422, "E_FORMAT")
    assert [one["path"] for one in answer.json()["errors"]] == [named]


@pytest.mark.parametrize(
    "query",
    [
        "after=cnMubmNwLwAveA",
        "aftr=x",
        "limit=5&limit=6",
        "=",
        "limit=0",
        "limit=201",
        "wait=31",
        "wait=x",
        "after=!",
        "after=" + "A" * 401,
    ],
)
async def test_a_query_out_of_bounds_is_refused(hu: Interface, query: str) -> None:
    answer = await (await hu.system()).get(f"/inbox?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors" if "errors" in answer.json() else "path"]


@pytest.mark.parametrize(
    "header", [{}, {"idempotency-key": ""}, {"idempotency-key": "a b"}, {"idempotency-key": "x" * 129}]
)
async def test_a_submission_needs_a_key_of_its_own(hu: Interface, header: dict[str, str]) -> None:
    answer = await (await hu.system()).post("/messages", json=SUBMISSION, headers=header)
    assert code(answer) == (422, "E_FORMAT")


async def test_a_header_that_stands_twice_is_none(hu: Interface) -> None:
    system = await hu.system()
    twice = [("idempotency-key", "a"), ("idempotency-key", "b")]
    assert code(await system.post("/messages", json=SUBMISSION, headers=twice)) == (422, "E_FORMAT")
    shown = system.headers["authorization"]
    again = [("authorization", shown), ("authorization", shown)]
    assert code(await hu.with_token(None).get("/inbox", headers=again)) == (401, "E_TOKEN")


async def test_who_waits_while_the_token_is_revoked_is_told_nothing(
    hu: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = tokens_of(hu.node)
    token, _ = await tokens.add("waiting", contact_point="hu.ncp", scopes=[Scope.INBOX], by="test")
    system = hu.with_token(token)
    cursor = (await system.get("/inbox")).json()["next"]

    async def revoke_first(request: Request) -> None:
        await tokens.revoke("waiting", by="test")
        await check_again(request)

    monkeypatch.setattr(inbox_routes, "check_again", revoke_first)
    assert code(await system.get("/inbox", params={"after": cursor, "wait": 1})) == (401, "E_TOKEN")


async def test_addresses_and_methods_that_are_none(hu: Interface) -> None:
    system = await hu.system()
    assert code(await system.get("/inboxes")) == (404, "E_NOT_FOUND")
    assert code(await system.get("/inbox/")) == (404, "E_NOT_FOUND")
    refused = await system.delete("/inbox")
    assert (code(refused), refused.headers["allow"]) == ((405, "E_METHOD"), "GET")


async def test_the_contract_is_served_and_nothing_beside_it(hu: Interface) -> None:
    for name in ("alert-file/1.0.json", "asyncapi.yaml", "rules.json"):
        served = await hu.with_token(None).get(f"{HERE}/api/schemas/{name}")
        assert served.content == (ROOT / "schemas" / name).read_bytes()
    for strange in (
        "",
        "alert-file",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "..%2fpyproject.toml",
        "/etc/passwd",
    ):
        answer = await hu.with_token(None).get(f"{HERE}/api/schemas/{strange}")
        assert code(answer) == (404, "E_NOT_FOUND")
    assert code(await hu.with_token(None).post(f"{HERE}/api/schemas/rules.json")) == (405, "E_METHOD")


async def test_the_reference_is_served_with_a_policy_of_its_own(hu: Interface) -> None:
    moved = await hu.with_token(None).get(f"{HERE}/api/reference")
    assert (moved.status_code, moved.headers["location"]) == (307, "/api/reference/")
    served = await hu.with_token(None).get(f"{HERE}/api/reference/")
    assert served.text.startswith("<!DOCTYPE html>")
    assert "style-src 'self'" in served.headers["content-security-policy"]
    assert served.headers["x-content-type-options"] == "nosniff"
    assert code(await hu.with_token(None).get(f"{HERE}/api/reference/none.html")) == (404, "E_NOT_FOUND")


async def test_nothing_is_kept_and_no_word_of_a_body_is_logged(hu: Interface, sent: str) -> None:
    with structlog.testing.capture_logs() as lines:
        system = await hu.system(contact_point="hu.ncp")
        opened = await system.post(f"/inbox/rs.ncp/{sent}/open", json={"officer": "Kovács"})
        await system.get("/inbox?after=SECRET-QUERY")
        await system.get("/SECRET-PATH")
    assert opened.headers["cache-control"] == "no-store"
    assert opened.headers["x-content-type-options"] == "nosniff"
    assert [line["path"] for line in lines if line["event"] == "api.answered"] == [
        *("POST /inbox/{sender}/{message_id}/open", "GET /inbox", "GET elsewhere"),
    ]
    logged = json.dumps(lines)
    assert MEMBERS["body"]["title"] not in logged
    assert "SECRET" not in logged


async def test_a_fault_of_ours_is_answered_without_words(hu: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setattr(inbox_routes, "item_summary", fail)
    system = await hu.system(contact_point="hu.ncp")
    with structlog.testing.capture_logs() as lines:
        answer = await system.get("/inbox")
    assert code(answer) == (500, "E_INTERNAL")
    assert "SECRET" not in answer.text + json.dumps(lines)
