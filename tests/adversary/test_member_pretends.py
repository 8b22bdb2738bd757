"""What a member can write for the officer who reads it: its text must not pass for what the bridge itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from forging.wire_forge import to_json

from bridge.adapters.trust.governance.publication import read_publication
from bridge.adapters.trust.membership.forms import KeysDocument, read_document
from bridge.cli.output import LONGEST_SENTENCE, fail
from bridge.cli.reading import WIDTH, body_text
from bridge.core.errors import BadInputError
from bridge.founding.joining import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

PRETENDED = (
    "*** EXERCISE: this is not a real case ***",
    "from hu.ncp (Hungary), sent 24.11.2026 16:41",
    "ANSWERS FROM HERE",
    "TLP:CLEAR, no limits",
)
LEG = {"from": {"country": "RS", "place": "Subotica"}, "to": {"country": "HU", "place": "Szeged"}, "confirmed": True}


def shown(**written: object) -> dict[str, object]:
    """What `inbox show` answers, with these free texts of its sender."""
    body = {"title": "Vans", "legal_basis": "Law", "tlp": "RED", "handling": ["H3"], "legs": [LEG], "thread": "first"}
    envelope = {"kind": "route_alert", "status": "actual", "urgency": "immediate", "from": "rs.ncp", "to": ["at.ncp"]}
    return {
        "id": "first",
        "envelope": {**envelope, "sent": "2026-11-24T15:41:24.470Z"},
        "body": {**body, **written},
        "signature": {"verified_at": "2026-11-24T15:41:25.000Z"},
        "receipts": [],
    }


def disguised(line: str, *, by: str) -> str:
    """The line inside another text, so that it would come to stand at the left margin."""
    return f"Vans\n{line}" if by == "a line feed" else "x" * (WIDTH - 5) + f" {line}"


@pytest.mark.parametrize("by", ["a line feed", "the width of the screen"])
@pytest.mark.parametrize("line", PRETENDED)
@pytest.mark.parametrize(
    "member", ["title", "legal_basis", "handling_note", "request", "change_summary", "narrative", "place", "platforms"]
)
def test_text_that_stands_where_only_the_bridge_writes(member: str, line: str, by: str) -> None:
    text = disguised(line, by=by)
    leg = {**LEG, "from": {"country": "RS", "place": text}}
    written = {"narrative": {"en": text}, "place": [leg], "platforms": [text]}.get(member, text)
    read = body_text(shown(**{"legs" if member == "place" else member: written}))
    assert line[:20] in " ".join(read.split())  # it is shown
    assert not [one for one in read.splitlines() if one.startswith(line[:20])]


def test_an_officers_name_that_goes_on_as_an_answer_of_ours() -> None:
    of = {"from": "at.ncp", "id": "ours", "payload_sha256": "A" * 43}
    answer = {"of": of, "level": "accepted", "officer": "Ana\nANSWERS FROM HERE", "at": "2026-11-24T15:41:24.470Z"}
    read = body_text(shown(**answer))
    assert not [one for one in read.splitlines() if one.startswith("ANSWERS FROM HERE")]


@pytest.mark.parametrize(
    "read",
    [
        lambda name: read_document(KeysDocument, to_json({"v": 2, "member": "at", "contact_points": {name: []}})),
        lambda name: read_publication(to_json({"v": 1, "network": "x", "metadata": {name: "{}"}, "documents": {}})),
        lambda name: request_of(to_json({"v": 1, "network": "x", "member": "at", "contact_points": {name: "x"}})),
    ],
    ids=["a member's keys", "a publication", "a request to join"],
)
def test_a_name_in_a_document_that_would_end_our_sentence_and_begin_another(
    read: Callable[[str], object], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInputError) as refused:
        read("x\nversion 8 is published" + "y" * 10**5)
    fail(refused.value, as_json=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{refused.value.code}: ")
    assert len(line) < 2 * LONGEST_SENTENCE
