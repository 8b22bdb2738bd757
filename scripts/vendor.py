"""Keeps the files of other projects that browsers load: `python scripts/vendor.py [--check]`.

They are checked in, so that a node serves them itself. Without `--check` npm fetches each package at its version, its
digest is compared with the one here, and the files are taken out of it. With `--check` nothing is fetched; the exit
status is 1 when a file in the repository is not the one that was taken.

A new version: change version and digest here and run it; `vendor.json` holds the digests of what was taken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIC: Final = Path(__file__).resolve().parent.parent / "bridge" / "console" / "static"
DIGESTS: Final = Path(__file__).with_name("vendor.json")
ALPHABETS: Final = ("latin", "latin-ext", "cyrillic", "cyrillic-ext")
WEIGHTS: Final = (400, 600)


@dataclass(frozen=True, slots=True)
class Package:
    """What is taken from one package.

    Attributes:
        digest: SHA-512 of the package, as hex.
        files: name in the package -> name below `static`.
    """

    name: str
    version: str
    digest: str
    files: Mapping[str, str]


PACKAGES: Final = (
    Package(
        "htmx.org",
        "4.0.1",
        "a05ec98178435bd5170b2fe4d59605510833bbfae6d7d39158f48f34bf75bcf9"
        "6e0763c1f7e315e79b7241d1ffc3ba361006d36141b94835b547ad2676476a1a",
        {"dist/htmx.min.js": "js/vendor/htmx.min.js", "LICENSE": "js/vendor/htmx.licence.txt"},
    ),
    Package(
        "@fontsource/ibm-plex-sans",
        "5.3.0",
        "09b13809b6c4119257f3ad17c94891a6c92c5c8411f11a765c3bdad953b9dcd2"
        "68c7db5536dbacaf2b1ddb1e58914118dc4ad0eba5b52228902fcff08a1870e7",
        {
            **{
                f"files/ibm-plex-sans-{alphabet}-{weight}-normal.woff2": f"fonts/plex-sans-{alphabet}-{weight}.woff2"
                for alphabet in ALPHABETS
                for weight in WEIGHTS
            },
            "LICENSE": "fonts/plex-sans.licence.txt",
        },
    ),
)


def main() -> int:
    """Fetches or checks; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fetch nothing, exit 1 when a file is another one")
    if not parser.parse_args().check:
        for package in PACKAGES:
            _fetch(package)
        found = {name: _digest(name) for package in PACKAGES for name in package.files.values()}
        DIGESTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", "utf-8")
        return 0
    taken: dict[str, str] = json.loads(DIGESTS.read_text("utf-8"))
    others = [name for name, digest in taken.items() if _digest(name) != digest]
    for name in others:
        print(f"{name}: not the file that was taken")
    return 1 if others else 0


def _fetch(package: Package) -> None:
    wanted = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(  # noqa: S603 - a package and a version of the table above
            ["npm", "pack", "--silent", "--pack-destination", folder, wanted],  # noqa: S607 - whichever npm there is
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (packed,) = Path(folder).iterdir()
        if hashlib.sha512(packed.read_bytes()).hexdigest() != package.digest:
            sys.exit(f"{wanted}: another digest than the one in {Path(__file__).name}; nothing was taken from it")
        with tarfile.open(packed) as members:
            for name, ours in package.files.items():
                member = members.extractfile(f"package/{name}")
                if member is None:
                    sys.exit(f"{wanted}: {name} is no file")
                (STATIC / ours).parent.mkdir(parents=True, exist_ok=True)
                (STATIC / ours).write_bytes(member.read())
                print(f"{ours}: from {wanted}")


def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
