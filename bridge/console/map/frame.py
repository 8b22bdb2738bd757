"""Which part of the flat map a picture shows, and at what scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.console.map.projection import UNITS_PER_KM, Point

SMALLEST_KM: Final = 240.0
"""The width of the closest view; outlines are not made for a closer one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's part of the map.

    Attributes:
        left: map units.
        top: map units.
        scale: pixels for one map unit.
        width: pixels.
        height: pixels.
    """

    left: float
    top: float
    scale: float
    width: int
    height: int

    def place(self, point: Point) -> Point:
        """Where a point of the map lies in the picture, in pixels."""
        return (point[0] - self.left) * self.scale, (point[1] - self.top) * self.scale

    def has(self, point: Point, margin: float = 0.0) -> bool:
        """Whether a point in pixels is in the picture."""
        return -margin <= point[0] <= self.width + margin and -margin <= point[1] <= self.height + margin

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in map units."""
        return self.left, self.top, self.left + self.width / self.scale, self.top + self.height / self.scale

    @property
    def km(self) -> float:
        """Its width in kilometres."""
        return self.width / self.scale / UNITS_PER_KM


def frame_around(
    points: Sequence[Point], size: tuple[int, int], margin: tuple[float, float], window: Sequence[float]
) -> Frame:
    """The frame that shows all the points, with a margin in pixels for what is written around them.

    It stays inside the window of the outlines: beyond it there is nothing to be shown.
    """
    width, height = size
    across, down = [x for x, _ in points], [y for _, y in points]
    inner = width - 2 * margin[0], height - 2 * margin[1]
    wanted = max(
        (max(across) - min(across)) / inner[0] * width,
        (max(down) - min(down)) / inner[1] * width,
        SMALLEST_KM * UNITS_PER_KM,
    )
    widest = min(window[2] - window[0], (window[3] - window[1]) * width / height)
    wide = min(wanted, widest)
    scale = width / wide
    left = (max(across) + min(across)) / 2 - wide / 2
    top = (max(down) + min(down)) / 2 - height / scale / 2
    left = min(max(left, window[0]), window[2] - wide)
    top = min(max(top, window[1]), window[3] - height / scale)
    return Frame(left, top, scale, width, height)
