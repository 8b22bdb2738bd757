"""Files with a password in them: never readable by others, not even for a moment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_secret(path: Path, secret: str) -> None:
    """Writes one line that only the owner may read; what was there before is replaced in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent)  # 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    Path(scratch).replace(path)
