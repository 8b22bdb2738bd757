"""`ncp-bridge network export`: the verified membership list as plain JSON, for whoever has no TUF client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import on_node
from bridge.cli.output import Json, emit
from bridge.compose.exporting import exported_network, exported_node, write_export
from bridge.core.errors import BadInputError


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A network's folder, or a copy of its mirror.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="NCP_BRIDGE_CONFIG", help="Instead of DIR: the list that this node goes by."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Writes it there, whole or not at all.")] = None,
    as_json: Json = False,
) -> None:
    """Print the membership list as plain JSON, verified; exit status 3 when it does not verify.

    What is printed proves nothing by itself: fetch it over a channel that you trust, and again before it `expires`.
    """
    if folder is not None:
        exported = exported_network(folder)
    elif config is not None:
        exported = on_node(config, exported_node)
    else:
        raise BadInputError("E_USAGE", "expected DIR, or --config with a node's settings file")
    if out is None:
        emit(exported, as_json=as_json, text=lambda: json.dumps(exported, indent=2, ensure_ascii=False))
        return
    write_export(out, exported)
    told = {"file": str(out), "network": exported["network"], "version": exported["version"]}
    emit(told, as_json=as_json, text=lambda: f"wrote version {told['version']} of {told['network']} to {out}")
