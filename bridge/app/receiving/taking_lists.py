"""The membership list that comes through the bridge: its files go to the trust source, which believes nobody.

Before the message is stored, so that no crash in between loses them; a copy that comes again does no harm. What the
new list takes away must not pass because it came in the same batch: whoever calls judges again.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bridge.app.receiving.deciding import Opened, Verdict
from bridge.core.messages import DirectoryNoticeBody
from bridge.core.messages.directory_notice import unpack_files
from bridge.core.verification import VerifiedMessage
from bridge.ports.trust import TrustSource

_log = structlog.get_logger()


async def take_lists(trust: TrustSource, verdicts: Sequence[Verdict]) -> bool:
    """Hands on what verified notices bring; answers whether there is another list now."""
    contents = [verdict.content for verdict in verdicts if isinstance(verdict, Opened)]
    bodies = [content.body.known for content in contents if isinstance(content, VerifiedMessage)]
    brought = [body.files for body in bodies if isinstance(body, DirectoryNoticeBody) and body.files is not None]
    if not brought:
        return False
    before = trust.current()
    for files in brought:
        try:
            await trust.take(unpack_files(files.packed))
        except ValueError as error:
            _log.warning("trust.notice_unreadable", reason=str(error))
    return trust.current() is not before
