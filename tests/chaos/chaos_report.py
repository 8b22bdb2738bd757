"""A run's figures, as one JSON object and as the Markdown table of docs/reliability.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from chaos_run import Outcome

MOST_FINDINGS: Final = 200


def as_json(outcome: Outcome, *, seed: int, machine: Mapping[str, str]) -> dict[str, Any]:
    """The object that `--json` prints."""
    verdict = outcome.verdict
    return {
        "messages": verdict.messages,
        "recipients": verdict.pairs,
        "faults": dict(sorted(outcome.faults.items())),
        "lost": len(verdict.lost),
        "twice": len(verdict.twice),
        "unexpected": len(verdict.unexpected),
        "unproven": len(verdict.unproven),
        "in_doubt": verdict.in_doubt,
        "in_doubt_stored": verdict.in_doubt_stored,
        "asked_again": verdict.asked_again,
        "gaps": verdict.gaps,
        "recovery_seconds": {kind: _spread(times) for kind, times in sorted(outcome.recovery.items())},
        "stuck": outcome.stuck,
        "not_made": outcome.not_made,
        "quiet": outcome.quiet,
        "findings": list(verdict.findings[:MOST_FINDINGS]),
        "seconds": round(outcome.seconds, 1),
        "seed": seed,
        "machine": dict(machine),
    }


def as_table(report: Mapping[str, Any]) -> str:
    """The Markdown table of a report, with the facts that it depends on."""
    faults: Mapping[str, int] = report["faults"]
    recovery: Mapping[str, Mapping[str, float]] = report["recovery_seconds"]
    what = f"{report['messages']:,} alerts to {report['recipients']:,} recipients, {sum(faults.values())} faults"
    found = f"Lost {report['lost']}, twice {report['twice']}, unexpected {report['unexpected']}"
    doubt = f"In doubt {report['in_doubt']}, of which stored {report['in_doubt_stored']}"
    asked = f"numbers asked for again {report['asked_again']}"
    lines = [
        f"Seed {report['seed']}: {what} in {report['seconds'] / 60:.0f} minutes, on {_facts(report['machine'])}.",
        "",
        f"**{found}, without proof {report['unproven']}.** {doubt}; {asked}.",
        "",
        "| fault | times | recovered after, median | worst |",
        "|---|---|---|---|",
    ]
    for kind, times in faults.items():
        spread = recovery.get(kind)
        median, worst = (f"{spread['median']:.2f} s", f"{spread['worst']:.2f} s") if spread else ("-", "-")
        lines.append(f"| {kind.replace('_', ' ')} | {times} | {median} | {worst} |")
    text = "\n".join(lines) + "\n"
    if "cluster" in report:
        text += f"\nOn a cluster of three nodes, each of them lost in turn:\n\n{as_table(report['cluster'])}"
    if "rabbitmq_4" in report:
        four = report["rabbitmq_4"]
        passed = "passed" if four["status"] == 0 else f"ended with status {four['status']}"
        text += f"\nThe integration tests on RabbitMQ 4 {passed} ({four['seconds']:.0f} s).\n"
    return text


def machine_facts(rabbitmq: str) -> dict[str, str]:
    """What the figures depend on."""
    return {
        "processors": f"{os.cpu_count()} x {_processor()}",
        "python": platform.python_version(),
        "kernel": platform.release(),
        "rabbitmq": rabbitmq,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _spread(times: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(times), 3), "worst": round(max(times), 3), "of": len(times)}


def _facts(machine: Mapping[str, str]) -> str:
    return (
        f"{machine['processors']}, Linux {machine['kernel']}, Python {machine['python']}, "
        f"RabbitMQ {machine['rabbitmq']}, {machine['date']}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
