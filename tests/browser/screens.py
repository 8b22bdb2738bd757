"""Pictures of every page of the console at three widths, light and dark: `python tests/browser/screens.py [FOLDER]`.

Serbia and Austria run on a private broker for as long as it takes; a folder without name is `/tmp/shots`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "acceptance")]

from console_nodes import ROLES, running_consoles, send_samples, sign_in  # noqa: E402 - the line above finds it
from crawl import reachable  # noqa: E402 - the same
from desk_steps import leave_traces  # noqa: E402 - the same
from servers.own_chromium import own_chromium  # noqa: E402 - the same
from visits import WIDTHS, Visit, visit  # noqa: E402 - the same

from broker import broker_for_use  # noqa: E402 - the same


def main() -> None:
    """Takes the pictures and names each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("/tmp/shots"), help="where the pictures go")  # noqa: S108 - to be looked at and thrown away
    parser.add_argument("--page", action="append", help="only this page of the access table; repeat for several")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="ncp-bridge-screens-") as folder,
        broker_for_use() as broker,
        running_consoles(Path(folder), broker) as nodes,
    ):
        send_samples(nodes)
        asyncio.run(_take(nodes["at"].origin, options))


async def _take(origin: str, options: argparse.Namespace) -> None:
    taken: set[str] = set()
    async with own_chromium() as browser:
        windows = {login: await visit(browser, origin) for login in ("nobody", *ROLES)}
        await windows["nobody"].go("/")
        for login in ROLES:
            await sign_in(windows[login], login)
        await leave_traces(windows["officer"], windows["operator"])
        for window in windows.values():
            places = await reachable(window)
            await window.take_faults()  # those of links that this role may not follow
            for name, path in places.items():
                if name not in taken and name in (options.page or [name]):
                    taken.add(name)
                    await _take_each(window, path, options.folder / name)
            await window.close()


async def _take_each(window: Visit, path: str, file: Path) -> None:
    await window.page.goto(window.origin + path)
    for width, height in WIDTHS.items():
        await window.page.set_viewport_size({"width": width, "height": height})
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            await window.page.emulate_media(color_scheme=scheme)
            picture = file.with_name(f"{file.name}-{width}{ending}.png")
            await window.page.screenshot(path=picture, full_page=True)
            print(picture)  # noqa: T201 - its product
    for fault in await window.take_faults():
        print(f"  {fault}", file=sys.stderr)  # noqa: T201 - the same


if __name__ == "__main__":
    main()
