"""The list that a node verified last, with the documents that it was read from: what a member builds on.

It is verified once more, as of the moment when it was: whoever can write the cache folder cannot change it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from bridge.adapters.trust.membership.mirror import METADATA, TIMESTAMP, CutOffFetcher, read_bounded
from bridge.adapters.trust.membership.verified_list import UntrustedError, VerifiedList, verify_list
from bridge.adapters.trust.node.list_cache import ListCache
from bridge.core.errors import UnavailableError


def read_kept_list(cache: Path, *, root: Path) -> VerifiedList:
    """The list in a node's cache; `root` is the pinned first root file.

    Raises:
        UnavailableError: none was ever verified here, or the cache cannot be read (`E_TRUST_LIST`).
    """
    try:
        root_bytes = read_bounded(root)
        with ListCache(cache).copy(hashlib.sha256(root_bytes).hexdigest()) as copy:
            if copy.seen is None:
                raise UnavailableError("E_TRUST_LIST", f"no membership list was ever verified in {cache}")
            fetcher = CutOffFetcher(copy.folder / METADATA / TIMESTAMP)
            return verify_list(fetcher, copy.folder, root_bytes=root_bytes, at=copy.seen.verified_at)
    except UntrustedError as error:
        raise UnavailableError("E_TRUST_LIST", f"the membership list in {cache}: {error}") from None
    except OSError as error:
        raise UnavailableError("E_TRUST_LIST", f"{error.filename}: {error.strerror}") from None
