"""Reads the public Wycheproof vectors, which lie beside the repository in `../shared/vectors` and are not part of it.

The vectors are C2SP/wycheproof's, `testvectors_v1`, under the Apache License 2.0. Where the folder is missing the tests
that need it are skipped and say so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "wycheproof"

needs_vectors = pytest.mark.skipif(not FOLDER.is_dir(), reason="the Wycheproof vectors are not in ../shared/vectors")


def vectors_of(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each vector of a file with its group, or nothing where the files are missing."""
    if not FOLDER.is_dir():
        return []
    groups = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]
