"""The HTTP interface, as a national system uses it: the whole way of an alert, and an alert that is tried twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from cli_commands import ALERT, BAD, Nodes, ask, carry, say
from http_world import code, interface, key

from bridge.adapters.store.systems import SqlSystems
from bridge.core.errors import UnavailableError

MEMBERS: dict[str, Any] = json.loads(ALERT.read_text("utf-8"))
SUBMISSION = {"officer": "D. Petrović", "alert": MEMBERS}


async def pages(system: httpx.AsyncClient, **query: object) -> dict[str, Any]:
    answer = await system.get("/inbox", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_an_alert_goes_out_is_opened_and_its_answer_comes_back(nodes: Nodes) -> None:
    # given an alert that a system at the origin checks, previews and submits
    async with interface(nodes.rs) as origin:
        system = await origin.system()
        token = system.headers["authorization"].removeprefix("Bearer ")
        assert (await system.post("/validate", json=MEMBERS)).json() == {"ok": True, "errors": [], "warnings": []}
        preview = (await system.post("/preview", json=MEMBERS)).json()
        answer = await system.post("/messages", json=SUBMISSION, headers=key())
        assert answer.status_code == 201
        submitted = answer.json()
        assert answer.headers["location"] == f"/api/v1/messages/{submitted['id']}"
        assert {one["id"] for one in preview["recipients"]} == set(submitted["recipients"])
        state = (await system.get(f"/messages/{submitted['id']}")).json()
        assert {one["state"] for one in state["recipients"]} == {"pending"}
    entry = (await asyncio.to_thread(ask, "audit", "list", "--config", nodes.rs))["items"][0]
    assert (entry["actor"], entry["action"]) == ("api:system-1/D. Petrović", "message.submitted")

    # when it has arrived, it is behind what was there before
    async with interface(nodes.at) as destination:
        system = await destination.system()
        before = await pages(system)
        assert (await pages(system, after=before["next"])) == {"items": [], "next": before["next"]}
        await asyncio.to_thread(carry, nodes.rs, nodes.at, submitted["id"])
        (item,) = (await pages(system, after=before["next"], wait=5))["items"]
        assert (item["id"], item["from"], item["state"]) == (submitted["id"], "rs.ncp", "new")

        # then it can be opened, which is logged, and answered
        place = f"/inbox/{item['from']}/{item['id']}"
        opened = (await system.post(f"{place}/open", json={"officer": "M. Huber"})).json()
        assert opened["body"]["title"] == MEMBERS["body"]["title"]
        assert opened["envelope"]["from"] == "rs.ncp"
        answer = await system.post(
            f"{place}/acknowledgements", json={"officer": "M. Huber", "level": "accepted", "note": "on it"}
        )
        assert answer.status_code == 201
        states = [one["state"] for one in (await pages(system))["items"]]
        assert states == ["new", "acknowledged"]
    log = (await asyncio.to_thread(ask, "audit", "list", "--config", nodes.at))["items"]
    assert [entry["action"] for entry in log if entry["actor"] == "api:system-1/M. Huber"] == [
        *("message.acknowledged", "body.read"),
    ]
    await asyncio.to_thread(carry, nodes.at, nodes.rs, answer.json()["id"])
    async with interface(nodes.rs) as origin:
        again = origin.with_token(token)
        state = (await again.get(f"/messages/{submitted['id']}")).json()
        assert {one["id"]: one["level"] for one in state["recipients"]} == {
            **dict.fromkeys(submitted["recipients"]),
            "at.ncp": "accepted",
        }


async def test_trying_again_with_a_key_sends_nothing_twice(nodes: Nodes) -> None:
    async with interface(nodes.rs) as rs:
        system, header = await rs.system(), key()
        first = await system.post("/messages", json=SUBMISSION, headers=header)
        again = await system.post("/messages", json=SUBMISSION, headers=header)
        assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"

        # another request under it is refused, another system's key is another key
        other = {**SUBMISSION, "officer": "Somebody Else"}
        assert code(await system.post("/messages", json=other, headers=header)) == (422, "E_KEY_REUSED")
        elsewhere = await (await rs.system()).post("/messages", json=SUBMISSION, headers=header)
        assert elsewhere.json()["id"] != first.json()["id"]
    assert len(await sent_from(nodes)) == 3  # one was there before


async def test_of_many_at_once_under_one_key_one_is_sent(nodes: Nodes) -> None:
    async with interface(nodes.rs) as rs:
        system, header = await rs.system(), key()
        answers = await asyncio.gather(*(system.post("/messages", json=SUBMISSION, headers=header) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await sent_from(nodes)) == 2


async def test_what_was_refused_or_failed_leaves_the_key_free(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    # given an alert with a fault, and then a database that fails at the last moment
    async def fail(*_: object) -> None:
        raise UnavailableError("E_DATABASE", "gone")

    async with interface(nodes.rs) as rs:
        system, header = await rs.system(), key()
        faulty = {**SUBMISSION, "alert": {**MEMBERS, "urgency": "now"}}
        assert (await system.post("/messages", json=faulty, headers=header)).status_code == 422
        with monkeypatch.context() as patched:
            patched.setattr(SqlSystems, "note_submission", fail)
            failed = await system.post("/messages", json=SUBMISSION, headers=header)
        assert (code(failed), failed.headers["retry-after"]) == ((503, "E_DATABASE"), "5")
        assert len(await sent_from(nodes)) == 1

        # then the mended one is sent under the same key
        assert (await system.post("/messages", json=SUBMISSION, headers=header)).status_code == 201
    assert len(await sent_from(nodes)) == 2


async def test_every_fault_of_an_alert_is_answered_as_the_command_line_says_it(nodes: Nodes) -> None:
    async with interface(nodes.rs) as rs:
        system = await rs.system("alerts:check")
        tried = 0
        for path in sorted(BAD.glob("*.json")):
            answer = await system.post(
                "/validate", content=path.read_bytes(), headers={"content-type": "application/json"}
            )
            said = await asyncio.to_thread(say, "alert", "validate", path, "--json")
            if answer.status_code == 200:
                assert answer.json()["errors"] == [{"suggestion": None, **one} for one in said.json["errors"]]
                tried += 1
            else:  # no strict JSON: it does not get as far as the alert
                assert code(answer)[1] in {said.json["errors"][0]["code"], "E_JSON"}
    assert tried > 10


async def test_personal_data_is_asked_about(nodes: Nodes) -> None:
    personal = {**MEMBERS, "body": {**MEMBERS["body"], "narrative": {"en": "call +381641234567"}}}
    async with interface(nodes.rs) as rs:
        system = await rs.system()
        submission = {"officer": "D. Petrović", "alert": personal}
        answer = await system.post("/messages", json=submission, headers=key())
        assert (code(answer), answer.json()["path"]) == ((409, "E_PERSONAL_DATA"), "$.body.narrative.en")
        confirmed = await system.post("/messages", json={**submission, "impersonal": True}, headers=key())
        assert confirmed.status_code == 201


async def sent_from(nodes: Nodes) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await asyncio.to_thread(ask, "outbox", "list", "--config", nodes.rs))["items"]
    return items
