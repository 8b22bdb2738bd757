"""`ncp-bridge node certificates`: with what a node's accounts sign in to the broker, until when, and how it goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.certificate_words import as_table, told
from bridge.cli.options import Config
from bridge.cli.output import Json, emit
from bridge.core.errors import BadInputError
from bridge.founding.certificates import Secretariat, install_answer, renewal_request
from bridge.settings import load_settings


def certificates(
    config: Config,
    network: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Renew in one step: the network's folder, with its authority's key."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write requests for new ones, for the network's secretariat.")
    ] = None,
    install: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put the secretariat's answer to those requests in use.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the certificates with which this node's accounts sign in to the broker, or renew them.

    Renewal takes no restart: a running node notices new files and goes over to them. The private keys stay here.
    """
    # Heavy, and the other commands of this group do without.
    from bridge.compose.broker_login import certificates_folder, held_certificates  # noqa: PLC0415
    from bridge.compose.node import open_trust  # noqa: PLC0415

    if sum(option is not None for option in (network, out, install)) > 1:
        raise BadInputError("E_USAGE", "expected one of --network, --out and --install")
    settings, now = load_settings(config), datetime.now(UTC)
    folder, accounts = certificates_folder(settings), [account.user for account in settings.accounts]
    if folder is None:
        where = "$.broker.certificates"
        raise BadInputError("E_CONFIG", f"{where}: found nothing, expected the folder of certificates", path=where)
    if out is not None:
        sha256 = renewal_request(folder, accounts, out)
        text = f"{out}: to the network's secretariat, which compares its SHA-256 with you\n{sha256}"
        emit({"request": str(out), "sha256": sha256, "accounts": accounts}, as_json=as_json, text=lambda: text)
        return
    if network is not None:
        Secretariat.of(network, at=now).equip(folder, settings.prefix, accounts)
    if install is not None:
        directory = asyncio.run(open_trust(settings).refresh())
        install_answer(folder, accounts, install, directory, at=now)
    held = held_certificates(settings)
    emit({"certificates": told(held, now)}, as_json=as_json, text=lambda: as_table(held, now))
