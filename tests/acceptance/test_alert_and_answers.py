"""What duty officers do in a shift: send, read, answer, and see at the origin what became of it."""

from __future__ import annotations

import getpass
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from bridge_countries import ALERTS, Country, eventually

from bridge.core.times import parse_time

ALERT = "01-rs-at-construction-recruitment-agency.json"  # Serbia, over Röszke to Hungary, to Austria
RECIPIENTS = ["at.ncp", "hu.border-police", "hu.ncp"]


@pytest.fixture
def sent(serbia: Country) -> str:
    """An alert that Serbia has just submitted."""
    message_id: str = serbia.submit(ALERT)["id"]
    return message_id


def reads_in_the_log(country: Country, message_id: str) -> list[tuple[str, str]]:
    """(who, at which contact point) for every logged read of a body."""
    query = "SELECT actor, contact_point FROM audit WHERE action = 'body.read' AND subject = ? ORDER BY position"
    with closing(sqlite3.connect(country.folder / "node.db")) as database:
        return database.execute(query, (message_id,)).fetchall()


def test_preview_names_who_would_receive_it_and_submit_sends_it_to_exactly_these(serbia: Country) -> None:
    # when
    plan = serbia.ask("alert", "preview", ALERTS / ALERT)
    submitted = serbia.submit(ALERT)

    # then
    rules = {recipient["id"]: (recipient["country"], recipient["rule"]) for recipient in plan["recipients"]}
    assert rules == {
        "at.ncp": ("AT", "national_desk"),
        "hu.border-police": ("HU", "remit"),
        "hu.ncp": ("HU", "national_desk"),
    }
    assert all(recipient["reason"] for recipient in plan["recipients"])
    assert submitted["recipients"] == RECIPIENTS
    assert submitted["thread"] == submitted["id"]


def test_an_alert_is_sent_delivered_and_acknowledged_with_times_and_level(
    serbia: Country, austria: Country, sent: str
) -> None:
    # given it has arrived
    (arrived,) = austria.received(sent)
    assert (arrived["from"], arrived["kind"], arrived["state"]) == ("rs.ncp", "route_alert", "new")

    # when the officer answers
    answer = austria.ask("inbox", "acknowledge", sent, "--level", "accepted", "--officer", "Insp. Maier")

    # then the origin sees it all, one after the other
    line = serbia.reached(sent, "at.ncp", "acknowledged_at")
    assert (line["state"], line["level"], line["code"]) == ("delivered", "accepted", None)
    times = [parse_time(line[name]) for name in ("sent_at", "delivered_at", "acknowledged_at")]
    assert times == sorted(times)
    assert (answer["of"], answer["level"]) == (sent, "accepted")
    assert austria.inbox(sent)[0]["state"] == "acknowledged"


def test_the_answer_carries_the_name_of_the_officer(serbia: Country, austria: Country, sent: str) -> None:
    # given
    austria.received(sent)
    answer = austria.ask(
        *("inbox", "acknowledge", sent, "--level", "forwarded_nationally"),
        *("--officer", "Insp. Maier", "--note", "An die Grenzpolizei"),
    )

    # when
    (item,) = serbia.received(answer["id"])
    shown = serbia.ask("inbox", "show", answer["id"])
    text = serbia.say("inbox", "show", answer["id"]).out

    # then
    assert (item["kind"], item["from"], item["of"]) == ("acknowledgement", "at.ncp", sent)
    assert shown["body"]["officer"] == "Insp. Maier"
    assert "forwarded nationally: Insp. Maier" in text
    assert "An die Grenzpolizei" in text


def test_a_contact_point_that_is_not_competent_names_another(serbia: Country, hungary: Country, sent: str) -> None:
    # given
    eventually(lambda: len(hungary.inbox(sent)) == 2)

    # when
    answer = hungary.ask(
        *("inbox", "acknowledge", sent, "--contact-point", "hu.ncp", "--level", "not_competent"),
        *("--redirect-to", "hu.border-police", "--officer", "Kovács"),
    )

    # then
    line = serbia.reached(sent, "hu.ncp", "acknowledged_at")
    assert line["level"] == "not_competent"
    serbia.received(answer["id"])
    assert serbia.ask("inbox", "show", answer["id"])["body"]["redirect_to"] == "hu.border-police"
    assert serbia.recipient(sent, "hu.border-police")["acknowledged_at"] is None


def test_two_contact_points_of_a_country_receive_it_and_each_has_its_own_copy(hungary: Country, sent: str) -> None:
    # given
    eventually(lambda: len(hungary.inbox(sent)) == 2)

    # when nobody says whose copy is meant
    status, error = hungary.refuse("inbox", "show", sent)

    # then
    assert (status, error["code"]) == (2, "E_CONTACT_POINT")
    assert "hu.border-police or hu.ncp" in error["message"]

    # when somebody does
    hungary.ask("inbox", "show", sent, "--contact-point", "hu.border-police", "--officer", "Nagy")

    # then only that copy has been read
    states = {item["contact_point"]: item["state"] for item in hungary.inbox(sent)}
    assert states == {"hu.border-police": "read", "hu.ncp": "new"}
    assert reads_in_the_log(hungary, sent) == [("Nagy", "hu.border-police")]


