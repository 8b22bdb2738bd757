"""`ncp-bridge keys`: how a node's keys stand; roll them before they end, revoke one that was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.app.keys.key_states import End, KeyState
from bridge.app.keys.rolling import OVERLAP, OVERLAP_OF_A_FILE, USES, Use, use_of
from bridge.cli.options import Config, ContactPoint, officer_or_login, span_of
from bridge.cli.output import Json, emit, say, table, tell_warnings
from bridge.compose.key_report import KeyReport, key_report
from bridge.compose.member_keys import MemberKeys, Published, note_in_audit_log
from bridge.core.directory import PublicKey
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.ids import owner_of
from bridge.core.times import format_time
from bridge.ports.store.records import AuditEntry
from bridge.settings import NodeSettings, load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Network = Annotated[
    Path | None, typer.Option("--network", metavar="DIR", help="The network's folder: published at once.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Written to this file, for `network publish`.")]
Officer = Annotated[str | None, typer.Option(help="Who does it, for the audit log. Default: this account.")]


@app.command("list")
def list_keys(config: Config, contact_point: ContactPoint = None, as_json: Json = False) -> None:
    """Show every key: in_use, next, kept (verifies or opens only), spent, revoked, missing here, unlisted."""
    report, now = _report(config, contact_point)
    points = [
        {"id": identifier, "keys": [_key_data(one) for one in states]} for identifier, states in report.keys.items()
    ]
    data = {"version": report.version, "contact_points": points, "ends": [_end_data(end, now) for end in report.ends]}
    emit(data, as_json=as_json, text=lambda: _list_text(report))


@app.command()
def check(
    config: Config,
    within: Annotated[str, typer.Option(metavar="SPAN", help="Say 30d or 12h.")] = "30d",
    contact_point: ContactPoint = None,
    as_json: Json = False,
) -> None:
    """Check that nothing ends soon: keys, the member's role, certificates; exit status 1 when something does.

    A key with a successor is not counted: the last key of each use is.
    """
    span = span_of(within, option="--within")
    report, now = _report(config, contact_point)
    due = [end for end in report.ends if end.ends is None or end.ends - now <= span]
    data = {"ok": not due, "within": within, "ends": [_end_data(end, now) for end in due]}
    emit(data, as_json=as_json, text=lambda: _ends_text(due) if due else f"nothing ends within {within}")
    raise typer.Exit(1 if due else 0)


@app.command()
def roll(  # noqa: PLR0913 - the command's options
    config: Config,
    contact_point: ContactPoint = None,
    signing: Annotated[bool, typer.Option("--signing", help="Only the signing key.")] = False,
    encryption: Annotated[bool, typer.Option("--encryption", help="Only the encryption key.")] = False,
    network: Network = None,
    out: Out = None,
    overlap: Annotated[
        str | None, typer.Option(metavar="SPAN", help="How long the old key is used yet. Default: 1h, with --out 7d.")
    ] = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Make new keys and publish them in the member's name; the old ones end after an overlap.

    The old signing key signs until then and is verified for 31 days more; the old encryption key opens for as long, and
    is destroyed then. Running services need no restart. Interrupted, the same command goes on. A contact point without
    keys gets its first ones.
    """
    settings, uses = load_settings(config), _uses(signing=signing, encryption=encryption)
    default = OVERLAP if out is None else OVERLAP_OF_A_FILE
    span = default if overlap is None else span_of(overlap, option="--overlap")
    points = _points(settings, contact_point)
    done = _member_keys(settings, network, out).roll(points, uses, overlap=span)
    _note(settings, [_made_entry(key, officer) for key in done.made])
    emit(_published_data(done, out), as_json=as_json, text=lambda: _published_text(done, out))


