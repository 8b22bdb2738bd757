"""Headless Chromium for tests and for looking at pages: the installed one, or Debian's package in the cache.

It keeps nothing, reaches no address but this machine's, and draws text with the fonts of its own folder only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from broker.installation import ensure_installation
from broker.packages import CHROMIUM

START_SECONDS = 90.0

# What playwright does not ask for already; no name but this machine's is looked up, whoever asks.
_FLAGS = ("--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


@asynccontextmanager
async def own_chromium() -> AsyncIterator[Browser]:
    """A browser that ends with the block; it starts in 1 s.

    Raises:
        UnavailableError: there is no Chromium to be had.
    """
    installation = ensure_installation(CHROMIUM)
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-chromium-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        fonts = folder / "fonts.conf"
        fonts.write_text(_FONTS.format(fonts=installation.root / "usr/share/fonts", cache=folder / "fonts"), "utf-8")
        environment = os.environ | {"FONTCONFIG_FILE": str(fonts), "HOME": name}
        if installation.library_path:
            environment["LD_LIBRARY_PATH"] = installation.library_path
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=installation.root / installation.program,
                args=_FLAGS,
                chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to sandbox what root starts
                env=environment,
                timeout=START_SECONDS * 1000,
            )
            try:
                yield browser
            finally:
                await browser.close()
