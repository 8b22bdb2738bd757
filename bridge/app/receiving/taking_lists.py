"""The membership list that comes through the bridge: its files go to the trust source, which believes nobody.

Only those of notices that are accepted: what is known already, or refused, costs nothing more however often it comes.
Before the message is stored, so that no crash in between loses them; a copy that comes again then does no harm. What
the new list takes away must not pass because it came in the same batch: whoever calls judges again.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bridge.app.receiving.deciding import Decision, Opened, Verdict
from bridge.core.messages import DirectoryNoticeBody
from bridge.core.messages.directory_notice import ListFiles, unpack_files
from bridge.core.verification import Authenticated, AuthenticatedRefusal, VerifiedMessage
from bridge.ports.trust import TrustSource

_log = structlog.get_logger()


def bring_lists(verdicts: Sequence[Verdict]) -> bool:
    """Whether there is a notice with files among them."""
    return any(_files(verdict.content) is not None for verdict in verdicts if isinstance(verdict, Opened))


async def take_lists(trust: TrustSource, decisions: Sequence[Decision]) -> bool:
    """Hands on what accepted notices bring; answers whether there is another list now."""
    before = trust.current()
    for decision in decisions:
        files = _files(decision.item)
        if files is None:
            continue
        try:
            await trust.take(unpack_files(files.packed))
        except ValueError as error:
            _log.warning("trust.notice_unreadable", reason=str(error))
    return trust.current() is not before


def _files(content: VerifiedMessage | Authenticated | AuthenticatedRefusal | None) -> ListFiles | None:
    if not isinstance(content, VerifiedMessage):
        return None
    body = content.body.known
    return body.files if isinstance(body, DirectoryNoticeBody) else None
