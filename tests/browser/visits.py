"""A look at pages in a browser context of its own, which notes everything that must not happen there.

Noted are: errors on the console and in scripts, violations of the Content-Security-Policy (Chromium's own account of
them, so also without JavaScript, and reports on a policy that only reports), requests that fail, answers of 5xx, and
requests to anywhere but the node. What the page itself gives up, as a stream when one goes on, is no fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, CDPSession, ConsoleMessage, Page, Request, Response

PATIENCE_SECONDS = 30.0
WIDTHS = {1440: 900, 900: 1100, 400: 860}

_GIVEN_UP = "net::ERR_ABORTED"
_LOCAL_SCHEMES = {"data", "blob", "about"}


@dataclass
class Visit:
    """One person's browser window on one node.

    Attributes:
        origin: of the node: `http://127.0.0.1:8443`.
        page: where to click.
        audits: Chromium's own notes on the page.
        faults: what was noted so far, each as a sentence.
    """

    origin: str
    page: Page
    audits: CDPSession
    faults: list[str] = field(default_factory=list)

    async def go(self, path: str) -> Response:
        """Opens a page of the node and waits until it has loaded; a page that fails ends the test at once."""
        response = await self.page.goto(self.origin + path)
        assert response is not None, f"{path} only moved within the page"
        assert response.status < 500, f"{path} answered {response.status}"
        return response

    async def take_faults(self) -> list[str]:
        """What was noted since the last time, which is forgotten; of a test that expects faults."""
        await self.audits.send("Audits.checkFormsIssues")  # an answer comes after the events before it
        taken, self.faults[:] = self.faults[:], []
        return taken

    async def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wider: int = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, wider)

    async def close(self) -> None:
        """Closes the window; its cookies are gone."""
        await self.page.context.close()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in _LOCAL_SCHEMES and f"{url.scheme}://{url.netloc}" != self.origin:
            self.faults.append(f"elsewhere: {request.method} {request.url}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"answered: {response.status} to {response.request.method} {response.url}")

    def _on_issue(self, event: dict[str, Any]) -> None:
        details = event["issue"]["details"].get("contentSecurityPolicyIssueDetails")
        if details is not None:
            where = details.get("sourceCodeLocation", {}).get("url", self.page.url)
            what = details.get("blockedURL", details["contentSecurityPolicyViolationType"])
            self.faults.append(f"policy: {details['violatedDirective']} forbids {what} on {where}")


async def visit(
    browser: Browser,
    origin: str,
    *,
    width: int = 1440,
    scheme: Literal["light", "dark"] = "light",
    javascript: bool = True,
    language: str | None = None,
) -> Visit:
    """A window without cookies; the language is what the browser asks for, American English where none is given.

    Where none is given, a test may ask for others by `page.set_extra_http_headers`.
    """
    context = await browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=scheme,
        java_script_enabled=javascript,
        locale=language,
        timezone_id="Europe/Belgrade",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = await context.new_page()
    visited = Visit(origin, page, await context.new_cdp_session(page))
    context.on("console", visited._on_console)
    context.on("weberror", lambda error: visited.faults.append(f"script: {error.error}"))
    context.on("request", visited._on_request)
    context.on("requestfailed", visited._on_failed)
    context.on("response", visited._on_response)
    visited.audits.on("Audits.issueAdded", visited._on_issue)
    await visited.audits.send("Audits.enable")
    return visited
