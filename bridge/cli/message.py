"""`ncp-bridge message verify`: the numbered procedure over a file, offline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.app.verify_file import FileVerdict, KnownState
from bridge.cli.options import InputFile, read_input
from bridge.cli.output import Json, emit
from bridge.compose.offline import verify_message_file
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.verification import Hints, SentDigests
from bridge.core.wire import strict_json

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `verify` a command of its own while it is the only one."""


@app.command()
def verify(  # noqa: PLR0913 - the command's options
    file: InputFile,
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, or a file of `network export`.")],
    recipient: Annotated[
        str | None, typer.Option(metavar="ID", help="For whom. Default: the first that `to` names.")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="That contact point's keys, to open the body; or a file with a JWK set."),
    ] = None,
    machine_secret: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Protects the keys. Default: where `node init` puts it.")
    ] = None,
    properties: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="AMQP properties: correlation_id, type, app_id, routing_key, user_id."),
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="FILE", help="What was known: highest_version, seen, sent, threads.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Judge as of this time, RFC 3339. Default: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a wire message from a file, step by step; exit status 3 when it is refused."""
    if keys is not None and recipient is None:
        raise BadInputError("E_USAGE", "--keys: expected --recipient with it, the contact point whose keys these are")
    verdict = verify_message_file(
        read_input(file),
        network=network,
        recipient=recipient,
        keys=keys,
        machine_secret=machine_secret,
        hints=_hints(_object(properties)) if properties else None,
        state=_state(_object(state)) if state else None,
        at=_time(at),
    )
    emit(
        {
            "ok": verdict.ok,
            "step": verdict.step,
            "code": verdict.code,
            "detail": verdict.detail,
            "skipped": list(verdict.skipped),
        },
        as_json=as_json,
        text=lambda: _text(verdict),
    )
    raise typer.Exit(0 if verdict.ok else RefusedError.exit_status)


def _text(verdict: FileVerdict) -> str:
    skipped = f"; steps not judged: {', '.join(map(str, verdict.skipped))}" if verdict.skipped else ""
    if verdict.ok:
        return f"ok: {verdict.detail}{skipped}"
    return f"refused at step {verdict.step}: {verdict.code}: {verdict.detail}{skipped}"


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: a time zone that leads out of the calendar
        pass
    raise BadInputError("E_USAGE", f"--at: found {text!r}, expected a time like 2026-11-23T18:40:01Z")


def _object(name: str) -> Mapping[str, object]:
    try:
        return strict_json.parse_object(read_input(name))
    except strict_json.StrictJsonError as error:
        raise BadInputError("E_JSON", f"{name}: {error.for_author}") from None


def _hints(members: Mapping[str, object]) -> Hints:
    known = {"correlation_id", "type", "app_id", "routing_key", "user_id"}
    strange = sorted(set(members) - known - {"headers"})
    texts = {name: members.get(name) for name in known}
    if strange or not all(value is None or isinstance(value, str) for value in texts.values()):
        raise BadInputError("E_USAGE", f"--properties: expected an object of texts named {', '.join(sorted(known))}")
    headers = members.get("headers")
    copied = isinstance(headers, dict) and not {"CC", "BCC"}.isdisjoint(headers)
    return Hints(**{name: value if isinstance(value, str) else None for name, value in texts.items()}, copied=copied)


def _state(members: Mapping[str, object]) -> KnownState:
    try:
        if not members.keys() <= {"highest_version", "seen", "sent", "threads"}:
            raise KeyError  # noqa: TRY301 - a misspelt name would be a state left out
        return KnownState(
            highest_version=_whole(members.get("highest_version", 0)),
            seen={
                (_text_of(e, "from"), _text_of(e, "id")): _text_of(e, "payload_sha256") for e in _list(members, "seen")
            },
            sent={
                (_text_of(e, "id"), _text_of(e, "to")): SentDigests(
                    _text_of(e, "payload_sha256"), _text_of(e, "sealed_sha256")
                )
                for e in _list(members, "sent")
            },
            threads={_text_of(e, "thread"): _text_of(e, "from") for e in _list(members, "threads")},
        )
    except (KeyError, TypeError):
        expected = (
            "highest_version, seen [{from, id, payload_sha256}], sent [{id, to, payload_sha256, sealed_sha256}], "
            "threads [{thread, from}]"
        )
        raise BadInputError("E_USAGE", f"--state: expected an object with {expected}") from None


def _list(members: Mapping[str, object], name: str) -> list[object]:
    value = members.get(name, [])
    if not isinstance(value, list):
        raise TypeError(name)
    return value


def _text_of(entry: object, name: str) -> str:
    if not isinstance(entry, dict) or not isinstance(entry[name], str):
        raise TypeError(name)
    text: str = entry[name]
    return text


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value
