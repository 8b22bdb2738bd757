"""Puts names where they hide nothing: the best of some places around each point, one after the other.

Greedy: who comes first gets the better place, so what matters most is placed first. What fits nowhere without hiding
much is left out where it may be (names of countries), and is put at the least bad place where it may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bridge.console.map.letters import text_width
from bridge.console.map.outlines import Box, overlaps
from bridge.console.map.projection import Point

LINE_HEIGHT: Final = 1.25
_OUTSIDE: Final = 6.0
_ON_A_LINE: Final = 1.2
_ON_A_BOX: Final = 3.0
_CELL: Final = 40.0  # pixels: points of lines are looked for by cell
# Where around a point, best first: the sides before what is above and below, the corners last.
_AROUND: Final = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))


@dataclass(frozen=True, slots=True)
class Label:
    """A placed text: `at` is its middle on the baseline, in pixels."""

    text: str
    at: Point
    size: float
    width: float


@dataclass(slots=True)
class Layout:
    """What is taken already in a picture of that size in pixels."""

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    dots: dict[tuple[int, int], list[Point]] = field(default_factory=dict)

    def keep(self, box: Box) -> None:
        """Nothing is to be written there."""
        self.boxes.append(box)

    def keep_line(self, points: Iterable[Point]) -> None:
        """A line, as points a few pixels apart: little is to be written over it."""
        for x, y in points:
            self.dots.setdefault((int(x // _CELL), int(y // _CELL)), []).append((x, y))

    def cost(self, box: Box) -> float:
        """How much a box would hide."""
        area = max((box[2] - box[0]) * (box[3] - box[1]), 1.0)
        outside = max(-box[0], 0) + max(-box[1], 0) + max(box[2] - self.width, 0) + max(box[3] - self.height, 0)
        left, top, right, bottom = box
        hidden = sum(
            (min(right, other[2]) - max(left, other[0])) * (min(bottom, other[3]) - max(top, other[1]))
            for other in self.boxes
            if overlaps(box, other)
        )
        dots = sum(
            left <= x <= right and top <= y <= bottom
            for column in range(int(left // _CELL), int(right // _CELL) + 1)
            for row in range(int(top // _CELL), int(bottom // _CELL) + 1)
            for x, y in self.dots.get((column, row), ())
        )
        return outside * _OUTSIDE + hidden / area * _ON_A_BOX * 10 + dots * _ON_A_LINE

    def around(
        self, text: str, point: Point, away: float, size: float, *, bold: bool, most: float = inf
    ) -> Label | None:
        """Writes beside a point, that far away from it, and keeps the place; `None` where it hides more than `most`."""
        width, height = text_width(text, size, bold=bold), size * LINE_HEIGHT
        best = inf, (0.0, 0.0, 0.0, 0.0)
        for order, (right, down) in enumerate(_AROUND):
            near = away * (0.75 if right and down else 1.0)
            x = point[0] + right * (near + width / 2)
            y = point[1] + down * (near + height / 2)
            box = (x - width / 2 - 2, y - height / 2, x + width / 2 + 2, y + height / 2)
            cost = self.cost(box) + order * 0.25
            if cost < best[0]:
                best = cost, box
        if best[0] > most:
            return None
        box = self._inside(best[1])
        self.keep(box)
        return Label(text, ((box[0] + box[2]) / 2, box[3] - height * 0.27), size, width)

    def on_one_of(self, text: str, points: Sequence[Point], size: float, spacing: float) -> Label | None:
        """Writes at the first of some points where nothing is hidden; `None` where there is none."""
        width, height = text_width(text, size, bold=True, spacing=spacing), size * LINE_HEIGHT
        for x, y in points:
            box = (x - width / 2 - 3, y - height / 2, x + width / 2 + 3, y + height / 2)
            if self.cost(box) == 0:
                self.keep(box)
                return Label(text, (x, box[3] - height * 0.27), size, width)
        return None

    def _inside(self, box: Box) -> Box:
        """A box moved into the picture."""
        right = max(3 - box[0], 0) - max(box[2] - self.width + 3, 0)
        down = max(3 - box[1], 0) - max(box[3] - self.height + 3, 0)
        return box[0] + right, box[1] + down, box[2] + right, box[3] + down