def test_every_read_of_a_body_is_logged_with_who_read(austria: Country, sent: str) -> None:
    # given
    austria.received(sent)
    assert reads_in_the_log(austria, sent) == []

    # when
    austria.ask("inbox", "show", sent, "--officer", "Insp. Maier")
    austria.ask("inbox", "show", sent)
    austria.say("inbox", "show", sent)
    austria.ask("inbox", "list")

    # then a list is no read, and without a name it is the login's
    login = getpass.getuser()
    assert reads_in_the_log(austria, sent) == [("Insp. Maier", "at.ncp"), (login, "at.ncp"), (login, "at.ncp")]


def test_what_is_shown_is_what_was_sent(austria: Country, sent: str) -> None:
    # given
    written = json.loads((ALERTS / ALERT).read_text("utf-8"))
    austria.received(sent)

    # when
    shown = austria.ask("inbox", "show", sent)

    # then
    assert {name: shown["body"][name] for name in written["body"]} == written["body"]
    assert shown["envelope"]["to"] == RECIPIENTS
    assert shown["signature"]["verified"] is True
    assert shown["signature"]["kids"] == ["rs.ncp#sig-2026a"]
    assert [receipt["state"] for receipt in shown["receipts"]] == ["delivered"]


def test_an_officer_reads_the_marks_before_the_request_and_the_request_before_the_route(
    austria: Country, sent: str
) -> None:
    # given
    austria.received(sent)

    # when
    text = austria.say("inbox", "show", sent).out

    # then
    said = ["TLP:AMBER", "ROUTE ALERT", "from rs.ncp (Serbia)", "acknowledge by", "ASKED OF YOU", "ROUTE\n", "VICTIMS"]
    assert [text.find(part) for part in said] == sorted(text.find(part) for part in said)
    assert "Leskovac, Serbia (recruitment)  ->  Szeged, Hungary (transit)   CONFIRMED" in text
    assert "{" not in text


def test_an_update_and_a_cancellation_go_to_whoever_had_the_alert(
    serbia: Country, hungary: Country, austria: Country, sent: str, tmp_path: Path
) -> None:
    # given an update whose route no longer touches Austria, and a cancellation
    update = json.loads((ALERTS / ALERT).read_text("utf-8"))
    update["kind"] = "alert_update"
    update["body"]["change_summary"] = "The group turned back in Szeged."
    update["body"]["legs"] = update["body"]["legs"][:1]
    (tmp_path / "update.json").write_text(json.dumps(update), "utf-8")

    # when
    updated = serbia.submit(tmp_path / "update.json", "--supersedes", sent)
    cancelled = serbia.submit("32-rs-me-hospitality-disrupted.json", "--supersedes", updated["id"])

    # then
    assert updated["recipients"] == cancelled["recipients"] == RECIPIENTS
    assert updated["thread"] == cancelled["thread"] == sent
    (item,) = austria.received(cancelled["id"])
    assert (item["kind"], item["thread"], item["supersedes"]) == ("alert_cancel", sent, updated["id"])
    eventually(lambda: len(hungary.inbox(cancelled["id"])) == 2)


def test_only_whoever_sent_an_alert_updates_it(austria: Country, sent: str) -> None:
    # given
    austria.received(sent)

    # when
    status, error = austria.refuse(
        "alert", "submit", ALERTS / "32-rs-me-hospitality-disrupted.json", "--supersedes", sent
    )

    # then
    assert (status, error["code"], error["path"]) == (3, "E_UNKNOWN_MESSAGE", "$.supersedes")


def test_what_a_member_could_have_read_is_told_by_every_node_that_sent_to_it(
    serbia: Country, austria: Country, sent: str
) -> None:
    # given
    (arrived,) = austria.received(sent)
    serbia.reached(sent, "at.ncp", "delivered_at")

    # when
    at_the_sender = serbia.ask("network", "exposure", "AT")
    at_the_member_itself = austria.ask("network", "exposure", "RS")

    # then
    (line,) = (message for message in at_the_sender["sent"] if message["id"] == sent)
    assert (line["from"], line["to"], line["kind"], line["state"]) == ("rs.ncp", "at.ncp", "route_alert", "delivered")
    assert [kid.partition("#")[0] for kid in line["sealed_to"]] == ["at.ncp"]
    assert parse_time(line["published_at"]) <= parse_time(line["delivered_at"])
    assert at_the_sender["readable"] == len(at_the_sender["sent"])
    assert sent in [message["id"] for message in at_the_member_itself["received"]]
    assert "E_MEMBER" in serbia.refuse("network", "exposure", "ZZ")[1]["code"]
    assert arrived["id"] == sent
