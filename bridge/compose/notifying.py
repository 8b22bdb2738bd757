"""From a network's folder to the notice of its newest list: for whoever publishes it, on a node that may send it."""

from __future__ import annotations

from pathlib import Path

from bridge.adapters.trust.governance.reading import MIRROR, read_state
from bridge.adapters.trust.node.notice_files import changes_of
from bridge.app.sending.send_notice import SentNotice, fits
from bridge.compose.node import Node
from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.list_changes import ListChanges


async def send_notice(node: Node, network: Path, *, sender: str) -> tuple[ListChanges, SentNotice]:
    """Sends the notice of the network's present version.

    Raises:
        UnavailableError: no network is there (`E_NETWORK_FOLDER`), or the keys or the list are not.
        RefusedError: it does not verify (`E_NETWORK_INVALID`), is another network's than the node's (`E_NETWORK`), or
            the sender may not send it (`E_NOT_AUTHORISED`).
    """
    notifying = await node.notifying()
    own = node.trust.current().network
    _, found = read_state(network)
    if found.network.network != own:
        raise RefusedError("E_NETWORK", f"{network} holds {found.network.network}, this node belongs to {own}")
    try:
        changes = changes_of(network / MIRROR, found, fits=fits)
    except OSError as error:
        raise UnavailableError("E_NETWORK_FOLDER", f"{error.filename}: {error.strerror}") from None
    return changes, await notifying.send(changes, sender=sender)
