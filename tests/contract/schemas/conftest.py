"""The sample documents are those of the unit tests: one set of documents that are right, for models and schemas."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "core" / "messages"))
