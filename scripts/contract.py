"""What is frozen of the contract, and a bundle of it: `python scripts/contract.py {check,release,bundle OUT.zip}`.

schemas/released.json names every released file with its SHA-256. `check` says which of them changed or is gone, and
which file waits to be released; `release` adds those that wait, and refuses while a released one has changed. `bundle`
writes the same bytes for the same contract: released files, descriptions and SHA256SUMS.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = ROOT / "schemas"
RELEASED: Final = "released.json"
FROZEN: Final = ("*/[0-9]*.[0-9]*.json", "samples/**/*.json", "vectors/**/*.json")
DESCRIPTIONS: Final = ("asyncapi.yaml", "openapi.json", "rules.json", RELEASED, "vectors/README.md")
_BEGINNING: Final = (1980, 1, 1, 0, 0, 0)  # of a zip file's time: none, so that its bytes are of its contents alone


def main() -> int:
    """Does what was asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "release", "bundle"))
    parser.add_argument("out", nargs="?", type=Path, help="where the bundle is written")
    parser.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder; the repository's")
    given = parser.parse_args()
    folder: Path = given.schemas
    if given.what == "bundle":
        if given.out is None:
            parser.error("bundle: expected OUT.zip")
        print(bundle(folder, given.out))
        return 0
    faults, waiting = compare(folder)
    for fault in faults:
        print(fault, file=sys.stderr)
    if given.what == "release" and not faults and waiting:
        write_released(folder, released(folder) | {path: digest(folder / path) for path in waiting})
        print(f"released {len(waiting)} files")
        return 0
    for path in waiting if given.what == "check" else ():
        print(f"{path}: not released", file=sys.stderr)
    return 1 if faults or (waiting and given.what == "check") else 0


def compare(folder: Path) -> tuple[list[str], list[str]]:
    """What has happened to released files that must not, and the files that wait to be released."""
    known, there = released(folder), set(frozen_files(folder))
    faults = [f"{path}: it was released, and is gone" for path in sorted(known.keys() - there)]
    faults += [
        f"{path}: it was released, and has changed"
        for path in sorted(known.keys() & there)
        if digest(folder / path) != known[path]
    ]
    return faults, sorted(there - known.keys())


def frozen_files(folder: Path) -> Iterator[str]:
    """Every file of the contract that never changes once it is released, sorted."""
    found = {path for pattern in FROZEN for path in folder.glob(pattern) if path.is_file()}
    yield from sorted(str(path.relative_to(folder)) for path in found)


def released(folder: Path) -> Mapping[str, str]:
    """Released file -> its SHA-256 in hexadecimal."""
    file = folder / RELEASED
    files: dict[str, str] = json.loads(file.read_text("utf-8"))["files"] if file.exists() else {}
    return files


def write_released(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the list."""
    text = json.dumps({"files": dict(sorted(files.items()))}, indent=1)
    (folder / RELEASED).write_text(text + "\n", "utf-8")


def digest(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle(folder: Path, out: Path) -> str:
    """Writes the bundle; answers its SHA-256 in hexadecimal."""
    names = sorted({*released(folder), *(name for name in DESCRIPTIONS if (folder / name).exists())})
    sums = "".join(f"{digest(folder / name)}  {name}\n" for name in names)
    with zipfile.ZipFile(out, "w") as file:
        for name, data in (*((name, (folder / name).read_bytes()) for name in names), ("SHA256SUMS", sums.encode())):
            entry = zipfile.ZipInfo(f"ncp-bridge-schemas/{name}", _BEGINNING)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            file.writestr(entry, data, compresslevel=9)
    return digest(out)


if __name__ == "__main__":
    sys.exit(main())
