"""What goes wrong in a shift: nobody to send to, a broker that is away, a forgery, a restart."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import aio_pika
import pytest
from bridge_countries import ALERTS, Country, eventually

from bridge.settings import load_settings
from broker import Access

ALERT = "01-rs-at-construction-recruitment-agency.json"


@pytest.fixture
def beyond(tmp_path: Path) -> Path:
    """An alert whose route goes on from Austria to Italy, which is not in this network."""
    alert = json.loads((ALERTS / ALERT).read_text("utf-8"))
    last = alert["body"]["legs"][-1]
    onward = {"from": {"country": last["to"]["country"]}, "to": {"country": "IT"}, "confirmed": False}
    alert["body"]["legs"].append(onward)
    file = tmp_path / "beyond.json"
    file.write_text(json.dumps(alert), "utf-8")
    return file


def test_a_country_without_a_contact_point_is_named_and_nothing_is_sent(serbia: Country, beyond: Path) -> None:
    # given
    before = sent_from(serbia)

    # when
    plan = serbia.ask("alert", "preview", beyond)
    status, error = serbia.refuse("alert", "submit", beyond, "--yes")

    # then
    assert plan["unreachable"] == ["IT"]
    assert (status, error["code"]) == (3, "E_UNREACHABLE_COUNTRY")
    assert "Italy (IT)" in error["message"]
    assert "--partial" in error["message"]
    assert sent_from(serbia) == before


def test_partial_sends_to_the_rest(serbia: Country, austria: Country, beyond: Path) -> None:
    # when
    submitted = serbia.submit(beyond, "--partial")

    # then
    assert submitted["recipients"] == ["at.ncp", "hu.border-police", "hu.ncp"]
    austria.received(submitted["id"])


def test_status_and_doctor_find_everything_well(serbia: Country, hungary: Country) -> None:
    for country, points in ((serbia, ["rs.ncp"]), (hungary, ["hu.border-police", "hu.ncp"])):
        # when
        status, doctor = country.ask("status"), country.ask("doctor")

        # then
        assert status["ok"]
        assert doctor["ok"]
        names = [check["name"] for check in doctor["checks"]]
        assert all(check["ok"] and check["detail"] for check in doctor["checks"])
        assert {"database", "keys", "disk", "clock", "outbox", "membership list", *points} <= set(names)
        assert {f"broker account {name}" for name in ("relay", "router", *points)} <= set(names)
        assert "all is well" in country.say("doctor").out


def test_applying_the_topology_again_changes_nothing_for_a_country_that_runs(
    serbia: Country, austria: Country, broker_node: Access
) -> None:
    # when
    applied = serbia.apply_topology(broker_node.management_url)

    # then
    assert applied.keys() >= {"exchanges", "queues", "accounts"}
    assert all(count > 0 for count in applied.values())
    austria.received(serbia.submit(ALERT)["id"])


def test_doctor_names_a_broker_that_is_away(serbia: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("NCP_BRIDGE_BROKER__PORT", "1")

    # when
    said, for_people = serbia.say("doctor", "--json"), serbia.say("doctor")

    # then
    assert said.status == for_people.status == 1
    failed = [check["name"] for check in said.json["checks"] if not check["ok"]]
    assert not said.json["ok"]
    assert failed == ["broker account relay", "broker account router", "broker account rs.ncp"]
    assert "FAIL  broker account relay" in for_people.out
    assert for_people.out.splitlines()[-1].startswith("3 of ")


def test_an_alert_is_submitted_while_the_broker_is_away_and_goes_out_later(
    serbia: Country, austria: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given neither broker nor services
    assert serbia.stop() == 0
    monkeypatch.setenv("NCP_BRIDGE_BROKER__PORT", "1")

    # when
    sent = serbia.submit(ALERT)["id"]

    # then it waits
    outbox = next(check for check in serbia.ask("status")["checks"] if check["name"] == "outbox")
    assert int(outbox["detail"].split()[0]) >= 2  # one for each country
    assert serbia.recipient(sent, "at.ncp")["state"] == "pending"
    assert austria.inbox(sent) == []

    # when both are back
    monkeypatch.delenv("NCP_BRIDGE_BROKER__PORT")
    serbia.start()
    serbia.wait_ready()

    # then
    austria.received(sent)
    assert serbia.reached(sent, "at.ncp", "delivered_at")["state"] == "delivered"


def test_services_tell_that_they_are_ready_and_drain_when_asked_to_stop(austria: Country) -> None:
    # when
    status = austria.stop()
    events = [json.loads(line)["event"] for line in austria.log.read_text("utf-8").splitlines()]

    # then
    assert status == 0
    assert "service.ready" in events
    assert events.index("service.draining") > events.index("service.ready")

    # when
    austria.start()
    austria.wait_ready()

    # then
    assert austria.ask("doctor")["ok"]


def test_a_message_changed_on_the_way_is_in_quarantine_with_code_and_bytes(serbia: Country, austria: Country) -> None:
    # given a real alert, with one word of its signed part changed
    sent = serbia.submit(ALERT)["id"]
    austria.received(sent)
    forged_bytes = as_immediate(wire_bytes_of(serbia, sent))

    # when
    asyncio.run(publish(serbia, forged_bytes, sent))
    refused = eventually(lambda: [item for item in quarantined(austria) if item["size"] == len(forged_bytes)])[0]
    shown = austria.ask("quarantine", "show", refused["id"])
    text = austria.say("quarantine", "show", refused["id"]).out

    # then
    assert (refused["code"], refused["step"], refused["queue"]) == ("E_SIGNATURE", 7, "country.at.normal")
    assert base64.b64decode(shown["bytes_base64"]) == forged_bytes
    assert shown["properties"]["app_id"] == "rs.ncp"
    assert "E_SIGNATURE at step 7" in text
    assert "nothing in it proves who sent it" in text
    assert austria.ask("quarantine", "list", "--code", "E_JSON")["items"] == []
    assert len(austria.inbox(sent)) == 1
    assert austria.ask("status")["ok"]


def test_no_log_of_any_service_holds_a_word_of_a_body(serbia: Country, hungary: Country, austria: Country) -> None:
    # given an alert that was delivered, refused in a changed copy, read and answered
    sent = serbia.submit(ALERT)["id"]
    austria.received(sent)
    asyncio.run(publish(serbia, as_immediate(wire_bytes_of(serbia, sent)), sent))
    austria.ask("inbox", "show", sent)
    austria.ask("inbox", "acknowledge", sent, "--level", "accepted", "--officer", "Insp. Wiesinger")
    serbia.reached(sent, "at.ncp", "acknowledged_at")

    # when
    body = json.loads((ALERTS / ALERT).read_text("utf-8"))["body"]
    texts = [body["title"], body["request"], body["organisers"]["modus_operandi"], *body["narrative"].values()]
    words = {word.strip('.,"').casefold() for text in [*texts, "Wiesinger"] for word in text.split() if len(word) > 6}
    logs = {country.folder.name: country.log.read_text("utf-8").casefold() for country in (serbia, hungary, austria)}

    # then
    assert len(words) > 30
    assert all("service.ready" in log for log in logs.values())
    assert {name: [word for word in words if word in log] for name, log in logs.items()} == {
        "rs": [],
        "hu": [],
        "at": [],
    }


def sent_from(country: Country) -> list[str]:
    return [item["id"] for item in country.ask("outbox", "list")["items"]]


def quarantined(country: Country) -> list[dict[str, object]]:
    items: list[dict[str, object]] = country.ask("quarantine", "list")["items"]
    return items


def wire_bytes_of(country: Country, message_id: str) -> bytes:
    query = "SELECT w.wire_bytes FROM message m JOIN wire w ON w.sha256 = m.wire_sha256 WHERE m.id = ?"
    with closing(sqlite3.connect(country.folder / "node.db")) as database:
        (found,) = database.execute(query, (message_id,)).fetchone()
    assert isinstance(found, bytes)
    return found


def as_immediate(wire_bytes: bytes) -> bytes:
    """The message with another urgency, which its signature does not cover."""
    envelope = json.loads(wire_bytes)
    payload_bytes = base64.urlsafe_b64decode(envelope["payload"] + "=" * (-len(envelope["payload"]) % 4))
    changed_bytes = payload_bytes.replace(b'"urgency":"expected"', b'"urgency":"immediate"')
    assert changed_bytes != payload_bytes
    envelope["payload"] = base64.urlsafe_b64encode(changed_bytes).decode("ascii").rstrip("=")
    return json.dumps(envelope).encode("ascii")


async def publish(country: Country, wire_bytes: bytes, message_id: str) -> None:
    """As the country's own relay would, to Austria."""
    settings = load_settings(country.config)
    async with await aio_pika.connect(settings.amqp_urls(settings.broker.relay)[0]) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(f"from.{settings.prefix}", ensure=False)
        message = aio_pika.Message(
            wire_bytes, correlation_id=message_id, message_id="forged", type="route_alert", app_id="rs.ncp"
        )
        await exchange.publish(message, f"{settings.prefix}.at.normal.route_alert")
