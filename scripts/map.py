"""Makes the files that the map is drawn from: `python scripts/map.py [--check]` (docs/console-map.md).

Needs npm, for the atlas (Natural Earth) and the font; their versions are locked in scripts/mapping/, and what is
downloaded rests in .cache/map. With `--check` nothing is written, and the exit status is 1 when a file is not what
comes out.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shapely import MultiPolygon, Point
from shapely.ops import nearest_points

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mapping.countries import (  # noqa: E402 - after the path
    WINDOW,
    countries_in_degrees,
    flatten,
    read_viewpoint,
    simplify,
)
from mapping.letters import widths_of  # noqa: E402 - after the path
from mapping.outlines import outlines_of  # noqa: E402 - after the path
from mapping.topology import read_parts  # noqa: E402 - after the path
from mapping.ways import ways_of  # noqa: E402 - after the path

from bridge.console.map.gazetteer import all_crossings, all_places, country_point, place_id  # noqa: E402 - after the path
from bridge.console.map.projection import UNITS_PER_KM, project  # noqa: E402 - after the path

SOURCES: Final = ROOT / "scripts" / "mapping"
CACHE: Final = ROOT / ".cache" / "map"
MAP: Final = ROOT / "bridge" / "console" / "map"
GENERATED: Final = MAP / "generated"
NPM_SECONDS: Final = 300
INSIDE: Final = 0.5 * UNITS_PER_KM
FARTHEST_MOVED: Final = 8 * UNITS_PER_KM


def download() -> Path:
    """The folder with the atlas and the font, from npm where it is not there yet.

    Raises:
        SystemExit: npm is missing.
        subprocess.CalledProcessError: npm could not get them.
    """
    folder, lock = CACHE / "node_modules", (SOURCES / "package-lock.json").read_bytes()
    copied = CACHE / "package-lock.json"
    if folder.is_dir() and copied.is_file() and copied.read_bytes() == lock:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed (Debian: npm)")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, CACHE)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
    subprocess.run(command, cwd=CACHE, check=True, timeout=NPM_SECONDS, stdout=sys.stderr)  # noqa: S603 - a fixed one
    return folder


def moved_places(lands: Mapping[str, MultiPolygon]) -> dict[str, list[int]]:
    """Towns on a border or a coast that are outside of their country's simplified outline: where they are drawn."""
    moved = {}
    with (MAP / "places.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (land := lands.get(row["country"])) is None:
                continue
            at, ground = Point(project(float(row["latitude"]), float(row["longitude"]))), land.buffer(-INSIDE)
            if not ground.is_empty and 0 < ground.distance(at) < FARTHEST_MOVED:
                inside = nearest_points(ground, at)[0]
                moved[place_id(row["country"], row["name"])] = [round(inside.x), round(inside.y)]
    return moved


def points_of(lands: Mapping[str, MultiPolygon], outlines: Mapping[str, Any]) -> dict[str, list[int]]:
    """One point for every country of the world: on the map where its name has most room, else in its largest part."""
    points = {}
    for code, land in sorted(lands.items()):
        if code in outlines["countries"]:
            points[code] = outlines["countries"][code]["spots"][0][:2]
        elif not land.is_empty:
            inner = max(land.geoms, key=lambda polygon: polygon.area).representative_point()
            points[code] = [round(number) for number in project(inner.y, inner.x)]
    return points


def make(folder: Path) -> Iterator[tuple[str, str]]:
    """Every generated file's name and text; the ways come last, since they start at the points."""
    viewpoint = read_viewpoint(MAP / "viewpoint.toml")
    atlas = json.loads((folder / "world-atlas" / "countries-10m.json").read_bytes())
    lands = countries_in_degrees(read_parts(atlas), viewpoint)
    levels = simplify(flatten(lands))
    outlines = outlines_of(levels, WINDOW.bounds) | {"disputed": viewpoint["disputed"]["pairs"]}
    yield "letters.json", _text(widths_of(folder / "@fontsource" / "ibm-plex-sans" / "files"))
    yield "outlines.json", _text(outlines)
    yield "points.json", _text({"countries": points_of(lands, outlines), "moved": moved_places(levels[0])})
    shown = outlines["countries"]
    places = [place for place in (*all_places(), *map(country_point, shown)) if place and place.country in shown]
    yield "ways.json", _text(ways_of(levels[0], places, all_crossings(), outlines["middles"]))


def _text(members: Mapping[str, Any]) -> str:
    """JSON with one line for each member: a change can be read."""
    lines = (f'"{name}":{json.dumps(it, ensure_ascii=False, separators=(",", ":"))}' for name, it in members.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Writes the files, or compares them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    only_check = parser.parse_args().check
    different = 0
    for name, text in make(download()):
        file = GENERATED / name
        if only_check:
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                print(f"{file.relative_to(ROOT)} is not what scripts/map.py makes")
                different = 1
        else:
            file.write_text(text, encoding="utf-8")
            print(f"{file.relative_to(ROOT)}: {len(text.encode()) / 1000:.0f} kB")
    return different


if __name__ == "__main__":
    sys.exit(main())
