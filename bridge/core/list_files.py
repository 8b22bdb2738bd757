"""The names of the files of a trust repository, as a mirror and a `directory_notice` have them.

No other name is asked for, read or written: none of these is outside the folder that it is put in.
"""

from __future__ import annotations

import re
from typing import Final

TIMESTAMP_FILE: Final = "metadata/timestamp.json"
_KNOWN: Final = re.compile(
    r"metadata/(timestamp|[0-9]{1,9}\.(root|snapshot|targets|revocations|member-[a-z]{2}))\.json"
    r"|targets/[0-9a-f]{64}\.(network|revocations)\.json"
    r"|targets/keys/[0-9a-f]{64}\.[a-z]{2}\.json"
    r"|targets/contact-points/[0-9a-f]{64}\.[a-z]{2}\.[a-z0-9-]{1,32}\.json"
)


def is_list_file(name: str) -> bool:
    """Whether a trust repository of ours has files of this name."""
    return _KNOWN.fullmatch(name) is not None
