"""Numbers as people read them: `12-15, 17`."""

from __future__ import annotations

from collections.abc import Iterable


def as_ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers in order, neighbours together: (first, last) of each run."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def in_words(ranges: Iterable[tuple[int, int]]) -> str:
    """`12-15, 17`."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
