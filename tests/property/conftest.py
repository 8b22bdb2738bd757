"""Lets the properties forge messages with the forger that stands beside the verification's own tests."""

from __future__ import annotations

import sys
from pathlib import Path

FORGER = Path(__file__).resolve().parents[1] / "unit" / "core" / "verification"

if str(FORGER) not in sys.path:
    sys.path.append(str(FORGER))
