"""Small charts as SVG text: classes and attributes only, every figure also in words for who does not see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup, escape

SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 20
CHART_WIDTH: Final = 320
CHART_HEIGHT: Final = 140
_LEFT: Final = 34
_BOTTOM: Final = 20
_TOP: Final = 8


def sparkline(values: Sequence[int], *, label: str) -> Markup:
    """Bars side by side, the highest as high as there is room."""
    highest, width = max([*values, 1]), SPARK_WIDTH / max(len(values), 1)
    bars = []
    for index, value in enumerate(values):
        height = 0 if value == 0 else max(2.0, value / highest * SPARK_HEIGHT)
        place = f'x="{index * width:.1f}" y="{SPARK_HEIGHT - height:.1f}"'
        bars.append(f'<rect {place} width="{width - 1:.1f}" height="{height:.1f}"/>')
    head = f'<svg class="spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(bars)}</svg>")  # noqa: S704 - numbers of ours, and a label that is escaped


def delivery_chart(
    p50: Sequence[float | None], p95: Sequence[float | None], *, objective: float, label: str, hours: Sequence[str]
) -> Markup:
    """Two lines over the hours and the objective across them; an hour without figures breaks a line.

    Args:
        p50: seconds, one an hour.
        p95: the same.
        objective: seconds.
        label: what it shows, in words.
        hours: what stands below the first, and each sixth hour after it.
    """
    highest = max([objective * 1.2, *(value for value in (*p50, *p95) if value is not None)])
    width, height = CHART_WIDTH - _LEFT, CHART_HEIGHT - _BOTTOM - _TOP

    def place(index: int, value: float) -> str:
        return f"{_LEFT + index / max(len(p50) - 1, 1) * width:.1f},{_TOP + height - value / highest * height:.1f}"

    parts = [
        f'<svg class="delivery" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img" aria-label="{escape(label)}">',
        f'<path class="axis" d="M{_LEFT} {_TOP}V{_TOP + height}H{CHART_WIDTH}"/>',
        f'<path class="objective" d="M{place(0, objective)}H{CHART_WIDTH}"/>',
        f'<text x="{_LEFT - 4}" y="{_TOP + 8}" text-anchor="end">{highest:.3g} s</text>',
        f'<text x="{_LEFT - 4}" y="{_TOP + height}" text-anchor="end">0</text>',
    ]
    for name, values in (("p95", p95), ("p50", p50)):
        parts += [f'<path class="{name}" d="M{" ".join(run)}"/>' for run in _runs(values, place)]
    for index, hour in zip(range(0, len(p50), 6), hours, strict=False):
        x = _LEFT + index / max(len(p50) - 1, 1) * width
        parts.append(f'<text x="{x:.1f}" y="{CHART_HEIGHT - 5}">{escape(hour)}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - numbers of ours, and words that are escaped


def _runs(values: Sequence[float | None], place: Callable[[int, float], str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(index, value))
    # A single hour is a dot: a line to itself with a round end.
    return [run if len(run) > 1 else [run[0], run[0]] for run in runs if run]
