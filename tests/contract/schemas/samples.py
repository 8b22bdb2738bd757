"""The samples beside the schemas, and how each is judged; `python tests/contract/schemas/samples.py` writes new ones.

Good ones are the documents of the unit tests and alert files; bad ones break one rule of schemas/rules.json each. What
is there is never written again: samples are frozen with the schemas.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    ROOT_OF_TESTS = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(ROOT_OF_TESTS.parent), str(ROOT_OF_TESTS / "unit" / "core" / "messages")]

from message_samples import CONTROL, SEALED, alert_file, control_member, full_body, small_body
from verdicts import FILE, problems, rules
from violations import VIOLATIONS, original

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "schemas" / "samples"
VERSION = "1.0"
NAMES = (*SEALED, *CONTROL, FILE)
EXPECTED = "expected.json"


def good_samples(name: str) -> Iterator[tuple[str, bytes]]:
    """File name -> document."""
    if name == FILE:
        for kind in SEALED[:3]:
            yield f"{kind}-least.json", text(alert_file(kind))
            yield f"{kind}-full.json", text(alert_file(kind, full=True))
    elif name in CONTROL:
        yield "full.json", text(control_member(name))
    else:
        yield "least.json", text(small_body(name))
        yield "full.json", text(full_body(name))


def bad_samples(name: str) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """File name, document, and how it is judged: code, path, rule, and who finds it."""
    seen: dict[str, int] = {}
    for rule, document, edit in VIOLATIONS:
        if document.partition(":")[0] != name:
            continue
        broken = edit(original(document))
        seen[rule] = seen.get(rule, 0) + 1
        suffix = "" if seen[rule] == 1 else f"-{seen[rule]}"
        (problem,) = problems(name, broken)
        judged = {"rule": rule, "code": problem.code, "path": problem.path, "found_by": rules()[rule]["enforced_by"]}
        yield f"{rule}{suffix}.json", broken if isinstance(broken, bytes) else text(broken), judged


def text(document: object) -> bytes:
    """As a file."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def write() -> int:
    """Writes the samples that are not there; answers how many."""
    written = 0
    for name in NAMES:
        good, bad = (SAMPLES / name / VERSION / verdict for verdict in ("good", "bad"))
        files = {good / file: data for file, data in good_samples(name)}
        listed = {}
        for file, data, judged in bad_samples(name):
            files[bad / file] = data
            listed[file] = judged
        files[bad / EXPECTED] = text(listed)
        for path, data in files.items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                written += 1
    return written


if __name__ == "__main__":
    print(f"{write()} written")  # noqa: T201 - a command
