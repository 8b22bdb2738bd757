"""Whether a mirror need be looked at at all: by its timestamp, which is compared and not trusted."""

from __future__ import annotations

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.membership.mirror import LIMITS, METADATA
from bridge.adapters.trust.membership.verified_list import UntrustedError
from bridge.core.wire import strict_json


class BehindError(UntrustedError):
    """A mirror that has nothing newer than what is here."""


def is_current(timestamp_bytes: bytes, files: FetcherInterface, *, known: bytes, root_version: int) -> bool:
    """Whether the mirror is as it was when the list was verified: the same timestamp, no newer root.

    What a timestamp claims about itself decides only that it need not be looked at.

    Args:
        timestamp_bytes: the mirror's.
        files: the mirror.
        known: the timestamp that the list was verified with.
        root_version: of the root that it was verified under.

    Raises:
        BehindError: it claims to be older.
    """
    if _has_root(files, root_version + 1):
        return False
    if timestamp_bytes == known:
        return True
    claimed, seen = claimed_version(timestamp_bytes), claimed_version(known)
    if claimed is not None and seen is not None and claimed < seen:
        raise BehindError(f"is behind: its timestamp is of version {claimed}, version {seen} was seen before")
    return False


def _has_root(files: FetcherInterface, version: int) -> bool:
    try:
        files.download_bytes(f"{METADATA}/{version}.root.json", LIMITS.root_max_length)
    except DownloadHTTPError:
        return False
    return True


def claimed_version(timestamp_bytes: bytes) -> int | None:
    """The version that a timestamp file says it is; `None` where it says none."""
    try:
        signed = strict_json.parse_object(timestamp_bytes).get("signed")
    except strict_json.StrictJsonError:
        return None
    version = signed.get("version") if isinstance(signed, dict) else None
    return version if isinstance(version, int) else None
