"""What a service logs: one JSON object a line, known fields only, nothing from a message or an address."""

from __future__ import annotations

import json
import logging

import pytest

from bridge.telemetry.logs import MAX_TEXT, allow_fields, configure_logs


def test_a_field_that_is_not_known_is_withheld() -> None:
    # given an event with a known field and a member of a body
    event = allow_fields(None, "info", {"event": "alert.accepted", "code": "E_SIZE", "narrative": "a village"})

    # then the known one is there, and nothing of the other but its name
    assert event == {"event": "alert.accepted", "code": "E_SIZE", "narrative": "withheld"}


def test_text_is_cut_and_loses_what_moves_a_terminal() -> None:
    # given a detail with control characters, and one without end
    event = allow_fields(None, "info", {"event": "x.y", "detail": "a\x1b[2Jb\r\nc", "reason": "z" * 5000})

    # then neither breaks a line, nor fills a disk
    assert event["detail"] == "a [2Jb  c"
    assert event["reason"] == "z" * MAX_TEXT


def test_a_librarys_warning_is_one_line_without_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    # given the logs of a service
    configure_logs()

    # when a library warns of an address with a password in it
    logging.getLogger("some.library").warning("cannot reach %s", "amqp://rs-relay:secret@broker")

    # then its wording is told, and no value
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["name"], line["detail"]) == ("library.warned", "some.library", "cannot reach %s")
    assert "secret" not in json.dumps(line)
