"""`ncp-bridge interchange`: alerts as CAP 1.2 and back, figures as CSV, our codes beside those of HTCDS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.app.desk.corridors import CorridorTable, ReadCorridors
from bridge.app.sending.submit import alert_of
from bridge.cli.options import (
    Config,
    ContactPoint,
    InputFile,
    Reason,
    on_node,
    one_contact_point,
    read_alert,
    read_input,
)
from bridge.cli.output import Json, emit, say
from bridge.compose.node import Node
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.ids import is_contact_point
from bridge.core.messages import AlertFile
from bridge.core.privacy import find_personal_data
from bridge.core.vocabulary import CODE_LISTS
from bridge.interchange import htcds
from bridge.interchange.cap_write import Sent, cap_of
from bridge.interchange.statistics import csv_of, notes_of
from bridge.interchange.stored import ReadStored
from bridge.ports.store.corridors import WHATEVER_FORM

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Written there; without it, to standard output.")]


@app.command("cap-export")
def cap_export(  # noqa: PLR0913 - the command's options
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="An alert file, or - for standard input.")] = None,
    message: Annotated[
        str | None, typer.Option(metavar="ID", help="Instead of FILE: a message that this node received or sent.")
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="ID", help="Whose alert it is; with --message, where two used its id."),
    ] = None,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="With FILE: its id, once it was sent. Default: a new one.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="NCP_BRIDGE_CONFIG", help="With --message: the node's settings file."),
    ] = None,
    contact_point: ContactPoint = None,
    officer: Annotated[
        str | None, typer.Option(help="With --message: in whose name it is handed out; goes into the log.")
    ] = None,
    reason: Reason = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Write an alert as CAP 1.2: a file, or a message of this node. See docs/integrate/interchange.md."""
    if (file is None) == (message is None):
        raise BadInputError("E_USAGE", "expected FILE or --message, one of the two")
    if file is not None:
        alert, sent = _of_file(file, sender, identifier)
    else:
        if identifier is not None:
            raise BadInputError("E_USAGE", "--id: only with FILE; a message has its own")
        if config is None or not officer:
            raise BadInputError("E_USAGE", "--message: needs --config and --officer")

        async def work(node: Node) -> tuple[AlertFile, Sent]:
            own = one_contact_point(node, contact_point, option="--contact-point")
            return await ReadStored(node.reading).read(
                str(message), contact_point=own, officer=str(officer), sender=sender, reason=reason
            )

        alert, sent = on_node(config, work)
    _write(cap_of(alert, sent), out, as_json=as_json, told={"identifier": sent.identifier, "sender": sent.sender})


def _of_file(file: str, sender: str | None, identifier: str | None) -> tuple[AlertFile, Sent]:
    from bridge.adapters.system import RandomIds  # noqa: PLC0415 - as the node has them

    if sender is None or not is_contact_point(sender):
        raise BadInputError("E_USAGE", f"--from: found {(sender or '')[:40]!r}, expected a contact point like rs.ncp")
    now = datetime.now(UTC)
    return alert_of(read_alert(file)), Sent(sender, identifier or RandomIds().new(now), now)


@app.command("cap-import")
def cap_import(file: InputFile, out: Out = None, as_json: Json = False) -> None:
    """Write a CAP 1.2 alert as an alert file; what such a file has no place for is named. Sends nothing."""
    try:
        from bridge.interchange.cap_read import read_cap  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        sentence = "reading CAP needs the extra: pip install 'ncp-bridge[interchange]'"
        raise UnavailableError("E_EXTRA", sentence) from None

    imported = read_cap(read_input(file))
    alert = alert_of(json.dumps(imported.members).encode())  # what is wrong with it is said as of any alert file
    warnings = [finding.sentence() for finding in find_personal_data(alert.members)]
    losses = [{"element": name, "why": why} for name, why in imported.losses]
    for loss in losses if not as_json else ():
        say(f"lost: {loss['element']}: {loss['why']}")
    for warning in warnings if not as_json else ():
        say(f"look at {warning}")
    if as_json and out is None:
        emit({"alert": imported.members, "losses": losses, "warnings": warnings}, as_json=True, text=str)
        return
    data = (json.dumps(imported.members, indent=2, ensure_ascii=False) + "\n").encode()
    _write(data, out, as_json=as_json, told={"losses": losses, "warnings": warnings})


@app.command()
def statistics(
    config: Config,
    contact_point: ContactPoint = None,
    quarter: Annotated[str | None, typer.Option(help="Like 2026Q4. Default: every one there is.")] = None,
    out: Out = None,
    notes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written, too: what the columns mean, what is withheld and why.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write how many alerts had a leg from one country to another, by quarter and form, as CSV.

    Small cells, and what they could be computed from, are withheld: as in the console, by the same query.
    """

    async def work(node: Node) -> tuple[list[CorridorTable], Mapping[str, object]]:
        own, now = one_contact_point(node, contact_point, option="--contact-point"), node.clock.now()
        corridors = ReadCorridors(node.store)
        known = (await corridors.read(own, quarter="", form=WHATEVER_FORM, now=now)).quarters
        if quarter is not None and quarter not in known:
            others = f"expected one of {', '.join(known)}" if known else "there is none yet"
            raise BadInputError("E_QUARTER", f"--quarter: found {quarter[:20]!r}, {others}")
        tables = [
            await corridors.read(own, quarter=one, form=form, now=now)
            for one in ([quarter] if quarter is not None else known)
            for form in (WHATEVER_FORM, *CODE_LISTS["exploitation"])
        ]
        return tables, notes_of(tables, contact_point=own, made_at=now)

    tables, told = on_node(config, work)
    told_notes = {}
    if notes is not None:
        _store(json.dumps(told, indent=2).encode() + b"\n", notes)
        told_notes = {"notes": str(notes)}
    _write(csv_of(tables), out, as_json=as_json, told={"rows": told["rows"], **told_notes})


@app.command("htcds-tables")
def htcds_tables(
    name: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="One code list, like control. Default: all.")
    ] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Write which code of HTCDS (IOM's case data standard) matches each of ours, as CSV."""
    known = htcds.mapped_lists()
    if name is not None and name not in known:
        raise BadInputError("E_USAGE", f"--list: found {name[:40]!r}, expected one of {', '.join(known)}")
    rows = htcds.rows_of(known if name is None else [name])
    if as_json and out is None:
        emit({"attribution": htcds.ATTRIBUTION, "rows": rows}, as_json=True, text=str)
        return
    _write(htcds.csv_of(rows), out, as_json=as_json, told={"rows": len(rows)})
    if not as_json:
        say(htcds.ATTRIBUTION)


def _write(data: bytes, out: Path | None, *, as_json: bool, told: dict[str, object]) -> None:
    if out is None:
        if as_json:
            emit({**told, "text": data.decode()}, as_json=True, text=str)
            return
        typer.echo(data.decode(), nl=False)
        return
    _store(data, out)
    emit({"file": str(out), **told}, as_json=as_json, text=lambda: f"wrote {out}")


def _store(data: bytes, out: Path) -> None:
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UnavailableError("E_FILE", f"{out}: {error.strerror}") from None
