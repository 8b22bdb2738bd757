"""The results as JUnit XML, as a page, and as one JSON object."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from xml.etree import ElementTree as ET

from bridge.conformance.case import Result, Verdict, printable
from bridge.core.times import format_time

_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Conformance of {implementation}</title>
<meta name="color-scheme" content="light dark">
<style>
:root {{ color-scheme: light dark; --line: #8886; --good: #1a7f37; --bad: #c62828; --pale: #777; }}
@media (prefers-color-scheme: dark) {{ :root {{ --good: #57c26f; --bad: #ff7b72; --pale: #aaa; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }}
dt {{ color: var(--pale); }} dd {{ margin: 0; }} td:first-child {{ font-family: ui-monospace, monospace; }}
.pass {{ color: var(--good); }} .fail {{ color: var(--bad); font-weight: 600; }} .skipped {{ color: var(--pale); }}
</style></head><body>
<h1>Conformance of {implementation}</h1>
<p>{summary}</p>
<dl>{facts}</dl>
<table><thead><tr><th>Case<th>Rule<th>Sent<th>Expected<th>Seen<th>Verdict<th>Seconds</tr></thead>
<tbody>
{rows}
</tbody></table>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A run of the cases: what was tested, as what it says it is, by whom, when."""

    implementation: str
    claims: str
    tester: str
    network: str
    list_version: int
    began: datetime
    ended: datetime
    results: Sequence[Result]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each verdict."""
        found = Counter(result.verdict for result in self.results)
        return {verdict.value: found[verdict] for verdict in Verdict}

    @property
    def is_kept(self) -> bool:
        """Whether every rule that was tried was kept."""
        return self.counts[Verdict.FAIL] == 0

    def facts(self) -> Mapping[str, str]:
        """What stands above the results."""
        return {
            "claims to be": self.claims,
            "tested by": self.tester,
            "network": f"{self.network}, membership list {self.list_version}",
            "began": format_time(self.began),
            "ended": format_time(self.ended),
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }

    def as_json(self) -> Mapping[str, object]:
        """One object."""
        cases = [
            {
                "id": result.case.id,
                "rule": result.case.rule,
                "sent": result.case.sent,
                "expected": result.case.expected,
                "seen": result.seen,
                "verdict": result.verdict.value,
                "seconds": round(result.seconds, 3),
            }
            for result in self.results
        ]
        facts = {name.replace(" ", "_"): value for name, value in self.facts().items()}
        return {"implementation": self.implementation, **facts, "counts": self.counts, "cases": cases}

    def as_junit(self) -> bytes:
        """JUnit XML."""
        counts = {
            "tests": str(len(self.results)),
            "failures": str(self.counts[Verdict.FAIL]),
            "errors": "0",
            "skipped": str(self.counts[Verdict.SKIPPED]),
            "time": f"{(self.ended - self.began).total_seconds():.3f}",
        }
        root = ET.Element("testsuites", counts | {"name": "ncp-bridge conformance"})
        at = {"name": printable(self.implementation), "timestamp": format_time(self.began)}
        suite = ET.SubElement(root, "testsuite", at | counts)
        properties = ET.SubElement(suite, "properties")
        for name, value in self.facts().items():
            ET.SubElement(properties, "property", {"name": name, "value": printable(value)})
        for result in self.results:
            named = {"classname": f"conformance.{result.case.rule.partition(',')[0]}", "name": result.case.id}
            case = ET.SubElement(suite, "testcase", named | {"time": f"{result.seconds:.3f}"})
            told = {"message": f"sent {result.case.sent}; expected {result.case.expected}; seen {result.seen}"}
            if result.verdict is Verdict.FAIL:
                ET.SubElement(case, "failure", told | {"type": "conformance"})
            elif result.verdict is Verdict.SKIPPED:
                ET.SubElement(case, "skipped", {"message": result.seen})
        ET.indent(root)
        text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return text + b"\n"

    def as_html(self) -> bytes:
        """One page without scripts, light or dark as its reader has it."""
        facts = "".join(f"<dt>{escape(name)}<dd>{escape(value)}" for name, value in self.facts().items())
        summary = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        rows = "\n".join(_row(result) for result in self.results)
        page = _PAGE.format(implementation=escape(self.implementation), summary=summary, facts=facts, rows=rows)
        return page.encode()


def _row(result: Result) -> str:
    case, verdict = result.case, result.verdict.value
    cells = "".join(f"<td>{escape(each)}" for each in (case.id, case.rule, case.sent, case.expected, result.seen))
    return f'<tr>{cells}<td class="{verdict}">{verdict}<td>{result.seconds:.2f}</tr>'
