"""`ncp-bridge draft`: alerts that are written, and released by a second person; as the console does it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from bridge.app.accounts.sign_in import Person, person_of
from bridge.app.desk.checking import Checked, recipients_key
from bridge.app.desk.drafts import OPEN, OpenDraft, Written, check_state
from bridge.app.desk.releasing import ReleaseAlerts
from bridge.app.sending.send import Draft, Submitted
from bridge.cli.options import Config, InputFile, officer_or_login, on_node, read_alert
from bridge.cli.output import Json, emit, say, table
from bridge.compose.console import drafts_of, releasing_of
from bridge.compose.node import Node
from bridge.core.countries import country_label
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.times import format_time
from bridge.core.wire import strict_json
from bridge.ports.store.drafts import RELEASED, SUBMITTED

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

DraftId = Annotated[str, typer.Argument(metavar="ID", help="The draft's id, as `draft list` shows it.")]
Officer = Annotated[
    str | None, typer.Option("--officer", metavar="LOGIN", help="Whose account acts. Default: this login.")
]
Yes = Annotated[bool, typer.Option(help="Do not ask; also confirms what looks like personal data.")]


@app.command()
def add(file: InputFile, config: Config, officer: Officer = None, as_json: Json = False) -> None:
    """Begin a draft from an alert file, however incomplete."""
    try:
        document = strict_json.parse_object(read_alert(file))
    except strict_json.StrictJsonError as error:
        raise BadInputError("E_JSON", f"{file}: expected one strict JSON object ({error.for_author})") from None

    async def work(node: Node) -> OpenDraft:
        return await drafts_of(node).begin(await _person(node, officer), Written(document))

    draft = on_node(config, work)
    emit(_told(draft), as_json=as_json, text=lambda: f"draft {draft.record.id}; nothing is sent")


@app.command("list")
def list_drafts(config: Config, officer: Officer = None, as_json: Json = False) -> None:
    """List the drafts of the officer's contact point. The look is logged."""

    async def work(node: Node) -> Sequence[OpenDraft]:
        return await drafts_of(node).list(await _person(node, officer))

    told = [_told(draft) for draft in on_node(config, work)]
    columns = ("id", "kind", "state", "author", "changed_at", "title")
    rows = [[str(one[key]) for key in columns] for one in told]
    emit({"items": told}, as_json=as_json, text=lambda: table(columns, rows))


@app.command()
def show(draft_id: DraftId, config: Config, officer: Officer = None, as_json: Json = False) -> None:
    """Open a draft: what is written, what stands against sending it, who would receive it. The look is logged."""

    async def work(node: Node) -> tuple[OpenDraft, Checked]:
        person = await _person(node, officer)
        releasing = await releasing_of(node)
        draft = await releasing.drafts.open(draft_id, person)
        if draft.record.state == RELEASED:
            return draft, Checked()
        return draft, await releasing.check(draft.written, sender=draft.record.contact_point)

    draft, checked = on_node(config, work)
    against = _against(checked)
    recipients = [recipient.id for recipient in checked.draft.plan.recipients] if checked.draft else []
    data = {**_told(draft), "document": draft.written.document, "against": against, "recipients": recipients}

    def text() -> str:
        lines = [f"{draft.record.kind} by {draft.record.author}, {draft.record.state}: {draft.written.title}"]
        lines += [f"returned: {draft.written.note}"] if draft.written.note else []
        return "\n".join([*lines, *(f"to {to}" for to in recipients), *against])

    emit(data, as_json=as_json, text=text)


@app.command()
def submit(draft_id: DraftId, config: Config, officer: Officer = None, yes: Yes = False, as_json: Json = False) -> None:
    """Ask for a draft's release by a second person."""

    async def work(node: Node) -> OpenDraft:
        person, releasing = await _person(node, officer), await releasing_of(node)
        draft = await releasing.drafts.open(draft_id, person)
        if yes:
            draft = await _confirm(releasing, draft, person)
        return await releasing.submit(draft_id, person, revision=draft.record.revision)

    draft = on_node(config, work)
    emit(_told(draft), as_json=as_json, text=lambda: f"draft {draft_id} waits for its release; nothing is sent yet")


