"""`ncp-bridge network`: found a network of countries, look at its membership list, confirm it; its other commands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import certify, exposure, network_ceremony, network_export, network_revocation, notice
from bridge.cli.network_show import show_state
from bridge.cli.network_text import change_data, change_text
from bridge.cli.output import Json, emit, say
from bridge.founding import network as founding
from bridge.founding.ceremony import receive
from bridge.founding.certificates import issued_certificates

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
    """Found a network: the keys that are made here, and the first membership list.

    DIR/mirror is what nodes read; copy it to wherever they can. DIR/keys stays here: the secretariat's online keys, and
    those of governance and the revocation role where FILE names no holders. Where it does, DIR/founding.json is what
    they sign (`network sign`), each on a machine of their own; `network publish` completes it.
    """
    state = founding.begin_network(folder, file)
    if state is not None:
        show_state(state, as_json=as_json)
        if not as_json:
            say(f"every key is in {folder / 'keys'}: whoever has that folder has the network; see [governance] holders")
        return
    publication = folder / founding.FOUNDING_FILE
    travelling = receive([publication], None)
    after = travelling.review.after
    data = {
        **change_data(travelling),
        "countries": list(after.countries),
        "contact_points": sorted(after.contact_points),
        "publication": str(publication),
    }
    emit(data, as_json=as_json, text=lambda: change_text(travelling))
    if not as_json:
        say(f"next: its holders sign {publication}, then: ncp-bridge network publish {folder} {publication}")


@app.command()
def show(folder: Folder, as_json: Json = False) -> None:
    """Show the membership list. An expired one is shown as it was last valid; a forged one is not."""
    now = datetime.now(UTC)
    state = founding.network_state(folder, at=founding.last_valid_moment(folder, now=now))
    show_state(state, issued=issued_certificates(folder), as_json=as_json)


@app.command()
def verify(folder: Folder, as_json: Json = False) -> None:
    """Verify signatures, thresholds, digests and expiry; exit status 3 when one does not hold."""
    show_state(founding.network_state(folder), as_json=as_json)


@app.command()
def confirm(folder: Folder, as_json: Json = False) -> None:
    """Sign the present list anew, so that it stays fresh; due every 6 hours."""
    show_state(founding.confirm_network(folder), as_json=as_json)


for command in (
    network_ceremony.key,
    network_ceremony.propose,
    network_ceremony.explain,
    network_ceremony.sign,
    network_ceremony.publish,
    network_revocation.revoke,
    network_revocation.suspend,
    notice.notice,
    network_export.export,
    exposure.exposure,
    certify.certify,
):
    app.command()(command)