@app.command()
def revoke(
    kid: Annotated[str, typer.Argument(metavar="KID", help="A key of this node, as `keys list` names it.")],
    config: Config,
    reason: Annotated[str, typer.Option(help="Why, for the audit log.")],
    network: Network = None,
    out: Out = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Revoke a key of one's own and publish a successor; what is on its way under it is signed anew.

    Nobody accepts anything under a revoked key once the list has reached it. What had not arrived is signed by the new
    key and sent again by the running services, without another command.
    """
    settings = load_settings(config)
    done = _member_keys(settings, network, out).revoke(kid)
    made = [_made_entry(key, officer) for key in done.made]
    _note(settings, [_entry("key.revoked", kid, officer, {"reason": reason}), *made])
    data = {"revoked": kid, **_published_data(done, out)}
    emit(data, as_json=as_json, text=lambda: f"revoked: {kid}\n{_published_text(done, out)}")


def _report(config: Path, contact_point: str | None) -> tuple[KeyReport, datetime]:
    settings, now = load_settings(config), datetime.now(UTC)
    tell_warnings()
    points = _points(settings, contact_point)
    return asyncio.run(key_report(settings, contact_points=points, at=now)), now


def _member_keys(settings: NodeSettings, network: Path | None, out: Path | None) -> MemberKeys:
    tell_warnings()
    return MemberKeys(settings, network=network, out=out, at=datetime.now(UTC))


def _points(settings: NodeSettings, given: str | None) -> list[str]:
    hosted = [point.id for point in settings.contact_points]
    if given is not None and given not in hosted:
        raise BadInputError(
            "E_CONTACT_POINT", f"--contact-point: {given} is not hosted here; expected {' or '.join(hosted)}"
        )
    return hosted if given is None else [given]


def _uses(*, signing: bool, encryption: bool) -> Sequence[Use]:
    chosen: dict[Use, bool] = {"signing": signing, "encryption": encryption}
    return [use for use in USES if chosen[use]] or USES


def _note(settings: NodeSettings, entries: Sequence[AuditEntry]) -> None:
    """What is published is published, whatever the database says."""
    try:
        asyncio.run(note_in_audit_log(settings, entries))
    except UnavailableError as error:
        say(f"not noted in the audit log: {error.message}")


def _made_entry(key: PublicKey, officer: str | None) -> AuditEntry:
    return _entry("key.made", key.kid, officer, {"alg": key.alg, "use_until": format_time(key.use_until)})


def _entry(action: str, kid: str, officer: str | None, detail: Mapping[str, str]) -> AuditEntry:
    return AuditEntry(datetime.now(UTC), officer_or_login(officer), action, owner_of(kid), kid, detail)


def _key_data(one: KeyState) -> dict[str, object]:
    key = one.key
    return {
        "kid": one.kid,
        "use": one.use,
        "state": one.state,
        "here": one.is_here,
        "use_until": format_time(key.use_until) if key else None,
        "verify_until": format_time(key.verify_until) if key else None,
        "revoked_at": format_time(key.revoked_at) if key and key.revoked_at else None,
    }


def _end_data(end: End, now: datetime) -> dict[str, object]:
    days = (end.ends - now).days if end.ends else None
    return {"what": end.what, "name": end.name, "ends": format_time(end.ends) if end.ends else None, "days_left": days}


def _published_data(done: Published, out: Path | None) -> dict[str, object]:
    return {
        "version": done.version,
        "publication": str(out) if out else None,
        "made": [_public_data(key) for key in done.made],
        "keys": [_public_data(key) for key in done.keys],
    }


def _public_data(key: PublicKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "use": use_of(key),
        "use_until": format_time(key.use_until),
        "verify_until": format_time(key.verify_until),
        "revoked_at": format_time(key.revoked_at) if key.revoked_at else None,
    }


def _published_text(done: Published, out: Path | None) -> str:
    rows = [
        (
            key.kid,
            use_of(key),
            "new" if key in done.made else "revoked" if key.revoked_at else "",
            key.use_until,
            key.verify_until,
        )
        for key in done.keys
    ]
    shown = [(*row[:3], format_time(row[3]), format_time(row[4])) for row in rows]
    where = (
        f"published as version {done.version}"
        if out is None
        else f"to be published: ncp-bridge network publish DIR {out}"
    )
    return "\n".join((table(("kid", "use", "", "use until", "verify until"), shown), where))


def _list_text(report: KeyReport) -> str:
    rows = [
        (one.kid, one.use, one.state, "here" if one.is_here else "-", *_times(one))
        for states in report.keys.values()
        for one in states
    ]
    heads = ("kid", "use", "state", "private part", "use until", "verify until")
    return "\n".join((f"membership list {report.version}", table(heads, rows), "", _ends_text(report.ends)))


def _times(one: KeyState) -> tuple[str | None, str | None]:
    return (format_time(one.key.use_until), format_time(one.key.verify_until)) if one.key else (None, None)


def _ends_text(ends: Sequence[End]) -> str:
    rows = [(end.what, end.name, format_time(end.ends) if end.ends else "there is none") for end in ends]
    return table(("what", "name", "ends"), rows)
