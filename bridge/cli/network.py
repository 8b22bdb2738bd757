"""`ncp-bridge network`: found a network of countries, look at its membership list, confirm it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.output import Json, emit, table
from bridge.core.countries import KOSOVO_NOTE, country_name
from bridge.core.times import format_time
from bridge.founding import network as founding
from bridge.ports.trust import NetworkState

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The network's folder.")]


@app.command()
def init(
    folder: Folder,
    file: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The network file (config/demo-network.toml).")
    ],
    as_json: Json = False,
) -> None:
    """Found a network: make the ceremony keys and the first signed membership list.

    DIR/mirror is what nodes read; copy it to wherever they can. DIR/keys holds the signing keys: 2 of 3 sign for the
    root, 2 of 2 for the members. In this phase they all lie here; a real ceremony gives each to another person.
    """
    _show(founding.found_network(folder, file), as_json=as_json)


@app.command()
def show(folder: Folder, as_json: Json = False) -> None:
    """Show the membership list. An expired one is shown as it was last valid; a forged one is not."""
    now = datetime.now(UTC)
    _show(founding.network_state(folder, at=founding.last_valid_moment(folder, now=now)), as_json=as_json)


@app.command()
def verify(folder: Folder, as_json: Json = False) -> None:
    """Verify signatures, thresholds, digests and expiry; exit status 3 when one does not hold."""
    _show(founding.network_state(folder), as_json=as_json)


@app.command()
def confirm(folder: Folder, as_json: Json = False) -> None:
    """Sign the present list anew, so that it stays fresh; due every 6 hours."""
    _show(founding.confirm_network(folder), as_json=as_json)


def _show(state: NetworkState, *, as_json: bool) -> None:
    directory = state.directory
    data = {
        "network": directory.network,
        "version": directory.version,
        "countries": list(state.countries),
        "contact_points": sorted(directory.contact_points),
        "keys": len(directory.signing_keys) + len(directory.encryption_keys),
        "signed_at": format_time(directory.signed_at),
        "expires": format_time(directory.expires),
        "valid": datetime.now(UTC) < directory.expires,
        "root_sha256": state.root_sha256,
        "roles": [
            {
                "role": role.role,
                "version": role.version,
                "expires": format_time(role.expires),
                "threshold": role.threshold,
                "keys": role.keys,
            }
            for role in state.roles
        ],
    }
    emit(data, as_json=as_json, text=lambda: _text(state, data))


def _text(state: NetworkState, data: Mapping[str, object]) -> str:
    directory = state.directory
    expiry = "valid until" if data["valid"] else "EXPIRED on"
    points = [
        (
            point.id,
            country_name(point.country) if point.country else "-",
            _remit(state, identifier),
            _keys(state, identifier),
        )
        for identifier, point in sorted(directory.contact_points.items())
    ]
    roles = [
        (role.role, role.version, f"{role.threshold} of {role.keys}", format_time(role.expires)) for role in state.roles
    ]
    size = f"{len(state.countries)} countries, {data['keys']} keys"
    note = ("", KOSOVO_NOTE) if "XK" in state.countries else ()
    return "\n".join(
        (
            f"network {directory.network}, version {directory.version}, {size}",
            f"confirmed {data['signed_at']}, {expiry} {data['expires']}",
            f"first root, SHA-256: {state.root_sha256}",
            "",
            table(("contact point", "country", "remit", "keys"), points),
            "",
            table(("signed by", "version", "threshold", "expires"), roles),
            *note,
        )
    )


def _remit(state: NetworkState, identifier: str) -> str:
    point = state.directory.contact_points[identifier]
    remit = point.remit
    parts = ["national desk"] if remit.national_desk else []
    parts += ["children only"] if remit.children_only else []
    parts += [
        ", ".join(sorted(words)) for words in (remit.kinds, remit.exploitation, remit.crossings) if words is not None
    ]
    text = "; ".join(parts) or "everything"
    return f"SUSPENDED: {point.suspended}" if point.suspended is not None else text


def _keys(state: NetworkState, identifier: str) -> int:
    kids = (*state.directory.signing_keys, *state.directory.encryption_keys)
    return sum(kid.startswith(f"{identifier}#") for kid in kids)
