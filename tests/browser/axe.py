"""axe-core looks at a page as it is: in a JavaScript world of its own, while the page keeps its security policy.

Playwright's `bypass_csp` would make axe work too, and hide what the policy would have stopped.
"""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import Page
from servers.node_packages import ensure_node_modules

LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

_NODE = Path(__file__).with_name("node")
# Style sheets need no second download: no rule of these levels wants them.
_RUN = """
axe.run(document, {runOnly: {type: "tag", values: %s}, resultTypes: ["violations"], preload: false}).then(
  (found) => found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`
  ))
)
"""


async def axe(page: Page) -> list[str]:
    """What axe finds at WCAG 2.2 AA, a sentence for each element: rule, where, what is wrong.

    The window must allow JavaScript, or axe would wait for ever.

    Raises:
        NodeMissingError: there is no Node.js to install axe with.
    """
    source = (ensure_node_modules(_NODE) / "axe-core" / "axe.min.js").read_text("utf-8")
    session = await page.context.new_cdp_session(page)
    try:
        frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})

        async def evaluate(expression: str) -> list[str]:
            answer = await session.send(
                "Runtime.evaluate",
                {
                    "expression": expression,
                    "contextId": world["executionContextId"],
                    "awaitPromise": True,
                    "returnByValue": True,
                },
            )
            assert "exceptionDetails" not in answer, answer["exceptionDetails"]
            lines: list[str] = answer["result"]["value"]
            return lines

        await evaluate(f"{source}; []")
        return await evaluate(_RUN % json.dumps(LEVELS))
    finally:
        await session.detach()
