"""What another country's newer version says, from its sealed bytes to the officer's eyes: verified, kept, shown."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge_node import Node
from bridge_world import Sent, alert, head

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "console"), str(TESTS / "core" / "messages")]

from console_world import Browser, World  # noqa: E402 - it needs the line above
from desk_samples import desk_parts  # noqa: E402 - the same
from message_samples import SEALED, full_body  # noqa: E402 - the same

from bridge.app.receiving.outcomes import Outcome  # noqa: E402 - the same
from bridge.cli.reading import body_text  # noqa: E402 - the same
from bridge.console.language import words_of  # noqa: E402 - the same
from bridge.console.showing import shown_body  # noqa: E402 - the same

NEWER = "1.7"
SEEN = "seen by a newer version"


def sent_by(version: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Sent:
    """A message of Austria to Serbia, as a node of that version writes it."""
    with monkeypatch.context() as patched:
        patched.setattr("bridge.app.sending.make_message.schema_urn_of", lambda of: f"urn:ncp-bridge:{of}:{version}")
        return alert(sender="at.ncp", to=["rs.ncp"], body=body)


async def receive(node: Node, sent: Sent) -> list[Outcome]:
    return list(await node.receiver("rs.ncp").receive([sent.delivery(to="rs.ncp")]))


async def on_paper(node: Node, sent: Sent) -> tuple[dict[str, Any], str]:
    """What `inbox show --json` and `inbox show` print."""
    shown: dict[str, Any] = await node.reader().show(sent.id, contact_point=None, officer="Ana")
    return shown, body_text(shown)


async def in_console(node: Node, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text of the message's page."""
    monkeypatch.setattr("desk_samples.VAULT", node.vault)
    people = World(node.store, node.clock)  # type: ignore[arg-type]  # time stands still in both
    login = await people.person("duty_officer")
    browser = Browser(people.app(**desk_parts(people)), await people.session(login))
    answer = await browser.get(f"/message/at.ncp/{sent.id}")
    assert answer.status_code == 200, answer.text[:300]
    return html.unescape(re.sub(r"<[^>]*>", " ", answer.text))


def full() -> dict[str, Any]:
    """A route alert with every member that its sender writes, to be kept for as long as one may."""
    body = full_body("route_alert") | {"retain_until": head()["retain_until"]}
    return {name: value for name, value in body.items() if name not in ("salt", "thread", "references")}


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object of a body that has members of its own names: free text by language has none."""
    if isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name != "narrative":
                yield from objects(inner)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def add_everywhere(body: dict[str, Any]) -> list[str]:
    """A member more in every object there is; the values."""
    marks = []
    for number, each in enumerate(list(objects(body))):
        marks.append(f"<{SEEN}, {number}>")
        each[f"new_{number}"] = marks[-1]
    return marks


async def test_a_member_that_only_a_newer_minor_knows_is_accepted_kept_and_shown_wherever_it_stands(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    body = full()
    marks = add_everywhere(body)
    sent = sent_by(NEWER, body, monkeypatch)

    # when
    outcomes = await receive(node, sent)

    # then
    assert outcomes == [Outcome.ACCEPTED]
    assert [receipt[:2] for receipt in await node.new_receipts()] == [("delivered", None)]
    shown, text = await on_paper(node, sent)
    assert {name: shown["body"][name] for name in body} == body
    page = await in_console(node, sent, monkeypatch)
    assert len(marks) > 8
    assert [mark for mark in marks if mark not in " ".join(text.split())] == []
    assert [mark for mark in marks if mark not in page] == []


@pytest.mark.parametrize("kind", SEALED)
def test_nothing_new_in_any_kind_is_hidden(kind: str) -> None:
    body = full_body(kind)
    marks = add_everywhere(body)

    shown = shown_body(kind, body, words_of("en", "UTC"), own="RS")
    told = str([shown[part] for part in ("not_known", "victims", "facts")])
    text = body_text({"id": "0193", "envelope": {}, "body": body, "signature": {}, "receipts": []})

    assert [mark for mark in marks if mark not in told] == []
    assert [mark for mark in marks if mark not in " ".join(text.split())] == []


async def test_a_code_that_only_a_newer_minor_knows_is_shown_as_it_is(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = full()
    changed = {
        "tlp": "AMBER+2", "severity": "catastrophic", "trend": "exploding", "acts": ["advertising"],
        "exploitation": ["forced_fishing"], "displaced_from": ["QZ"],
    }  # fmt: skip
    body |= changed
    body["legs"][0]["conveyance"] = "hyperloop"
    body["legs"][0]["from"]["event"] = "advertised"
    body["victims"][0]["accompaniment"] = "with_a_pet"
    codes = ["AMBER+2", "catastrophic", "exploding", "advertising", "forced_fishing", "QZ", "hyperloop", "advertised"]
    sent = sent_by(NEWER, body, monkeypatch)

    assert await receive(node, sent) == [Outcome.ACCEPTED]

    shown, text = await on_paper(node, sent)
    page = await in_console(node, sent, monkeypatch)
    assert {name: shown["body"][name] for name in changed} == changed
    assert [code for code in (*codes, "with_a_pet") if code not in text] == []
    assert [code for code in (*codes, "with_a_pet") if code not in page] == []


@pytest.mark.parametrize(
    ("change", "version"),
    [
        (lambda body: body.update(weather="fog"), "1.0"),
        (lambda body: body.update(severity="catastrophic"), "1.0"),
    ],
)
async def test_the_same_of_our_own_version_is_refused(
    change: Callable[[dict[str, Any]], None], version: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = full()
    change(body)

    assert await receive(node, sent_by(version, body, monkeypatch)) == [Outcome.QUARANTINED]
    assert [receipt[:2] for receipt in await node.new_receipts()] == [("rejected", "E_BODY_SCHEMA")]


@pytest.mark.parametrize("version", ["2.0", "0.9"])
async def test_another_major_version_is_refused_unread_and_never_answered(
    version: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = sent_by(version, {"title": "of a form that nobody here knows"}, monkeypatch)

    assert await receive(node, sent) == [Outcome.QUARANTINED]

    (refusal,) = await node.quarantined()
    assert (refusal.code, refusal.step) == ("E_SCHEMA", 8)
    assert await node.inbox() == []
    assert await node.new_receipts() == []  # step 8: nobody is proven yet to whom an answer would be owed
