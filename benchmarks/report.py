"""The figures as tables for people and as one JSON object for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.carrying import Burst, CarryingFigure
from benchmarks.crypto import CryptoFigure
from benchmarks.signing_in import SigningInFigure
from benchmarks.submitting import LatencyFigure, SubmitFigure
from benchmarks.token_keys import KeysFigure
from benchmarks.trust import TrustFigures
from benchmarks.urgency import BOUND_SECONDS, UrgencyFigure
from bridge.cli.output import table


@dataclass
class Figures:
    """Everything that one run of the benchmarks found out, as it comes in."""

    machine: Mapping[str, object] = field(default_factory=dict)
    crypto: list[CryptoFigure] = field(default_factory=list)
    keys: list[KeysFigure] = field(default_factory=list)
    trust: TrustFigures | None = None
    signing_in: list[SigningInFigure] = field(default_factory=list)
    wire_bytes: int = 0
    submit: SubmitFigure | None = None
    carrying: list[CarryingFigure] = field(default_factory=list)
    latency: LatencyFigure | None = None
    bare_latency: LatencyFigure | None = None
    urgency: list[UrgencyFigure] = field(default_factory=list)
    seconds: float = 0.0


def as_json(figures: Figures) -> Mapping[str, object]:
    """The object that `--json` prints."""
    submit, latency, bare = figures.submit, figures.latency, figures.bare_latency
    return {
        "machine": figures.machine,
        "crypto": [
            {
                "operation": figure.operation,
                "recipients": figure.recipients,
                "bridge_cpu_us": round(figure.bridge_us, 1),
                "bare_cpu_us": round(figure.bare_us, 1),
                "ratio": round(figure.ratio, 2),
            }
            for figure in figures.crypto
        ],
        "keys": [
            {
                "operation": figure.operation,
                "files_per_second": round(figure.files_per_second),
                "token_per_second": round(figure.token_per_second),
            }
            for figure in figures.keys
        ],
        "trust": _trust(figures.trust) if figures.trust else None,
        "signing_in": [
            {
                "way": figure.way,
                "connections": figure.connections,
                "milliseconds": round(figure.milliseconds, 1),
                "cpu_us": round(figure.cpu_us),
            }
            for figure in figures.signing_in
        ],
        "message_bytes": figures.wire_bytes,
        "submit": {
            "alerts": submit.alerts,
            "milliseconds": round(submit.milliseconds, 2),
            "cpu_us": round(submit.cpu_us),
            "read_and_route_cpu_us": round(submit.read_and_route_us),
        }
        if submit
        else None,
        "carrying": [
            {
                "placement": figure.placement,
                "alerts": figure.bridge[0].alerts,
                "bridge": _side(figure.bridge),
                "bare": _side(figure.bare),
                "ratio": round(figure.ratio, 3),
                "cpu_ratio": round(figure.cpu_ratio, 3),
            }
            for figure in figures.carrying
        ],
        "latency": {"bridge": _latency(latency), "bare": _latency(bare)} if latency and bare else None,
        "urgency": [
            {
                "place": figure.place,
                "backlog": figure.backlog,
                "immediate": len(figure.seconds),
                "median_ms": round(figure.median_ms),
                "worst_ms": round(figure.worst_ms),
                "still_waiting": figure.left,
            }
            for figure in figures.urgency
        ],
        "seconds": round(figures.seconds, 1),
    }


def as_text(figures: Figures) -> str:
    """The tables."""
    parts = [_machine(figures.machine)]
    if figures.crypto:
        rows = [
            [f.operation, f.recipients, f"{f.bridge_us:.0f}", f"{f.bare_us:.0f}", f"{f.ratio:.2f}"]
            for f in figures.crypto
        ]
        headings = ("CPU us per message", "recipients", "bridge", "bare primitives", "ratio")
        parts.append(table(headings, rows))
    if figures.keys:
        keys = [[f.operation, f"{f.files_per_second:.0f}", f"{f.token_per_second:.0f}"] for f in figures.keys]
        parts.append(table(("in a second of CPU time", "keys in files", "on a token (SoftHSM2)"), keys))
    if figures.trust:
        parts += _trust_tables(figures.trust)
    if figures.signing_in:
        signed = [[f.way, f.connections, f"{f.milliseconds:.1f}", f"{f.cpu_us:.0f}"] for f in figures.signing_in]
        parts.append(table(("signing in to the broker", "connections", "ms", "client CPU us"), signed))
    if figures.submit:
        one = figures.submit
        parts.append(
            f"submit, one alert a transaction: {one.milliseconds:.1f} ms, CPU {one.cpu_us:.0f} us "
            f"(of it reading, checking and routing {one.read_and_route_us:.0f} us)"
        )
    if figures.carrying:
        rows = [row for figure in figures.carrying for row in _carrying_rows(figure)]
        burst = f"burst of {figures.carrying[0].bridge[0].alerts} alerts"
        columns = ("side", "alerts/s", "lowest to highest", "client CPU us", "broker CPU us", "rate", "all CPU")
        parts.append(table((burst, *columns), rows))
    if figures.latency and figures.bare_latency:
        rows = [
            [name, f"{one.per_second:.0f}", one.alerts, f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}"]
            for name, one in (("submit to inbox row", figures.latency), ("bare, two hops", figures.bare_latency))
        ]
        parts.append(table(("latency", "alerts/s", "alerts", "p50 ms", "p99 ms"), rows))
    if figures.urgency:
        first = figures.urgency[0]
        heading = f"{len(first.seconds)} immediate alerts, {first.backlog} routine ones waiting in"
        waiting = [[f.place, f"{f.median_ms:.0f}", f"{f.worst_ms:.0f}", f.left] for f in figures.urgency]
        parts.append(
            table(
                (heading, "median ms", f"worst ms (bound {BOUND_SECONDS * 1e3:.0f})", "still waiting at the end"),
                waiting,
            )
        )
    parts.append(f"{figures.seconds:.0f} s in all; medians; see docs/benchmarks.md")
    return "\n\n".join(parts)


def _machine(facts: Mapping[str, object]) -> str:
    lines = []
    for name, value in facts.items():
        shown = ", ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, Mapping) else value
        lines.append([name, shown])
    return table(("machine", ""), lines)


def _trust(figures: TrustFigures) -> Mapping[str, object]:
    return {
        "list": {
            name: {"milliseconds": round(wall, 2), "cpu_ms": round(cpu, 2)}
            for name, (wall, cpu) in figures.list_ms.items()
        },
        "list_kib": round(figures.list_kib),
        "verify_cpu_us": {str(size): round(spent, 1) for size, spent in figures.verify_us.items()},
    }


def _trust_tables(figures: TrustFigures) -> list[str]:
    rows = [[name, f"{wall:.1f}", f"{cpu:.1f}"] for name, (wall, cpu) in figures.list_ms.items()]
    size = max(figures.verify_us)
    heading = f"membership list of {size} contact points ({figures.list_kib / 1024:.1f} MiB in memory)"
    verify = [[points, f"{spent:.0f}"] for points, spent in figures.verify_us.items()]
    return [
        table((heading, "ms", "of them CPU"), rows),
        table(("contact points in the list", "CPU us for steps 1 to 12"), verify),
    ]


def _carrying_rows(figure: CarryingFigure) -> list[list[object]]:
    rows: list[list[object]] = []
    ours = (f"{figure.ratio:.2f}", f"{figure.cpu_ratio:.2f}")
    for name, runs, ratios in (("bridge", figure.bridge, ours), ("bare aio-pika", figure.bare, ("1", "1"))):
        rates = [run.rate for run in runs]
        broker = _broker_cpu(runs)
        rows.append(
            [
                figure.placement,
                name,
                f"{median(rates):.0f}",
                f"{min(rates):.0f} to {max(rates):.0f}",
                " + ".join(str(spent) for spent in _by_process(runs)),
                None if broker is None else f"{broker:.0f}",
                *ratios,
            ]
        )
    return rows


def _side(runs: Sequence[Burst]) -> Mapping[str, object]:
    broker = _broker_cpu(runs)
    return {
        "alerts_per_second": round(_median(runs, lambda run: run.rate), 1),
        "runs": [round(run.rate, 1) for run in runs],
        "client_cpu_us": round(_median(runs, lambda run: run.client_cpu_us)),
        "process_cpu_us": _by_process(runs),
        "broker_cpu_us": None if broker is None else round(broker),
    }


def _by_process(runs: Sequence[Burst]) -> list[int]:
    return [round(median(one)) for one in zip(*(run.process_cpu_us for run in runs), strict=True)]


def _broker_cpu(runs: Sequence[Burst]) -> float | None:
    known = [run.broker_cpu_us for run in runs if run.broker_cpu_us is not None]
    return median(known) if known else None


def _median(runs: Sequence[Burst], of: Callable[[Burst], float]) -> float:
    return median(of(run) for run in runs)


def _latency(figure: LatencyFigure) -> Mapping[str, object]:
    return {
        "alerts_per_second": round(figure.per_second),
        "alerts": figure.alerts,
        "p50_ms": round(figure.p50_ms, 1),
        "p99_ms": round(figure.p99_ms, 1),
    }
