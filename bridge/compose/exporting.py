"""The membership list as plain JSON, from a network's folder or from a node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bridge.adapters.trust.governance.publishing import write_file
from bridge.adapters.trust.governance.reading import mirror_in, read_mirror
from bridge.adapters.trust.membership.exported import export_of
from bridge.compose.node import Node
from bridge.core.errors import UnavailableError
from bridge.core.wire import strict_json


def exported_network(folder: Path) -> Mapping[str, object]:
    """The list of a network's folder or of a copy of its mirror, verified from its own first root.

    Raises:
        UnavailableError: no network is there (`E_NETWORK_FOLDER`).
        RefusedError: it does not verify (`E_NETWORK_INVALID`).
    """
    return export_of(read_mirror(mirror_in(folder)).directory)


async def exported_node(node: Node) -> Mapping[str, object]:
    """The list that a node goes by, after a look for a newer one.

    Raises:
        UnavailableError: it has none.
    """
    return export_of(await node.trust.refresh())


def write_export(path: Path, exported: Mapping[str, object]) -> None:
    """Writes an export, whole or not at all.

    Raises:
        UnavailableError: `E_FILE`.
    """
    try:
        write_file(path, strict_json.encode(dict(exported)) + b"\n")
    except OSError as error:
        raise UnavailableError("E_FILE", f"{path}: {error.strerror}") from None
