"""Writes the description of the HTTP interface: `python scripts/openapi.py [--check]`.

It comes from the routes; nobody edits schemas/openapi.json. With `--check` nothing is written, and the exit status is 1
when the file is not what the routes say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.api.app import described  # noqa: E402 - after the path

FILE: Final = ROOT / "schemas" / "openapi.json"


def main() -> int:
    """Writes or checks the file; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when the file is out of date")
    check: bool = parser.parse_args().check
    text = json.dumps(described(), indent=2, ensure_ascii=False) + "\n"
    if FILE.exists() and FILE.read_text("utf-8") == text:
        return 0
    if not check:
        FILE.write_text(text, "utf-8")
    print(f"{FILE.relative_to(ROOT)}: {'out of date' if check else 'written'}")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main())
