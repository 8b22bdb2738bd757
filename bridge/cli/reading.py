"""A message as a duty officer reads it.

In this order: whether it is a real case, what may be done with it, what is asked, the route leg by leg, who is
exploited and how, how good the information is, the free text, what was answered. Nothing is left out: what this version
does not know stands at the end as it came. The salt and the digests, which say nothing to a person, are in `--json`
only.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from datetime import datetime

from bridge.app.desk.members import Members
from bridge.cli.reading_route import facts_lines, route_lines, victim_lines
from bridge.cli.wording import moment, word, words
from bridge.core.countries import KOSOVO_NOTE, country_name
from bridge.core.ids import prefix_of
from bridge.core.messages import acknowledge_within

WIDTH = 100
_GRADES = (
    (("severity", "Severity"), ("certainty", "certainty"), ("trend", "trend")),
    (("source_reliability", "Source"), ("information_accuracy", "information")),
)
_KINDS = {
    "route_alert": "ROUTE ALERT",
    "alert_update": "UPDATE OF AN ALERT",
    "alert_cancel": "AN ALERT IS CANCELLED",
    "acknowledgement": "ACKNOWLEDGEMENT",
    "directory_notice": "MEMBERSHIP LIST",
}


def body_text(shown: Mapping[str, object]) -> str:
    """The text of what `inbox show` answers."""
    envelope, body, signature = (Members(shown[name]) for name in ("envelope", "body", "signature"))
    body.take("salt")
    parts = [
        _banner(envelope),
        _unchecked(shown.get("membership_checked_at")),
        _handling(body),
        _heading(str(shown["id"]), envelope, body, received=signature.text("verified_at")),
        _section("ASKED OF YOU", _asked(body)),
        _section("WHAT CHANGED", _wrapped(body.text("change_summary"))),
        _section("CANCELLED BECAUSE", _cancelled(body)),
        _section("THE ANSWER", _answer(body)),
        _section("WHAT IS NEW IN THE LIST", _list_lines(body)),
        _section("ROUTE", route_lines(body)),
        _section("VICTIMS", victim_lines(body)),
        _section("EXPLOITATION AND HOW IT WORKS", facts_lines(body)),
        _section("THE INFORMATION", _grading(body)),
        *_narratives(body),
        _section("ANSWERS FROM HERE", _answers(shown["receipts"])),
        _section("NOT KNOWN TO THIS VERSION, AS IT CAME", list(body.left())),
    ]
    text = "\n\n".join("\n".join(part) for part in parts if part)
    return "\n".join((text, "", *_wrapped(KOSOVO_NOTE))) if "Kosovo*" in text else text


def _banner(envelope: Members) -> list[str]:
    status = envelope.text("status")
    return [] if status == "actual" else [f"*** {status.upper()}: this is not a real case ***"]


def _unchecked(checked_at: object) -> list[str]:
    if checked_at is None:
        return []
    return [f"*** membership last checked {moment(checked_at)}: its sender may have left the network since ***"]


def _handling(body: Members) -> list[str]:
    lines = [word("tlp", body.take("tlp"))]
    codes = body.take("handling")
    lines += [word("handling", code) for code in codes] if isinstance(codes, list) else []
    lines += _labelled("Note", body.text("handling_note"))
    body.take("classification")  # only unclassified travels
    lines.append(f"For {word('purpose', body.take('purpose'))}. Erased by {moment(body.take('retain_until'))}.")
    lines += _labelled("Legal basis", body.text("legal_basis"))
    return lines


def _heading(message_id: str, envelope: Members, body: Members, *, received: str) -> list[str]:
    kind, urgency = envelope.text("kind"), envelope.text("urgency")
    lines = _labelled(f"{_KINDS.get(kind, kind)}, urgency {urgency}", body.text("title"))
    sender, to = envelope.text("from"), envelope.take("to")
    lines.append(f"from {sender} ({country_name(prefix_of(sender).upper())}), sent {moment(envelope.take('sent'))}")
    lines.append(f"to {', '.join(map(str, to)) if isinstance(to, list) else to}, arrived {moment(received)}")
    within = acknowledge_within(kind, urgency)
    if within is not None:
        lines.append(f"acknowledge by {moment(datetime.fromisoformat(received) + within)}")
    lines.append(f"id {message_id}")
    thread = body.text("thread")
    lines.append("begins a thread" if thread == message_id else f"thread {thread}")
    supersedes = body.inner("supersedes")
    if "id" in supersedes:
        lines.append(f"takes the place of {_reference(supersedes)}")
    lines += [f"about {_reference(reference)}" for reference in body.objects("references")]
    body.take("language")  # each free text says its own
    return lines


def _reference(reference: Members) -> str:
    reference.take("payload_sha256")
    return f"{reference.text('id')} from {reference.text('from')}"


def _asked(body: Members) -> list[str]:
    action = body.text("recommended_action")
    lines = [f"Recommended: {word('recommended_action', action)}"] if action not in ("", "none") else []
    return lines + _wrapped(body.text("request"))


def _cancelled(body: Members) -> list[str]:
    reason = body.text("reason")
    return [word("alert_cancel.reason", reason), *_wrapped(body.text("note"))] if reason else []


def _answer(body: Members) -> list[str]:
    if "level" not in body:
        return []
    level = word("acknowledgement.level", body.take("level"))
    lines = [f"{level}: {body.text('officer')}, {moment(body.take('at'))}"]
    lines.append(f"to {_reference(body.inner('of'))}")
    redirect = body.text("redirect_to")
    lines += [f"ask {redirect} instead"] if redirect else []
    return lines + _labelled("Note", body.text("note"))


def _list_lines(body: Members) -> list[str]:
    if "changes" not in body:
        return []
    lines = [f"version {body.text('version')}, confirmed {moment(body.take('effective'))}"]
    for change in body.objects("changes"):
        code, who = word("directory_change", change.take("code")), change.text("who")
        lines.append(f"{code}: {who}" if who else code)
    files = body.inner("files")
    if "packed" in files:
        files.take("packed")  # taken already, by this node
        lines.append(f"with the files for whoever has version {files.text('since')} or a later one")
    return lines


def _grading(body: Members) -> list[str]:
    if "certainty" not in body and "source_reliability" not in body and "trend" not in body:
        return []
    lines = [
        "; ".join(f"{label} {word(name, body.take(name)) or 'not stated'}" for name, label in part) for part in _GRADES
    ]
    displaced = words("country", body.take("displaced_from"))
    return lines + ([f"Moved here from the corridor {displaced}"] if displaced else [])


def _narratives(body: Members) -> list[list[str]]:
    narrative = body.take("narrative")
    texts = narrative.items() if isinstance(narrative, Mapping) else ()
    return [_section(f"NARRATIVE ({language})", _wrapped(str(text))) for language, text in texts]


def _answers(receipts: object) -> list[str]:
    lines = []
    for receipt in map(Members, receipts if isinstance(receipts, list) else ()):
        if receipt.take("kind") == "receipt":
            line = f"{moment(receipt.take('at'))}  signed receipt: {receipt.text('state')}"
        else:
            level = word("acknowledgement.level", receipt.take("level"))
            line = f"{moment(receipt.take('at'))}  {level}, {receipt.text('officer')} (answer {receipt.text('answer')})"
        lines.append("; ".join((line, *receipt.left())))
    return sorted(lines)


def _section(heading: str, lines: Iterable[str]) -> list[str]:
    listed = [part for line in lines for part in line.splitlines() if part]
    return [heading, *(f"  {part}" for part in listed)] if listed else []


def _wrapped(text: str) -> list[str]:
    return [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, WIDTH) or [""]]


def _labelled(label: str, text: str) -> list[str]:
    """One paragraph behind a word of ours, and indented where it goes on."""
    return textwrap.wrap(f"{label}: {text}", WIDTH, subsequent_indent="  ") if text else []
