"""What a duty officer sees of a message: marks first, words instead of codes, nothing left out, nothing obeyed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli_commands import ALERTS, Nodes, say

from bridge.cli.options import on_node
from bridge.cli.output import emit_line, printable, table
from bridge.cli.reading import body_text
from bridge.compose.node import Node

SAMPLES = sorted(ALERTS.glob("[0-9]*.json"))
ENVELOPE = {
    "from": "rs.ncp",
    "to": ["at.ncp", "hu.ncp"],
    "sent": "2026-11-24T15:41:24.470Z",
}


def shown(file: Path | str, **changed: object) -> dict[str, Any]:
    """What `inbox show` would answer for a sample."""
    alert = json.loads((ALERTS / file).read_text("utf-8"))
    envelope = {name: alert[name] for name in ("kind", "status", "urgency")}
    travelling = {
        "salt": "c2FsdA",
        "thread": "0193-first",
        "references": [],
        "retain_until": "2027-02-22T15:41:24.465Z",
    }
    return {
        "id": "0193-this",
        "envelope": {**envelope, **ENVELOPE},
        "body": {**travelling, **alert["body"], **changed},
        "signature": {"verified_at": "2026-11-24T15:41:25.000Z"},
        "receipts": [
            {"kind": "receipt", "state": "delivered", "at": "2026-11-24T15:41:25.000Z"},
            {
                "kind": "acknowledgement",
                "level": "forwarded_nationally",
                "officer": "Insp. Maier",
                "at": "2026-11-24T16:00:00.000Z",
                "answer": "0193-answer",
            },
        ],
    }


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem[:2])
def test_no_sample_is_shown_as_json_or_with_something_left_over(file: Path) -> None:
    text = body_text(shown(file))

    assert not set("{}[]") & set(text)
    assert "NOT KNOWN" not in text
    assert "None" not in text
    assert "c2FsdA" not in text
    body = json.loads(file.read_text("utf-8"))["body"]
    flat = " ".join(text.split())
    for written in [body["title"], body.get("request", ""), *body.get("narrative", {}).values()]:
        assert " ".join(written.split()) in flat


def test_handling_marks_stand_before_everything_else() -> None:
    text = body_text(shown(SAMPLES[0], tlp="AMBER+STRICT", handling=["H1", "H3"], handling_note="Ask first."))

    assert text.splitlines()[:4] == [
        "TLP:AMBER+STRICT, within your own organisation, for those who need to know",
        "H1, not in court without the sender's permission",
        "H3, restricted as follows",
        "Note: Ask first.",
    ]


def test_an_exercise_says_so_before_anything_else() -> None:
    text = body_text(shown("26-me-de-domestic-work-exercise.json"))

    assert text.splitlines()[0] == "*** EXERCISE: this is not a real case ***"


def test_the_route_is_an_itinerary_in_words() -> None:
    text = body_text(shown("07-xk-at-unaccompanied-children-on-foot.json"))

    assert "1. Podujevë, Kosovo* (recruitment)  ->  Kuršumlija, Serbia (transit)   CONFIRMED" in text
    assert "on foot; over the green border: Merdare" in text
    assert "2. Kuršumlija, Serbia  ->  Kelebia, Hungary   SUSPECTED" in text
    assert "by road, taxi; over the green border: Kelebija - Tompa" in text
    assert "EXPECTED 2026-11-25 00:00 UTC to" in text
    assert "UNSCR 1244" in text


def test_children_are_named_before_the_groups_of_victims() -> None:
    lines = body_text(shown("07-xk-at-unaccompanied-children-on-foot.json")).splitlines()

    begin = lines.index("VICTIMS")
    assert lines[begin + 1 : begin + 3] == [
        "  CHILDREN INVOLVED",
        "  2-5, male, aged 9-17, unaccompanied, nationality Kosovo*",
    ]


def test_until_when_to_acknowledge_follows_from_arrival_and_urgency() -> None:
    assert "acknowledge by 2026-11-24 16:41 UTC" in body_text(shown("02-al-it-sexual-ferry.json"))
    assert "acknowledge by 2026-11-25 03:41 UTC" in body_text(shown(SAMPLES[0]))


def test_an_update_names_what_it_replaces_and_what_changed() -> None:
    earlier = {"from": "rs.ncp", "id": "0193-first", "payload_sha256": "x"}
    text = body_text(shown("30-al-it-sexual-onward-to-germany.json", supersedes=earlier, references=[earlier]))

    assert "UPDATE OF AN ALERT, urgency immediate" in text
    assert "takes the place of 0193-first from rs.ncp" in text
    assert "thread 0193-first" in text
    assert text.index("WHAT CHANGED") < text.index("ROUTE\n")


def test_answers_from_here_carry_the_officer() -> None:
    text = body_text(shown(SAMPLES[0]))

    assert "2026-11-24 16:00 UTC  forwarded nationally, Insp. Maier (answer 0193-answer)" in text
    assert "2026-11-24 15:41 UTC  signed receipt: delivered" in text


def test_what_a_newer_version_added_is_shown_as_it_came() -> None:
    # given
    message = shown(SAMPLES[0], seizures=[{"what": "phones", "count": 3}], exploitation=["forced_fishing"])
    message["body"]["legs"][0]["drone_seen"] = True
    message["body"]["victims"][1]["health"] = "unknown_yet"

    # when
    text = body_text(message)

    # then
    assert "Exploitation: forced_fishing" in text
    assert text.partition("NOT KNOWN TO THIS VERSION, AS IT CAME\n")[2].splitlines() == [
        '  seizures: [{"what": "phones", "count": 3}]',
        "  legs[0].drone_seen: true",
        "  victims[1].health: unknown_yet",
    ]


def test_what_would_move_a_terminal_is_made_visible() -> None:
    assert printable("a\x1b[2Jb\x07c\x9b1md\u202ee\rf") == r"a\x1b[2Jb\x07c\x9b1md\u202ee\rf"
    assert printable("Leskovac, Беч\n\tĐorđe") == "Leskovac, Беч\n\tĐorđe"


def test_what_would_move_a_terminal_is_escaped_in_json_and_reads_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    # given text with a C1 control character and marks that turn the direction of writing
    data = {"title": "a\x9b1md\u202ee\u061cf Беч"}

    # when it is printed for a machine
    emit_line(data)

    # then none of them is in it, and the object is the same
    printed = capsys.readouterr().out
    assert not set("\x9b\u202e\u061c") & set(printed)
    assert "Беч" in printed
    assert json.loads(printed) == data


def test_a_row_of_a_table_stays_one_row() -> None:
    assert len(table(("id", "sent_at"), [["one\ntwo", None]]).splitlines()) == 2
    assert table(("id", "sent_at"), []) == "(none)"
    assert table(("id", "sent_at"), [["x", 1]]).splitlines()[0] == "ID  SENT AT"


def test_a_refused_message_does_not_reach_the_terminal_with_its_properties(nodes: Nodes, refused: str) -> None:
    text = say("quarantine", "show", refused, "--config", nodes.at).out

    assert "\x1b" not in text
    assert r"\u001b[2Jclear" in text
    assert "E_JSON at step 2" in text
    assert "nothing in it proves who sent it" in text


def test_the_inbox_puts_first_what_waits_for_an_answer(nodes: Nodes, sent: str) -> None:
    # given
    answered = ("inbox", "acknowledge", sent, "--contact-point", "hu.border-police", "--level", "accepted")
    say(*answered, "--officer", "Nagy", "--config", nodes.hu)

    # when
    lines = say("inbox", "list", "--config", nodes.hu).out.splitlines()

    # then
    assert [line.split()[1] for line in lines[1:3]] == ["hu.ncp", "hu.border-police"]
    assert lines[3] == "1 of 2 wait for an answer"


def test_the_outbox_says_what_is_still_open(nodes: Nodes, sent: str) -> None:
    text = say("outbox", "show", sent, "--config", nodes.rs).out

    assert text.startswith("route_alert, actual, urgency expected, from rs.ncp\n")
    assert "at.ncp has not confirmed that it arrived" in text


def test_the_outbox_says_who_was_stopped_and_what_that_means(
    nodes: Nodes, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a list that stops two recipients, of which one was to be sent to yet
    stops = {"at.ncp": "E_RECIPIENT_SUSPENDED", "hu.ncp": "E_RECIPIENT_GONE"}
    monkeypatch.setattr("bridge.cli.outbox.stop_code", lambda _, identifier: stops.get(identifier))

    async def stop(node: Node) -> None:
        async with node.store.writing() as unit:
            await unit.ledger.mark_stopped([(sent, "hu.ncp", stops["hu.ncp"])])

    on_node(nodes.rs, stop)

    # when
    lines = say("outbox", "show", sent, "--config", nodes.rs).out.splitlines()

    # then
    assert "at.ncp has not confirmed that it arrived; nothing more is sent to it: it was suspended" in lines
    assert "hu.ncp was not sent to: it is in the membership list no more" in lines


def test_status_ends_with_the_verdict(nodes: Nodes) -> None:
    good, bad = say("status", "--config", nodes.rs), say("doctor", "--config", nodes.rs)

    assert good.out.splitlines()[-1] == "all is well"
    assert bad.status == 1
    assert re.match(r"3 of \d+ checks failed: broker account relay, ", bad.out.splitlines()[-1])
