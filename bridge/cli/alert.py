"""`ncp-bridge alert`: check a file, see who would get it and why, submit it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.sending.send import Draft, Submitted, check_plan
from bridge.app.sending.submit import alert_of
from bridge.cli.options import Config, InputFile, on_node, one_contact_point, read_alert
from bridge.cli.output import Json, emit, say, table
from bridge.compose.node import Node
from bridge.core.countries import KOSOVO_NOTE, country_label, country_name
from bridge.core.errors import BadInputError, Problem, RefusedError
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.privacy import Finding, find_personal_data
from bridge.core.wire import strict_json

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Sender = Annotated[
    str | None,
    typer.Option("--from", metavar="ID", help="The sending contact point; needed when the node hosts several."),
]
Supersedes = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The version that an update or cancellation replaces; wins over the file."),
]


@app.command()
def validate(file: InputFile, as_json: Json = False) -> None:
    """Check an alert file: every problem with its path, what was found and what was expected. Needs no node."""
    alert = read_alert_file(read_alert(file))
    problems = alert if isinstance(alert, tuple) else ()
    warnings = [] if isinstance(alert, tuple) else [finding.sentence() for finding in _findings(alert)]
    data = {"ok": not problems, "errors": [_problem(problem) for problem in problems], "warnings": warnings}

    def text() -> str:
        if problems:
            return "\n".join(f"{problem.code}: {problem.sentence()}" for problem in problems)
        return "\n".join(["valid", *(f"look at {warning}" for warning in warnings)])

    emit(data, as_json=as_json, text=text)
    raise typer.Exit(BadInputError.exit_status if problems else 0)


@app.command()
def preview(
    file: InputFile, config: Config, sender: Sender = None, supersedes: Supersedes = None, as_json: Json = False
) -> None:
    """Show who would receive an alert, which rule says so, and who would not. Sends nothing."""
    alert = _read(file, supersedes)

    async def work(node: Node) -> Draft:
        submitting = await node.submitting()
        return await submitting.prepare(alert, sender=one_contact_point(node, sender, option="--from"))

    draft = on_node(config, work)
    emit(_plan(draft), as_json=as_json, text=lambda: _plan_text(draft))


@app.command()
def submit(
    file: InputFile,
    config: Config,
    sender: Sender = None,
    supersedes: Supersedes = None,
    partial: Annotated[bool, typer.Option(help="Send to the rest when a country cannot be reached.")] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask; also confirms what looks like personal data.")] = False,
    as_json: Json = False,
) -> None:
    """Send an alert: shows the recipients and asks, then signs, seals and puts it into the outbox."""
    alert = _read(file, supersedes)

    async def work(node: Node) -> Submitted:
        contact_point = one_contact_point(node, sender, option="--from")
        submitting = await node.submitting()
        draft = await submitting.prepare(alert, sender=contact_point)
        say(_plan_text(draft))
        check_plan(draft.plan, partial=partial)
        _confirm(draft, yes=yes, from_terminal=file != "-" and sys.stdin.isatty())
        return await submitting.sending.send(draft, sender=contact_point, partial=partial)

    submitted = on_node(config, work)
    data = {
        "id": submitted.id,
        "thread": submitted.thread,
        "recipients": list(submitted.recipients),
        "payload_sha256": submitted.payload_sha256,
    }
    emit(
        data,
        as_json=as_json,
        text=lambda: f"submitted {submitted.id}; the outbox delivers it: outbox show {submitted.id}",
    )


def _read(file: str, supersedes: str | None) -> AlertFile:
    data = read_alert(file)
    if supersedes is not None:
        data = _superseding(data, supersedes)
    return alert_of(data)


def _superseding(data: bytes, supersedes: str) -> bytes:
    try:
        return strict_json.encode({**strict_json.parse_object(data), "supersedes": supersedes})
    except strict_json.StrictJsonError:
        return data  # read_alert_file says what is wrong with it


def _confirm(draft: Draft, *, yes: bool, from_terminal: bool) -> None:
    if yes:
        return
    if not from_terminal:
        if draft.findings:
            sentence = draft.findings[0].sentence() + " with --yes"
            raise RefusedError("E_PERSONAL_DATA", sentence, path=draft.findings[0].path)
        return
    if not typer.confirm(f"Send this {draft.kind} to {len(draft.plan.recipients)} contact points?", err=True):
        raise RefusedError("E_NOT_CONFIRMED", "nothing was sent")


def _findings(alert: AlertFile) -> tuple[Finding, ...]:
    return find_personal_data(alert.body.model_dump(mode="json", by_alias=True))


def _plan(draft: Draft) -> Mapping[str, object]:
    plan = draft.plan
    return {
        "recipients": [
            {
                "id": recipient.id,
                "country": recipient.country,
                "roles": list(recipient.roles),
                "rule": recipient.rule,
                "reason": recipient.reason,
            }
            for recipient in plan.recipients
        ],
        "excluded": [{"id": exclusion.id, "reason": exclusion.reason} for exclusion in plan.excluded],
        "unreachable": list(plan.unreachable),
        "warnings": [finding.sentence() for finding in draft.findings],
    }


def _plan_text(draft: Draft) -> str:
    plan = draft.plan
    rows = [
        [item.id, country_name(item.country), " ".join(item.roles), item.rule, item.reason] for item in plan.recipients
    ]
    lines = [table(("recipient", "country", "roles", "rule", "why"), rows)]
    lines += [f"not to {exclusion.id}: {exclusion.reason}" for exclusion in plan.excluded]
    lines += [f"nobody can be reached in {country_label(country)}" for country in plan.unreachable]
    lines += [f"look at {finding.sentence()}" for finding in draft.findings]
    lines += [KOSOVO_NOTE] if "Kosovo*" in "".join(lines) else []
    return "\n".join(lines)


def _problem(problem: Problem) -> Mapping[str, str]:
    found = {"path": problem.path, "found": problem.found, "expected": problem.expected, "code": problem.code}
    return found | ({"suggestion": problem.suggestion} if problem.suggestion else {})