@app.command()
def release(
    draft_id: DraftId,
    config: Config,
    officer: Officer = None,
    emergency: Annotated[
        str | None, typer.Option(metavar="REASON", help="The author sends it alone; an approver reviews it afterwards.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Release a submitted draft as its second person: shows the recipients and asks, then sends."""

    async def work(node: Node) -> Submitted:
        person, releasing = await _person(node, officer), await releasing_of(node)
        draft = await releasing.drafts.open(draft_id, person)
        check_state(draft.record, (SUBMITTED,) if emergency is None else OPEN)
        if emergency is not None and yes:
            draft = await _confirm(releasing, draft, person)
        ready = (await releasing.check(draft.written, sender=draft.record.contact_point)).ready()
        _ask(ready, yes=yes)
        revision = draft.record.revision
        if emergency is not None:
            return await releasing.release_in_emergency(draft_id, person, revision=revision, reason=emergency)
        return await releasing.release(draft_id, person, revision=revision, recipients=recipients_key(ready.plan))

    submitted = on_node(config, work)
    data = {"id": submitted.id, "thread": submitted.thread, "recipients": list(submitted.recipients)}
    emit(data, as_json=as_json, text=lambda: f"released as {submitted.id}; the outbox delivers it")


@app.command("return")
def return_draft(
    draft_id: DraftId,
    config: Config,
    note: Annotated[str, typer.Option(help="What is missing.")],
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Give a submitted draft back to its author."""

    async def work(node: Node) -> OpenDraft:
        person, releasing = await _person(node, officer), await releasing_of(node)
        draft = await releasing.drafts.open(draft_id, person)
        return await releasing.return_to_author(draft_id, person, revision=draft.record.revision, note=note)

    draft = on_node(config, work)
    emit(_told(draft), as_json=as_json, text=lambda: f"draft {draft_id} is back with {draft.record.author}")


@app.command()
def review(
    draft_id: DraftId,
    config: Config,
    note: Annotated[str, typer.Option(help="What there is to say about it.")] = "",
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Say that you have looked at what left in an emergency."""

    async def work(node: Node) -> None:
        person, releasing = await _person(node, officer), await releasing_of(node)
        draft = await releasing.drafts.open(draft_id, person)
        await releasing.review(draft_id, person, revision=draft.record.revision, note=note)

    on_node(config, work)
    emit({"id": draft_id, "reviewed": True}, as_json=as_json, text=lambda: f"draft {draft_id} is reviewed")


@app.command()
def discard(draft_id: DraftId, config: Config, officer: Officer = None, as_json: Json = False) -> None:
    """Destroy a draft of your own."""

    async def work(node: Node) -> None:
        person, drafts = await _person(node, officer), drafts_of(node)
        draft = await drafts.open(draft_id, person)
        await drafts.discard(draft_id, person, revision=draft.record.revision)

    on_node(config, work)
    emit({"id": draft_id, "discarded": True}, as_json=as_json, text=lambda: f"draft {draft_id} is destroyed")


async def _person(node: Node, officer: str | None) -> Person:
    login = officer_or_login(officer)
    async with node.store.reading() as unit:
        account = await unit.accounts.get(login)
    if account is None or account.disabled_at is not None:
        raise BadInputError("E_ACCOUNT", f"--officer: {login} has no account here; accounts list shows who has one")
    return person_of(account)


async def _confirm(releasing: ReleaseAlerts, draft: OpenDraft, person: Person) -> OpenDraft:
    """Saves that everything that looks like personal data is nobody's."""
    checked = await releasing.check(draft.written, sender=draft.record.contact_point)
    written = Written(draft.written.document, tuple(one.key for one in checked.marked), draft.written.is_partial)
    return await releasing.drafts.save(draft.record.id, person, written, revision=draft.record.revision)


def _ask(ready: Draft, *, yes: bool) -> None:
    lines = [f"to {recipient.id}: {recipient.reason}" for recipient in ready.plan.recipients]
    lines += [f"nobody can be reached in {country_label(code)}" for code in ready.plan.unreachable]
    say("\n".join(lines))
    if yes or not sys.stdin.isatty():
        return
    if not typer.confirm(f"Send this {ready.kind} to {len(ready.plan.recipients)} contact points?", err=True):
        raise RefusedError("E_NOT_CONFIRMED", "nothing was sent")


def _against(checked: Checked) -> list[str]:
    return [
        *(problem.sentence() for problem in checked.problems),
        *(one.finding.sentence() for one in checked.marked if not one.is_confirmed),
        *([checked.refusal.message] if checked.refusal else []),
    ]


def _told(draft: OpenDraft) -> Mapping[str, object]:
    record = draft.record
    return {
        "id": record.id,
        "kind": record.kind,
        "state": record.state,
        "revision": record.revision,
        "author": record.author,
        "contact_point": record.contact_point,
        "changed_at": format_time(record.changed_at),
        "supersedes": record.supersedes,
        "message_id": record.message_id,
        "title": draft.written.title,
    }
